"""One invocation of the benches: its work directory, its servers, and its timed runs."""
import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import request_count
from programs import SECONDS_MAX, CannotMeasure, call, clean_environment, die_with_parent, say, stop
from wan.long_link import FAR_ADDRESS, LongLink

ROOT = pathlib.Path(__file__).resolve().parent.parent
RGW = ROOT / "tests/servers/rgw"
FILL = ROOT / "tests/servers/fill_bucket.py"
MIB = 1 << 20


@dataclasses.dataclass
class Sample:
    wall: float
    cpu: float  # user and system, with the children that were waited for
    memory: float  # MiB, the largest process
    database_cpu: float = None
    requests: int = None  # that the servers were sent
    rows: int = None  # that the database inserted, updated or deleted
    finished: bool = True
    log: pathlib.Path = None  # what it printed
    # Over a long link: what the emulator took, and what came in at the far end until the run ended.
    link_cpu: float = None
    received: int = None


class Bench:
    """Servers, work directory and cleaning up of one invocation."""

    def __init__(self, build, runs, stack):
        self.build, self.runs, self.stack = build, runs, stack
        # PostgreSQL runs as another user where we are root, and must reach its directory.
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="bucketferry-bench-"))
        self.work.chmod(0o711)
        stack.callback(shutil.rmtree, self.work, ignore_errors=True)
        self.stores = self.work / "stores"
        stack.callback(self._stop_stores)
        self.source_content = self.link = None
        self.synthetics = []  # (process, endpoint)
        self.count = 0

    def new_name(self, what):
        self.count += 1
        return f"{what}-{self.count}"

    @contextlib.contextmanager
    def over(self, options):
        """Meanwhile all that is started is at the near end of a long link, but destinations at its far end."""
        with LongLink(self.build / "wan_link", options) as link:
            self._stop_stores()
            with link.at_near_end():
                self.link = link
                try:
                    yield link
                finally:
                    self.link = None
                    self._stop_stores()

    # ---- Programs ----------------------------------------------------------------------------

    def background(self, *command):
        command = [str(word) for word in command]
        log = self.work / (self.new_name(pathlib.Path(command[0]).name) + ".log")
        with open(log, "w", encoding="utf-8") as out:
            process = subprocess.Popen(command, env=clean_environment(),
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                       start_new_session=True, preexec_fn=die_with_parent)
        self.stack.callback(stop, process)
        return process, log

    def timed(self, *command, env=None, stdin=subprocess.DEVNULL, give_up_after=None):
        """One measured run. GNU time is between us: a child begins with its parent's peak memory.

        What does not end in `give_up_after` seconds is interrupted, and then counts as not finished.
        """
        command = [str(word) for word in command]
        name = self.new_name(pathlib.Path(command[0]).name)
        figures, log = self.work / f"{name}.time", self.work / f"{name}.log"
        requests = self._requests_so_far()
        link = self._link_counts(new_path=True)
        with open(log, "w", encoding="utf-8") as out:
            began = time.monotonic()
            process = subprocess.Popen(["/usr/bin/time", "-o", str(figures), "-f", "%U %S %M", *command],
                                       env=env or clean_environment(), stdin=stdin, stdout=out,
                                       stderr=subprocess.STDOUT, start_new_session=True)
            finished = ended_within(process, give_up_after or SECONDS_MAX)
            wall = time.monotonic() - began
        link = [after - before for before, after in zip(link, self._link_counts())]
        if not finished:
            end_group(process)
        if not finished and not give_up_after:
            raise CannotMeasure(f"{command[0]} took longer than {SECONDS_MAX} s")
        if finished and process.returncode != 0:
            tail = log.read_text(encoding="utf-8", errors="replace")[-1500:].strip()
            raise CannotMeasure(f"{' '.join(command)} ended with {process.returncode}:\n{tail}")
        # Above the figures GNU time may say how the command ended.
        user, system, kib = (figures.read_text(encoding="utf-8").split() or ["nan"] * 3)[-3:]
        sample = Sample(wall, float(user) + float(system), float(kib) / 1024, finished=finished, log=log)
        if requests is not None and finished:
            sample.requests = self._requests_so_far() - requests
        if link:
            sample.link_cpu, sample.received = link
        return sample

    def _link_counts(self, new_path=False):
        if not self.link:
            return []
        if new_path:
            self.link.forget()
        return [self.link.cpu_seconds(), self.link.far_received_bytes()]

    # ---- Servers -----------------------------------------------------------------------------

    def start_store(self, name):
        """A store of that name with nothing in it."""
        call(RGW, "stop", self.stores, "--name", name)
        command = [RGW, "start", self.stores, "--name", name, "--watch-pid", os.getpid()]
        if self.link and name == "dst":
            command = self.link.at_far_end(*command, "--address", FAR_ADDRESS)
        call(*command, timeout=240)

    def _stop_stores(self):
        call(RGW, "stop", self.stores)
        self.source_content = None

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

    def synthetic(self, keys, *options, endpoint=":0", patience=5):
        """At the far end of a long link, where there is one. `endpoint`: where another one was; `patience`: seconds."""
        command = [self.build / "synthetic_list_server", "--port", endpoint.rpartition(":")[2], "--keys", keys,
                   "--prefix-dirs", 1000, *options]
        if self.link:
            command = self.link.at_far_end(*command, "--address", FAR_ADDRESS)
        process, log = self.background(*command)
        for _ in range(20 * patience):
            found = re.search(r"listening on (\S+)", log.read_text(encoding="utf-8"))
            if found:
                self.synthetics.append((process, f"http://{found[1]}"))
                return self.synthetics[-1]
            time.sleep(0.05)
        raise CannotMeasure("synthetic_list_server did not start")

    def _requests_so_far(self):
        """That all servers that run were sent; None: there are none."""
        counts = [request_count.of_gateway(path) for path in self.stores.glob("*/rgw.asok")]
        counts += [request_count.of_synthetic(endpoint) for process, endpoint in self.synthetics
                   if process.poll() is None]
        return sum(counts) if counts else None

    # ---- rclone ------------------------------------------------------------------------------

    def rclone_environment(self, stores=None):
        """`stores`: name -> (endpoint, access key, secret key); those of ours that run unless given."""
        if stores is None:
            stores = {name: self.store(name) for name in ("src", "dst") if (self.stores / name / "env").exists()}
        env = clean_environment(RCLONE_CONFIG="/dev/null")
        for name, (endpoint, access, secret) in stores.items():
            prefix = f"RCLONE_CONFIG_{name.upper()}_"
            env |= {prefix + "TYPE": "s3", prefix + "PROVIDER": "Ceph", prefix + "ENDPOINT": endpoint,
                    prefix + "ACCESS_KEY_ID": access, prefix + "SECRET_ACCESS_KEY": secret}
        return env

    def rclone(self, *command, stores=None, give_up_after=None):
        return self.timed("rclone", *command, "src:bench", "dst:bench", env=self.rclone_environment(stores),
                          give_up_after=give_up_after)

    def expect_destination(self, objects, size):
        found = json.loads(call("rclone", "size", "--json", "--fast-list", "dst:bench",
                                env=self.rclone_environment()))
        if (found["count"], found["bytes"]) != (objects, size):
            raise CannotMeasure(f"the destination holds {found['count']} objects of {found['bytes']} "
                                f"bytes in all, not {objects} of {size}")


def ended_within(process, seconds):
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    except BaseException:
        end_group(process)
        raise
    return True


def end_group(process):
    """Interrupts, so that GNU time still tells its figures, and does not wait long."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(timeout=20)
            return


def print_machine(bench, load):
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    version = call(bench.build / "bucketferry", "--version").split("\n", 1)[0]
    peer = call("rclone", "version", env=clean_environment(RCLONE_CONFIG="/dev/null")).split("\n", 1)[0]
    print(f"{datetime.date.today()}, {os.cpu_count()} cores ({model[1] if model else os.uname().machine}), "
          f"{gib:.0f} GiB, load {load:.1f} at the start, {version}, {peer}; median (least..most) of "
          f"{bench.runs} round{'s' * (bench.runs > 1)}\n")
