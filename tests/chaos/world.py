"""The processes of a chaos round: two S3 servers, PostgreSQL, the bad network, bucketferry's programs.

Everything dies with the driver, also when that is killed: children by PR_SET_PDEATHSIG (start them from
the main thread only: it is the thread's death that counts), the S3 servers by --watch-pid.
"""
import ctypes
import json
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
RGW = HERE.parent / "servers" / "rgw"
PG_BIN = Path("/usr/lib/postgresql/15/bin")
_libc = ctypes.CDLL(None, use_errno=True)


def dies_with_us(with_signal=signal.SIGKILL):
    parent = os.getpid()

    def prepare():
        _libc.prctl(1, int(with_signal))
        if os.getppid() != parent:
            os._exit(1)
    return prepare


class Events:
    """The log of what happened: a line each, with the seconds since the beginning."""

    def __init__(self, path, seed):
        self._file, self._seed, self._began = open(path, "a"), seed, time.time()
        self._lock = threading.Lock()

    def say(self, text):
        with self._lock:
            now = time.time()
            print(f"{now:.3f} +{now - self._began:.1f} seed={self._seed} {text}", file=self._file, flush=True)


class Child:
    """A program of ours that is started, killed, paused, and ends with some exit code."""

    def __init__(self, name, words, log, environment, events):
        self.name, self.words, self.log = name, [str(word) for word in words], Path(log)
        self._events = events
        self.began, self.ended, self.code = time.time(), None, None
        self.signals = set()  # what we sent that ends it
        self.first_signal_at = None
        self.paused_until = None
        self.was_paused = 0.0
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=out, env=environment, preexec_fn=dies_with_us())
        self.out = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        events.say(f"start {name} pid={self.process.pid} {shlex.join(self.words[1:])[:200]}")

    def _read(self):
        self.out = self.process.stdout.read().decode(errors="replace")

    def running(self):
        """Also notes its end."""
        if self.code is None and self.process.poll() is not None:
            self._reader.join()
            self.code, self.ended = self.process.returncode, time.time()
            self._events.say(f"end {self.name} pid={self.process.pid} exit={self.code} "
                             f"{' | '.join(self.out.splitlines())[:300]}")
        return self.code is None

    def send(self, number):
        if not self.running():
            return
        self._events.say(f"signal {self.name} pid={self.process.pid} {signal.Signals(number).name}")
        self.first_signal_at = self.first_signal_at or time.time()
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.signals.add(number)
        self.process.send_signal(number)

    def was_ended_by_us(self):
        """At once: by kill -9, or by SIGTERM when it was ended or paused in its first moments."""
        return ((self.code == -signal.SIGKILL and signal.SIGKILL in self.signals)
                or (self.code == -signal.SIGTERM and signal.SIGTERM in self.signals
                    and self.first_signal_at - self.began < 1))

    def pause(self, seconds):
        if self.paused_until is None:
            self.send(signal.SIGSTOP)
            self.paused_until = time.time() + seconds
            self.was_paused = max(self.was_paused, seconds)

    def resume_when_due(self, at_once=False):
        if self.paused_until is not None and (at_once or time.time() >= self.paused_until):
            self.paused_until = None
            self.send(signal.SIGCONT)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Stores:
    """src and dst, each a whole Ceph of its own; their gateways can be killed."""

    def __init__(self, directory, events):
        self._dir, self._events = directory, events
        subprocess.run([RGW, "start", directory, "--watch-pid", str(os.getpid())], check=True,
                       stdout=subprocess.DEVNULL)
        self.environment = {}
        for line in (Path(directory) / "env").read_text().splitlines():
            name, _, value = line.partition("=")
            self.environment[name] = shlex.split(value)[0]
        self._down, self._starting = set(), {}

    def endpoint(self, side):
        return self.environment[f"{side.upper()}_ENDPOINT"]

    def is_away(self, side):
        return side in self._down or (side in self._starting and self._starting[side].poll() is None)

    def kill(self, side):
        self._events.say(f"kill -9 rgw {side}")
        self._down.add(side)
        subprocess.run([RGW, "gateway", self._dir, side, "kill"], check=True)

    def start(self, side):
        self._events.say(f"start rgw {side}")
        self._down.discard(side)
        self._starting[side] = subprocess.Popen([RGW, "gateway", self._dir, side, "start"])

    def wait_started(self):
        for side, starter in self._starting.items():
            if starter.wait(60) != 0:
                raise RuntimeError(f"the gateway of {side} does not start again")
        self._starting = {}

    def stop(self):
        subprocess.run([RGW, "stop", self._dir], check=False)


class Postgres:
    """A private cluster on loopback. As root it runs as another user, which PostgreSQL insists on."""

    def __init__(self, directory, events):
        self._dir, self._events = Path(directory), events
        self._dir.mkdir()
        self._user = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(self._dir, entry.pw_uid, entry.pw_gid)
            self._user = dict(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/", "TZ": "UTC"}
        subprocess.run([PG_BIN / "initdb", "-D", self._dir / "data", "--locale=C", "-E", "UTF8", "-U", "ferry",
                        "--auth=trust", "--no-sync"], check=True, stdout=subprocess.DEVNULL,
                       env=self.environment, cwd=self._dir, **self._user)
        self.port = free_port()
        # Killing a process loses nothing of what the kernel has: no fsync needed. Short deadlines, so
        # that a lock which nobody gives back is seen within a round.
        (self._dir / "data" / "postgresql.conf").open("a").write(
            f"\nlisten_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n"
            "fsync = off\nmax_connections = 60\nshared_buffers = 32MB\ndynamic_shared_memory_type = mmap\n"
            "log_line_prefix = '%m [%p] %a '\nlog_lock_waits = on\ndeadlock_timeout = 1s\n"
            "log_min_duration_statement = 2000\n")
        self.process = None
        self.start()
        while not self.answers():
            time.sleep(0.1)
        self.psql("create database ferry", database="postgres")

    def start(self):
        self._events.say("start postgres")
        with open(self._dir / "postgres.log", "ab") as log:
            # SIGQUIT: it takes its shared memory along.
            self.process = subprocess.Popen(
                [PG_BIN / "postgres", "-D", self._dir / "data"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self.environment, cwd=self._dir,
                preexec_fn=dies_with_us(signal.SIGQUIT), **self._user)

    def start_if_ended(self):
        """After kill -9 it refuses for as long as an old backend is there."""
        if self.process.poll() is not None:
            self.start()

    def kill(self):
        self._events.say("kill -9 postgres")
        self.process.kill()
        self.process.wait()

    def kill_backend(self, rng):
        """One of bucketferry's; PostgreSQL then restarts by itself."""
        pids = self.psql("select pid from pg_stat_activity where datname = 'ferry' and pid <> pg_backend_pid()")
        if pids:
            pid = int(rng.choice(pids)[0])
            self._events.say(f"kill -9 postgres backend {pid}")
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def answers(self):
        return subprocess.run([PG_BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                              env=self.environment).returncode == 0

    def psql(self, sql, database="ferry", patience=30):
        """Rows as lists of texts. Straight to the server."""
        done = subprocess.run(
            [PG_BIN / "psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
             str(self.port), "-U", "ferry", "-d", database, "-c", sql],
            capture_output=True, text=True, env=self.environment, timeout=patience)
        if done.returncode != 0:
            raise DatabaseAway(done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    def dump(self, path):
        with open(path, "wb") as out:
            subprocess.run([PG_BIN / "pg_dump", "-h", "127.0.0.1", "-p", str(self.port), "-U", "ferry", "ferry"],
                           stdout=out, env=self.environment, check=False)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()


class DatabaseAway(Exception):
    pass


class Network:
    """proxy.py, and what it is told."""

    def __init__(self, directory, seed, stores, postgres, events):
        self._events, self._lock = events, threading.Lock()
        ends = [f"{side}=http:{stores.endpoint(side).removeprefix('http://')}" for side in ("src", "dst")]
        ends.append(f"pg=tcp:127.0.0.1:{postgres.port}")
        self._log = open(Path(directory) / "proxy.log", "ab")
        self.process = subprocess.Popen(
            [sys.executable, HERE / "proxy.py", str(seed), Path(directory) / "network.log", *ends],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, bufsize=1,
            preexec_fn=dies_with_us())
        self.ports = json.loads(self.process.stdout.readline())

    def _tell(self, order):
        with self._lock:
            print(json.dumps(order), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())

    def tell(self, what, at, **more):
        self._events.say(f"network {at} {what} {more if more else ''}".rstrip())
        self._tell({"do": what, "at": at, **more})

    def calm(self):
        for side in ("src", "dst", "pg"):
            self.tell("weather", side, odds=0, latency=0, rate=0)
            self.tell("refuse", side, on=False)
            self.tell("stall", side, on=False)

    def stats(self):
        return self._tell({"do": "stats"})

    def stop(self):
        self.process.kill()
        self.process.wait()


def free_port():
    import random
    import socket
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def remove(directory):
    shutil.rmtree(directory, ignore_errors=True)
