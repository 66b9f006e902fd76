#!/usr/bin/python3
"""Copies in bad times, then checks in quiet ones. See README.md; `sh tests/chaos/run --help`."""
import argparse
import os
import random
import secrets
import signal
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

from checks import Checks
from sources import MIB, Source, client_of
from world import Child, Events, Network, Postgres, Stores, free_port, remove

TASKS = {"media": "m/", "small": "s/"}  # prefix at the source -> prefix at the destination
BUCKETS = {"src": "chaos-src", "dst": "chaos-dst"}
LEASE = 10

CONFIG = """
database: postgresql://ferry@127.0.0.1:{pg}/ferry
stores:
  src: {{provider: ceph, addressing: path, endpoint: "http://127.0.0.1:{src}",
        credentials: {{access_key_id: "${{SRC_ACCESS_KEY}}", secret_access_key: "${{SRC_SECRET_KEY}}"}}}}
  dst: {{provider: ceph, addressing: path, endpoint: "http://127.0.0.1:{dst}",
        credentials: {{access_key_id: "${{DST_ACCESS_KEY}}", secret_access_key: "${{DST_SECRET_KEY}}"}}}}
tasks:
{tasks}
transfer: {{part_size: 5MiB, multipart_threshold: 6MiB, lease: {lease}s, outage_patience: 40s, concurrency: 8}}
"""


class Round:
    def __init__(self, arguments, directory):
        self.dir = Path(directory)
        self.arguments = arguments
        self.random = random.Random(f"{arguments.seed}/events")
        self.events = Events(self.dir / "events.log", arguments.seed)
        self.stores = self.postgres = self.network = self.source = self.checks = None
        self.children, self.ended = [], []
        self.workers, self.runs, self.exporter = {}, [], None
        self.restart_at = {}  # of workers that ended, so that they do not do so without pause
        self.repairs = []  # (time, what to do then)
        self.last_database_fault = self.last_store_fault = 0.0
        self.next_run_at, self.serial, self.disturbances = 0.0, 0, 0
        self.polling = None  # a thread that judges and polls
        self.postgres_due = None  # when it shall be up again

    # --- beginning

    def set_up(self):
        self.stores = Stores(self.dir / "s3", self.events)
        self.postgres = Postgres(self.dir / "pg", self.events)
        self.network = Network(self.dir, self.arguments.seed, self.stores, self.postgres, self.events)
        self.environment = {
            "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1",
            "UBSAN_OPTIONS": "print_stacktrace=1", "PYTHONDONTWRITEBYTECODE": "1", **self.stores.environment}
        tasks = "".join(
            f"  - {{name: {name}, source: {{store: src, bucket: {BUCKETS['src']}, prefix: {name}/}}, "
            f"destination: {{store: dst, bucket: {BUCKETS['dst']}, prefix: {prefix}}}}}\n"
            for name, prefix in TASKS.items())
        self.config = self.dir / "bucketferry.yaml"
        self.config.write_text(CONFIG.format(tasks=tasks, lease=LEASE, **self.network.ports))
        self.write_rclone_config()
        clients = {side: client_of(self.stores.environment, side) for side in BUCKETS}
        for side, bucket in BUCKETS.items():
            clients[side].create_bucket(Bucket=bucket)
        self.source = Source(clients["src"], BUCKETS["src"], self.arguments.seed, self.events,
                             self.arguments.rate * MIB)
        self.checks = Checks(self.postgres, self.source, clients, BUCKETS, TASKS, self.events)
        self.source.fill(self.arguments.small, self.arguments.large)
        self.must_succeed("migrate", ["migrate"])
        self.exporter_port = free_port()
        self.exporter = self.start("exporter", ["--listen", f"127.0.0.1:{self.exporter_port}"],
                                   "bucketferry-exporter")
        self.wait_until(self.exporter_listens, 30, "the exporter listens")

    def write_rclone_config(self):
        text = ""
        for side in BUCKETS:
            upper = side.upper()
            text += (f"[{side}]\ntype = s3\nprovider = Ceph\nendpoint = {self.stores.endpoint(side)}\n"
                     f"access_key_id = {self.stores.environment[upper + '_ACCESS_KEY']}\n"
                     f"secret_access_key = {self.stores.environment[upper + '_SECRET_KEY']}\n")
        self.rclone_config = self.dir / "rclone.conf"
        self.rclone_config.touch(0o600)
        self.rclone_config.write_text(text)

    def exporter_listens(self):
        import socket
        try:
            socket.create_connection(("127.0.0.1", self.exporter_port), 1).close()
            return True
        except OSError:
            return False

    def start(self, name, words, program="bucketferry"):
        self.serial += 1
        child = Child(f"{name}-{self.serial}",
                      [Path(self.arguments.build) / program, *words, "--config", self.config],
                      self.dir / f"{name}.log", self.environment, self.events)
        self.children.append(child)
        return child

    def must_succeed(self, name, words):
        child = self.start(name, words)
        self.wait_until(lambda: not child.running(), 180, f"{name} ends")
        if child.code != 0:
            raise RuntimeError(f"{name} ended with {child.code}, see {child.log}")
        return child

    def wait_until(self, holds, patience, what):
        deadline = time.time() + patience
        while not holds():
            if time.time() > deadline:
                raise RuntimeError(f"waited {patience} s in vain: {what}")
            time.sleep(0.05)

    # --- bad times

    def bad_time(self, seconds):
        self.events.say(f"bad time of {seconds:.0f} s begins")
        for side in BUCKETS:
            self.set_weather(side)
        self.source.start()
        until, next_event = time.time() + seconds, time.time() + 2
        while time.time() < until:
            self.tick()
            if time.time() >= next_event:
                next_event = time.time() + self.random.expovariate(1 / self.arguments.every)
                self.disturb()
            time.sleep(0.05)
        self.source.halt()
        while self.source.is_changing():  # a server may have to come back for that
            self.tick()
            time.sleep(0.05)

    def tick(self):
        """What a scheduler, a Deployment and time itself do."""
        now = time.time()
        for child in self.children:
            child.resume_when_due()
        due = [one for one in self.repairs if one[0] <= now]
        self.repairs = [one for one in self.repairs if one[0] > now]
        for _, repair in due:
            repair()
        self.postgres_returns(now)
        for name in ("a", "b", "c"):
            if name not in self.workers or not self.workers[name].running():
                if name in self.workers:
                    self.judge_worker(self.workers.pop(name))
                    self.restart_at[name] = now + 1
                if now < self.restart_at.get(name, 0):
                    continue
                self.workers[name] = self.start(f"worker-{name}", ["work", "--forever", "--log-level", "debug"])
        for run in [one for one in self.runs if not one.running()]:
            self.runs.remove(run)
            self.ended.append(run)
        self.judge_ended()
        if now >= self.next_run_at and len(self.runs) < 2:
            # Mostly one at a time; sometimes they meet.
            if not self.runs or self.random.random() < 0.02:
                self.start_run()
                self.next_run_at = now + self.random.uniform(0.5, 3)
        if not self.exporter.running():
            self.checks.fail(f"the exporter ended with {self.exporter.code}")
            self.exporter = self.start("exporter", ["--listen", f"127.0.0.1:{self.exporter_port}"],
                                       "bucketferry-exporter")

    def postgres_returns(self, now):
        if self.postgres_due is not None and now >= self.postgres_due:
            self.postgres.start_if_ended()
            if self.postgres.answers():
                self.postgres_due = None
                self.last_database_fault = now
            else:
                self.postgres_due = now + 0.3

    def start_run(self):
        dice = self.random.random()
        words = ["run"] if dice < 0.8 else ["plan"] if dice < 0.9 else ["run", "--for", "8s"]
        tasks = list(TASKS)
        if self.random.random() < 0.3:
            tasks = [self.random.choice(tasks)]
            words += ["--task", tasks[0]]
        child = self.start("run", words + ["--log-level", "debug"])
        child.tasks = tasks
        self.runs.append(child)

    def disturbed(self, child):
        """Whether something happened that its ending may be owed to."""
        since = child.began - 1
        return (self.last_database_fault > since or self.postgres_due is not None
                or child.was_paused > 0 or bool(child.signals) or self.last_store_fault > since)

    def judge_worker(self, worker):
        allowed = worker.was_ended_by_us()
        allowed |= worker.code == 5 and signal.SIGTERM in worker.signals
        allowed |= worker.code == 3 and (self.last_database_fault > worker.began - 1 or worker.was_paused > 0
                                         or self.postgres_due is not None)
        if not allowed:
            self.checks.fail(f"{worker.name} ended with {worker.code}, see {worker.log}")

    def judge_ended(self):
        """Runs that ended are judged when the database answers: their rows are wanted."""
        if not self.ended or self.postgres_due is not None or self.polling is not None:
            return
        batch, self.ended = self.ended, []

        def judge():
            for child in batch:
                for _ in range(100):
                    try:
                        self.checks.judge_run(child, child.tasks, self.disturbed(child))
                        break
                    except Exception as error:  # a server is away just now
                        self.events.say(f"judging {child.name} waits: {type(error).__name__} {error}"[:200])
                        time.sleep(0.5)
                else:
                    self.checks.fail(f"{child.name} could not be judged")
            self.checks.poll(self.exporter_port)
            self.polling = None
        self.polling = threading.Thread(target=judge, daemon=True)
        self.polling.start()

    def disturb(self):
        deeds = {self.kill_worker: 4, self.pause_worker: 3, self.stop_worker: 1, self.kill_run: 3,
                 self.pause_run: 2, self.stop_run: 1, self.kill_gateway: 3, self.kill_postgres: 2,
                 self.kill_backend: 2, self.cut_database: 2, self.stall_database: 1, self.change_weather: 6,
                 self.cut_stores: 2, self.refuse_store: 2, self.stall_store: 1}
        self.disturbances += 1
        self.random.choices(list(deeds), list(deeds.values()))[0]()

    def some_worker(self):
        """One, or none when all have just ended."""
        return [self.workers[self.random.choice(sorted(self.workers))]] if self.workers else []

    def kill_worker(self):
        for worker in self.some_worker():
            worker.send(signal.SIGKILL)

    def stop_worker(self):
        for worker in self.some_worker():
            worker.send(signal.SIGTERM)

    def pause_worker(self):
        for worker in self.some_worker():
            worker.pause(self.random.choice([1, 5, LEASE + 3, 2 * LEASE]))

    def kill_run(self):
        if self.runs:
            self.runs[0].send(signal.SIGKILL)

    def stop_run(self):
        if self.runs:
            self.runs[0].send(signal.SIGTERM)

    def pause_run(self):
        if self.runs:
            self.runs[0].pause(self.random.choice([1, 5, LEASE + 3, 2 * LEASE]))

    def kill_gateway(self):
        side = self.random.choice(list(BUCKETS))
        if self.stores.is_away(side):
            return
        self.last_store_fault = time.time()
        self.stores.kill(side)
        self.later(self.random.choice([0, 1, 4, 10]), lambda: self.stores.start(side))

    def kill_postgres(self):
        if self.postgres_due is None:
            self.last_database_fault = time.time()
            self.postgres.kill()
            self.postgres_due = time.time() + self.random.choice([0, 0, 1, 4, LEASE + 4])

    def kill_backend(self):
        if self.postgres_due is None:
            self.last_database_fault = time.time()
            try:
                self.postgres.kill_backend(self.random)
            except Exception as error:
                self.events.say(f"kill_backend: {error}"[:200])

    def cut_database(self):
        self.last_database_fault = time.time()
        self.network.tell("cut", "pg")

    def stall_database(self):
        lasts = self.random.choice([2, 6, LEASE + 4])
        self.last_database_fault = time.time() + lasts  # who begins meanwhile meets it too
        self.network.tell("stall", "pg", on=True)
        self.later(lasts, lambda: self.network.tell("stall", "pg", on=False))

    def change_weather(self):
        self.set_weather(self.random.choice(list(BUCKETS)))

    def set_weather(self, side):
        self.last_store_fault = time.time()
        self.network.tell("weather", side, odds=self.random.choice([0.01, 0.03, 0.1, 0.3]),
                          latency=self.random.choice([0.005, 0.02, 0.1]),
                          rate=self.random.choice([1, 3, 10]) * MIB)

    def cut_stores(self):
        self.last_store_fault = time.time()
        self.network.tell("cut", self.random.choice(list(BUCKETS)))

    def refuse_store(self):
        side = self.random.choice(list(BUCKETS))
        lasts = self.random.choice([1, 5, 15])
        self.last_store_fault = time.time() + lasts
        self.network.tell("refuse", side, on=True)
        self.later(lasts, lambda: self.network.tell("refuse", side, on=False))

    def stall_store(self):
        side = self.random.choice(list(BUCKETS))
        lasts = self.random.choice([2, 8, 20])
        self.last_store_fault = time.time() + lasts
        self.network.tell("stall", side, on=True)
        self.later(lasts, lambda: self.network.tell("stall", side, on=False))

    def later(self, seconds, act):
        self.repairs.append((time.time() + seconds, act))

    # --- quiet times

    def quiet_time(self):
        self.events.say("quiet time begins")
        for child in self.children:
            child.resume_when_due(at_once=True)
        for _, repair in self.repairs:
            repair()
        self.repairs = []
        self.network.calm()
        self.stores.wait_started()
        if self.postgres_due is not None:
            self.postgres_due = time.time()
        self.wait_until(lambda: self.postgres_returns(time.time()) or self.postgres_due is None, 60,
                        "PostgreSQL returns")
        self.wait_until(self.runs_are_over, 240, "all runs end")
        self.clean_run()
        before = self.network.stats()
        idle = self.must_succeed("idle", ["run"])
        idle.tasks = list(TASKS)
        self.checks.judge_run(idle, idle.tasks, False)
        for line in idle.out.splitlines():
            if " 0 of 0 planned" not in line:
                self.checks.fail(f"the idle run had something to do: {line}")
        self.checks.check_idle_requests(before, self.network.stats())

    def runs_are_over(self):
        for run in [one for one in self.runs if not one.running()]:
            self.runs.remove(run)
            self.ended.append(run)
        self.judge_ended()
        return not self.runs and not self.ended and self.polling is None

    def clean_run(self):
        """The first runs may meet one that is left over, and wait for its end."""
        deadline = time.time() + 240
        while True:
            run = self.start("clean", ["run", "--log-level", "debug"])
            run.tasks = list(TASKS)
            self.wait_until(lambda: not run.running(), 240, "the clean run ends")
            self.checks.judge_run(run, run.tasks, False)
            if run.code == 0:
                return
            if run.code != 4 or time.time() > deadline:
                self.checks.fail(f"the clean run ended with {run.code}, see {run.log}")
                return
            time.sleep(2)

    def check_everything(self):
        self.checks.poll(self.exporter_port)
        claims = self.checks.check_claims()
        self.checks.check_ledger_is_there()
        self.checks.check_uploads()
        self.checks.check_buckets(self.environment, self.rclone_config, self.dir / "rclone.log")
        verify = self.start("verify", ["verify"])
        self.wait_until(lambda: not verify.running(), 300, "verify ends")
        if verify.code != 0:
            self.checks.fail(f"verify ended with {verify.code}: {verify.out[-300:]}")
        bounds = self.checks.check_bounds(self.network.stats(), self.disturbances)
        states = self.postgres.psql("select state || ' ' || count(*) from bucketferry.run group by state order by 1")
        return {"runs": ", ".join(row[0] for row in states), "claims": claims, "polls": self.checks.polls,
                "judged": self.checks.judged_runs, "writes": self.source.writes, "deletes": self.source.deletes,
                "disturbances": self.disturbances, **bounds}

    def stop_workers(self):
        for worker in self.workers.values():
            worker.send(signal.SIGTERM)
        for worker in self.workers.values():
            self.wait_until(lambda: not worker.running(), 60, f"{worker.name} ends after SIGTERM")
            self.judge_worker(worker)
        self.workers = {}

    # --- the end

    def evidence(self):
        if self.postgres and self.postgres_due is None:
            self.postgres.dump(self.dir / "rows.sql")

    def tear_down(self):
        for child in self.children:
            child.kill()
        if self.network:
            self.network.stop()
        if self.postgres:
            self.postgres.stop()
        if self.stores:
            self.stores.stop()


def carry_out(arguments, directory):
    """What is not as it should be."""
    chaos = Round(arguments, directory)
    error = None
    try:
        chaos.set_up()
        for number in range(arguments.rounds):
            chaos.bad_time(arguments.minutes * 60)
            chaos.quiet_time()
            figures = chaos.check_everything()
            text = " ".join(f"{name}={value}" for name, value in figures.items())
            chaos.events.say(f"round {number + 1}: {text}")
            print(f"chaos: seed {arguments.seed} round {number + 1}: {text}", flush=True)
            if chaos.checks.failures:
                break
        chaos.stop_workers()
        chaos.checks.check_logs(directory, [value for name, value in chaos.environment.items()
                                            if name.endswith("SECRET_KEY")])
    except Exception as caught:
        error = f"the driver itself: {caught!r}"
        chaos.events.say(traceback.format_exc().replace("\n", " | "))
    failures = (chaos.checks.failures if chaos.checks else []) + ([error] if error else [])
    try:
        if failures:
            chaos.evidence()
    finally:
        chaos.tear_down()
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--build", required=True)
    parser.add_argument("--small", type=int, default=200, help="small objects at the beginning")
    parser.add_argument("--large", type=int, default=6, help="large objects at the beginning")
    parser.add_argument("--rate", type=float, default=4, help="MiB/s that are written to the source")
    parser.add_argument("--every", type=float, default=1.5, help="mean seconds between disturbances")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = secrets.randbelow(1000000)
    arguments.build = Path(arguments.build).resolve()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    directory = tempfile.mkdtemp(prefix="bucketferry-chaos.")
    os.chmod(directory, 0o711)  # PostgreSQL's user goes through it
    print(f"chaos: seed {arguments.seed}, directory {directory}", flush=True)
    good, keep = False, arguments.keep
    try:
        failures = carry_out(arguments, directory)
        for failure in failures[:20]:
            print(f"chaos: FAILURE {failure}", file=sys.stderr)
        good = not failures
        keep = keep or not good
    finally:
        if keep:
            print(f"chaos: seed {arguments.seed}: logs and rows are in {directory}", file=sys.stderr)
        else:
            remove(directory)
    print(f"chaos: seed {arguments.seed}: {'all is well' if good else 'FAILED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
