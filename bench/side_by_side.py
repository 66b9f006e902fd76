#!/usr/bin/python3
"""Runs bucketferry and rclone in turn between the same two servers, and prints one table.

Called by bench/run, which has installed and built what is needed. What is measured, and how, is in
bench/README.md. Each timed run of a copy gets a destination server of its own, just started, so that
no run pays for what another one left behind.
"""
import argparse
import contextlib
import ctypes
import dataclasses
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
RGW = ROOT / "tests/servers/rgw"
FILL = ROOT / "tests/servers/fill_bucket.py"
NAMES = ["small", "idle", "large", "verify", "memory", "micro"]
MIB = 1 << 20

SMALL_OBJECTS, SMALL_BYTES, SMALL_PREFIXES = 20_000, 1024, 50
LARGE_OBJECTS, LARGE_MIB = 4, 256
FEW_KEYS, MANY_KEYS = 10_000, 1_000_000

# Nothing may hang: no single command takes longer than this.
SECONDS_MAX = 900


class CannotMeasure(Exception):
    pass


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def clean_environment(**more):
    """Without proxies, and without the AWS_* and RCLONE_* settings of whoever runs the bench."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "USER") if name in os.environ}
    return {**kept, **more}


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def call(*command, env=None, timeout=SECONDS_MAX):
    """Runs what is not measured, and returns its output."""
    command = [str(word) for word in command]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, env=env or clean_environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=errors, text=True,
                                   start_new_session=True)
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException as problem:
            process.terminate()  # the servers' script cleans up behind itself
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(problem, subprocess.TimeoutExpired):
                raise CannotMeasure(f"{command[0]} took longer than {timeout} s") from None
            raise
        errors.seek(0)
        if process.returncode != 0:
            tail = (errors.read() or output)[-1500:].strip()
            raise CannotMeasure(f"{' '.join(command[:4])} ... ended with {process.returncode}:\n{tail}")
    return output


@dataclasses.dataclass
class Sample:
    wall: float
    cpu: float  # user and system, with the children that were waited for
    memory: float  # MiB, the largest process
    database_cpu: float = None
    requests: int = None
    rows: int = None  # that the database inserted, updated or deleted


class Bench:
    """Servers, work directory and cleaning up of one invocation."""

    def __init__(self, build, runs, stack):
        self.build, self.runs, self.stack = build, runs, stack
        # PostgreSQL runs as another user where we are root, and must reach its directory.
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="bucketferry-bench-"))
        self.work.chmod(0o711)
        stack.callback(shutil.rmtree, self.work, ignore_errors=True)
        self.stores = self.work / "stores"
        self.source_content = None
        self.count = 0

    def new_name(self, what):
        self.count += 1
        return f"{what}-{self.count}"

    # ---- Programs ----------------------------------------------------------------------------

    def background(self, *command):
        log = self.work / (self.new_name(pathlib.Path(command[0]).name) + ".log")
        with open(log, "w", encoding="utf-8") as out:
            process = subprocess.Popen([str(word) for word in command], env=clean_environment(),
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                       start_new_session=True, preexec_fn=die_with_parent)
        self.stack.callback(stop, process)
        return process, log

    def timed(self, *command, env=None):
        """One measured run. GNU time is between us: a child begins with its parent's peak memory."""
        command = [str(word) for word in command]
        name = self.new_name(pathlib.Path(command[0]).name)
        figures, log = self.work / f"{name}.time", self.work / f"{name}.log"
        with open(log, "w", encoding="utf-8") as out:
            began = time.monotonic()
            process = subprocess.Popen(["/usr/bin/time", "-o", str(figures), "-f", "%U %S %M", *command],
                                       env=env or clean_environment(), stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                code = process.wait(timeout=SECONDS_MAX)
            except BaseException as problem:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if isinstance(problem, subprocess.TimeoutExpired):
                    raise CannotMeasure(f"{command[0]} took longer than {SECONDS_MAX} s") from None
                raise
            wall = time.monotonic() - began
        if code != 0:
            tail = log.read_text(encoding="utf-8", errors="replace")[-1500:].strip()
            raise CannotMeasure(f"{' '.join(command)} ended with {code}:\n{tail}")
        user, system, kib = figures.read_text(encoding="utf-8").split()[-3:]
        return Sample(wall, float(user) + float(system), int(kib) / 1024)

    # ---- Servers -----------------------------------------------------------------------------

    def start_store(self, name):
        """A store of that name with nothing in it."""
        if not self.stores.exists():
            self.stack.callback(call, RGW, "stop", self.stores)
        else:
            call(RGW, "stop", self.stores, "--name", name)
        call(RGW, "start", self.stores, "--name", name, "--watch-pid", os.getpid(), timeout=240)

    def store(self, name):
        """(endpoint, access key, secret key) of a running store."""
        text = (self.stores / name / "env").read_text(encoding="utf-8")
        values = dict(re.findall(r"^\w+?_(ENDPOINT|ACCESS_KEY|SECRET_KEY)='(.*)'$", text, re.M))
        return values["ENDPOINT"], values["ACCESS_KEY"], values["SECRET_KEY"]

    def fill_source(self, content, *arguments):
        if self.source_content == content:
            return
        self.start_store("src")
        endpoint, access, secret = self.store("src")
        env = clean_environment(SRC_ENDPOINT=endpoint, SRC_ACCESS_KEY=access, SRC_SECRET_KEY=secret)
        said = call("/usr/bin/python3", "-B", FILL, "bench", "--no-awkward", *arguments, env=env)
        say(said.strip().splitlines()[-1])
        self.source_content = content

    def fresh_destination(self):
        self.start_store("dst")
        call("rclone", "mkdir", "dst:bench", env=self.rclone_environment())

    def synthetic(self, keys):
        process, log = self.background(self.build / "synthetic_list_server", "--port", 0, "--keys", keys,
                                       "--prefix-dirs", 1000)
        for _ in range(100):
            found = re.search(r"listening on (\S+)", log.read_text(encoding="utf-8"))
            if found:
                return process, f"http://{found[1]}"
            time.sleep(0.05)
        raise CannotMeasure("synthetic_list_server did not start")

    # ---- rclone ------------------------------------------------------------------------------

    def rclone_environment(self):
        env = clean_environment(RCLONE_CONFIG="/dev/null")
        for name in ("src", "dst"):
            if not (self.stores / name / "env").exists():
                continue
            endpoint, access, secret = self.store(name)
            prefix = f"RCLONE_CONFIG_{name.upper()}_"
            env |= {prefix + "TYPE": "s3", prefix + "PROVIDER": "Ceph", prefix + "ENDPOINT": endpoint,
                    prefix + "ACCESS_KEY_ID": access, prefix + "SECRET_ACCESS_KEY": secret}
        return env

    def rclone(self, *command):
        return self.timed("rclone", *command, "src:bench", "dst:bench", env=self.rclone_environment())

    def expect_destination(self, objects, size):
        found = json.loads(call("rclone", "size", "--json", "--fast-list", "dst:bench",
                                env=self.rclone_environment()))
        if (found["count"], found["bytes"]) != (objects, size):
            raise CannotMeasure(f"the destination holds {found['count']} objects of {found['bytes']} "
                                f"bytes in all, not {objects} of {size}")


class Ferry:
    """bucketferry with a configuration and a state directory of its own, and its database up."""

    def __init__(self, bench, stores, buckets, transfer=""):
        self.bench = bench
        directory = bench.work / bench.new_name("ferry")
        directory.mkdir(mode=0o711)
        directory.chmod(0o711)
        self.state = directory / "state"
        self.state.mkdir()
        self.state.chmod(0o711)
        self.config = directory / "bucketferry.yaml"
        text = f"database: embedded\nstate_dir: {self.state}\nstores:\n"
        for side, provider, (endpoint, access, secret) in zip(("src", "dst"), ("ceph", "ceph"), stores):
            text += (f"  {side}:\n    provider: {provider}\n    region: us-east-1\n    endpoint: {endpoint}\n"
                     f"    addressing: path\n    credentials:\n      access_key_id: {access}\n"
                     f"      secret_access_key: {secret}\n")
        text += (f"tasks:\n  - name: bench\n    source: {{store: src, bucket: {buckets[0]}}}\n"
                 f"    destination: {{store: dst, bucket: {buckets[1]}}}\n{transfer}")
        self.config.touch(mode=0o600)
        self.config.write_text(text, encoding="utf-8")
        self.exporter = self.port = None

    def __enter__(self):
        try:
            call(self.bench.build / "bucketferry", "migrate", "--config", self.config, timeout=60)
            self._hold_database()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        stop(self.exporter)
        # The keeper stops PostgreSQL when its last user has left.
        deadline = time.monotonic() + 20
        while self._postmaster() and time.monotonic() < deadline:
            time.sleep(0.1)
        cluster = self._cluster()
        if cluster.is_relative_to("/var/lib/bucketferry"):
            shutil.rmtree(cluster, ignore_errors=True)
        shutil.rmtree(self.config.parent, ignore_errors=True)

    def run(self):
        """One timed `bucketferry run`, and what the program and its database say of it."""
        cpu, rows = self._database_cpu(), self._database_rows()
        sample = self.bench.timed(self.bench.build / "bucketferry", "run", "--config", self.config)
        after = self._database_cpu()
        if cpu is not None and after is not None:
            sample.database_cpu = after - cpu
        status = call(self.bench.build / "bucketferry", "status", "--json", "--config", self.config)
        run = json.loads(status)["tasks"][0]["runs"][0]
        if run["state"] != "complete":
            raise CannotMeasure(f"the run is {run['state']}, not complete")
        if "requests" in run:
            sample.requests = sum(run["requests"].values())
        if rows is not None:
            time.sleep(1.5)  # sessions tell their counts once a second at most
            after = self._database_rows()
            sample.rows = None if after is None else after - rows
        return sample, run["objects"]

    def verify(self):
        """One timed `bucketferry verify --deep`, which found nothing."""
        return self.bench.timed(self.bench.build / "bucketferry", "verify", "--deep", "--config", self.config)

    def _hold_database(self):
        """The exporter keeps the embedded database up, as it does beside a scheduled batch."""
        program = self.bench.build / "bucketferry-exporter"
        for port in range(19847, 19867):
            self.exporter, log = self.bench.background(program, "--config", self.config, "--listen",
                                                       f"127.0.0.1:{port}")
            for _ in range(200):
                if self.exporter.poll() is not None:
                    break  # the port is somebody else's
                with contextlib.suppress(urllib.error.URLError, OSError):
                    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                    with opener.open(f"http://127.0.0.1:{port}/-/ready", timeout=2):
                        self.port = port
                        return
                time.sleep(0.1)
            stop(self.exporter)
        raise CannotMeasure("bucketferry-exporter does not get ready; it said:\n"
                            + log.read_text(encoding="utf-8", errors="replace")[-1500:])

    def _cluster(self):
        elsewhere = self.state / "postgres.path"
        if elsewhere.exists():
            return pathlib.Path(elsewhere.read_text(encoding="utf-8").strip())
        return self.state / "postgres"

    def _postmaster(self):
        """The lines of postmaster.pid, or None: pid, data, start, port, socket directory, ..."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            lines = (self._cluster() / "data/postmaster.pid").read_text(encoding="utf-8").splitlines()
            os.kill(int(lines[0]), 0)
            return lines
        return None

    def _database_cpu(self):
        """CPU seconds of the server so far: the postmaster, its children, and those it has reaped."""
        lines = self._postmaster()
        if not lines:
            return None
        ticks = 0
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                pid, rest = stat.read_text(encoding="utf-8", errors="replace").split(" (", 1)
                fields = rest.rpartition(") ")[2].split()
                if pid == lines[0]:
                    ticks += sum(map(int, fields[11:15]))
                elif fields[1] == lines[0]:
                    ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def _database_rows(self):
        """Rows that all databases of the server have written so far; None where we may not ask."""
        lines = self._postmaster()
        if not lines:
            return None
        query = "select sum(tup_inserted + tup_updated + tup_deleted) from pg_stat_database"
        with contextlib.suppress(CannotMeasure, ValueError):
            return int(call("psql", "-X", "-w", "-At", "-h", lines[4], "-p", lines[3], "-U", "bucketferry",
                            "-d", "template1", "-c", query, timeout=20))
        return None


def stop(process):
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# ---- What is measured ----------------------------------------------------------------------------

@dataclasses.dataclass
class Row:
    work: str
    measure: str
    ours: list
    peer: list
    ratio_max: float = None
    ours_max: float = None

    def ratio(self):
        if not self.ours or not self.peer or statistics.median(self.peer) == 0:
            return None
        return statistics.median(self.ours) / statistics.median(self.peer)

    def met(self):
        """None: nothing was promised."""
        if not self.ours or (self.ratio_max is None and self.ours_max is None):
            return None
        if self.ratio_max is not None and (self.ratio() is None or self.ratio() > self.ratio_max):
            return False
        return self.ours_max is None or statistics.median(self.ours) <= self.ours_max


def rows_of(work, ours, peer, wall=None, cpu=None, memory_max=None):
    def of(samples, field):
        values = [getattr(sample, field) for sample in samples]
        return [] if None in values else values

    rows = [Row(work, "wall s", of(ours, "wall"), of(peer, "wall"), wall),
            Row(work, "CPU s", of(ours, "cpu"), of(peer, "cpu"), cpu),
            Row(work, "database CPU s", of(ours, "database_cpu"), []),
            Row(work, "peak memory MiB", of(ours, "memory"), of(peer, "memory"), None, memory_max),
            Row(work, "requests", of(ours, "requests"), []),
            Row(work, "rows written", of(ours, "rows"), [])]
    return [row for row in rows if row.ours]


def in_turn(bench, name, ours, peer):
    """Who goes first changes from round to round, so that neither always finds the warmer machine."""
    samples = {"ours": [], "peer": []}
    for number in range(bench.runs):
        order = [("ours", ours), ("peer", peer)]
        for who, run in order if number % 2 == 0 else reversed(order):
            sample = run()
            samples[who].append(sample)
            say(f"{name}: round {number + 1} of {bench.runs}, {who}: {sample.wall:.2f} s, "
                f"CPU {sample.cpu:.2f} s, {sample.memory:.0f} MiB")
    return samples["ours"], samples["peer"]


def fill_small(bench):
    bench.fill_source("small", "--small", SMALL_OBJECTS, "--small-size", SMALL_BYTES, "--prefixes",
                      SMALL_PREFIXES, "--large")


def fill_large(bench):
    sizes = [str(LARGE_MIB)] * LARGE_OBJECTS
    bench.fill_source("large", "--small", 0, "--threads", 2, "--large", *sizes)


def copy_rounds(bench, name, objects, size, transfer, rclone_options):
    def ours():
        bench.fresh_destination()
        with Ferry(bench, (bench.store("src"), bench.store("dst")), ("bench", "bench"), transfer) as ferry:
            sample, counts = ferry.run()
        if counts["done"] != objects:
            raise CannotMeasure(f"the run counts {counts['done']} objects done, not {objects}")
        bench.expect_destination(objects, objects * size)
        return sample

    def peer():
        bench.fresh_destination()
        sample = bench.rclone("copy", *rclone_options)
        bench.expect_destination(objects, objects * size)
        return sample

    return in_turn(bench, name, ours, peer)


def small(bench):
    fill_small(bench)
    ours, peer = copy_rounds(bench, "small", SMALL_OBJECTS, SMALL_BYTES, "",
                             ("--transfers", "32", "--checkers", "16"))
    return rows_of(f"{SMALL_OBJECTS:,} x 1 KiB", ours, peer, wall=1.0, cpu=0.5)


def idle(bench):
    fill_small(bench)
    bench.fresh_destination()
    with Ferry(bench, (bench.store("src"), bench.store("dst")), ("bench", "bench")) as ferry:
        ferry.run()
        bench.expect_destination(SMALL_OBJECTS, SMALL_OBJECTS * SMALL_BYTES)

        def ours():
            sample, counts = ferry.run()
            expect_nothing_planned(counts)
            return sample

        ours, peer = in_turn(bench, "idle", ours,
                             lambda: bench.rclone("sync", "--fast-list", "--size-only"))
    rows = rows_of(f"{SMALL_OBJECTS:,} x 1 KiB, nothing to do", ours, peer, wall=1.0)
    for row in rows:
        if row.measure == "rows written":
            row.ours_max = SMALL_OBJECTS / 100
    return rows


def large(bench):
    fill_large(bench)
    ours, peer = copy_rounds(bench, "large", LARGE_OBJECTS, LARGE_MIB * MIB,
                             "transfer: {memory: 64MiB}\n", ("--transfers", str(LARGE_OBJECTS)))
    return rows_of(f"{LARGE_OBJECTS} x {LARGE_MIB} MiB, memory: 64MiB", ours, peer, cpu=0.6, memory_max=128)


def verify(bench):
    rows = []
    for work, size, content, options, goals in (
            (f"verify --deep, {LARGE_OBJECTS} x {LARGE_MIB} MiB", LARGE_OBJECTS * LARGE_MIB * MIB,
             fill_large, ("--checkers", str(LARGE_OBJECTS)), {"memory_max": 256}),
            (f"verify --deep, {SMALL_OBJECTS:,} x 1 KiB", SMALL_OBJECTS * SMALL_BYTES, fill_small,
             ("--checkers", "32"), {"wall": 1.0, "cpu": 0.5})):
        content(bench)
        bench.fresh_destination()
        with Ferry(bench, (bench.store("src"), bench.store("dst")), ("bench", "bench")) as ferry:
            _, counts = ferry.run()
            bench.expect_destination(counts["done"], size)
            ours, peer = in_turn(bench, "verify", ferry.verify,
                                 lambda options=options: bench.rclone("check", "--download", *options))
        rows += rows_of(work, ours, peer, **goals)
    return rows


def memory(bench):
    samples = {}
    for keys in (FEW_KEYS, MANY_KEYS):
        server, endpoint = bench.synthetic(keys)
        store = (endpoint, "access", "secret")
        with Ferry(bench, (store, store), ("left", "right")) as ferry:
            first, _ = ferry.run()
            say(f"memory: {keys:,} keys: adopted in {first.wall:.1f} s")
            samples[keys] = []
            for _ in range(bench.runs):
                sample, counts = ferry.run()
                expect_nothing_planned(counts)
                samples[keys].append(sample)
                say(f"memory: {keys:,} keys: {sample.wall:.2f} s, CPU {sample.cpu:.2f} s, "
                    f"{sample.memory:.1f} MiB")
        stop(server)
    few, many = samples[FEW_KEYS], samples[MANY_KEYS]
    rows = rows_of(f"idle, {MANY_KEYS:,} keys (beside: {FEW_KEYS:,})", many, few)
    for row in rows:
        if row.measure == "peak memory MiB":
            row.ratio_max = 1.2
        if row.measure == "rows written":
            row.ours_max = MANY_KEYS / 1000
    return rows


def expect_nothing_planned(counts):
    if counts["planned"] != 0:
        raise CannotMeasure(f"an idle run planned {counts['planned']} objects")


# ---- The table -----------------------------------------------------------------------------------

def figure(value):
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def figures(values):
    if not values:
        return "-"
    text = figure(statistics.median(values))
    least, most = figure(min(values)), figure(max(values))
    if least != most:
        text += f" ({least}..{most})"
    return text


def print_table(rows):
    lines = [["work", "measure", "ours", "peer", "ratio", "goal", "met"]]
    for row in rows:
        goals = [f"ratio <= {row.ratio_max:g}"] if row.ratio_max is not None else []
        goals += [f"<= {figure(row.ours_max)}"] if row.ours_max is not None else []
        ratio = row.ratio()
        lines.append([row.work, row.measure, figures(row.ours), figures(row.peer),
                      "-" if ratio is None else f"{ratio:.2f}", ", ".join(goals) or "-",
                      {None: "-", True: "yes", False: "NO"}[row.met()]])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")


def print_machine(bench, load):
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    version = call(bench.build / "bucketferry", "--version").split("\n", 1)[0]
    peer = call("rclone", "version", env=clean_environment(RCLONE_CONFIG="/dev/null")).split("\n", 1)[0]
    print(f"{datetime.date.today()}, {os.cpu_count()} cores ({model[1] if model else os.uname().machine}), "
          f"{gib:.0f} GiB, load {load:.1f} at the start, {version}, {peer}; median (least..most) of "
          f"{bench.runs} round{'s' * (bench.runs > 1)}\n")


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def leave(number, _):
    """Once: a second signal must not cut the cleaning up short."""
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(NAMES))
    arguments = parser.parse_args()
    names = arguments.names or NAMES
    if not set(names) <= set(NAMES) or arguments.runs < 1:
        parser.error(f"names are {' '.join(NAMES)}, and --runs at least 1")
    for number in SIGNALS:
        signal.signal(number, leave)
    rows, problem, load = [], None, os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        bench = Bench(arguments.build, arguments.runs, stack)
        try:
            for name in [name for name in NAMES if name in names and name != "micro"]:
                rows += {"small": small, "idle": idle, "large": large, "verify": verify, "memory": memory}[name](bench)
        except CannotMeasure as error:
            problem = error
        if rows:
            print_machine(bench, load)
            print_table(rows)
        if problem is None and "micro" in names:
            print()
            print(call(arguments.build / "store_bench", "--benchmark_min_time=0.2"), end="")
    if problem is not None:
        say(f"could not measure: {problem}")
        return 3
    return 1 if any(row.met() is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
