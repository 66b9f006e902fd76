"""bucketferry as it is measured."""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import tempfile
import time
import urllib.error
import urllib.request

from programs import SECONDS_MAX, CannotMeasure, call, say, stop

# Without the settings of whoever runs the bench, and never asking for a password.
PSQL = ("psql", "-X", "-w", "-At")


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

    def run(self, command="run"):
        """One timed `bucketferry run` or `plan`, and what the program and its database say of it."""
        cpu, rows = self.database_cpu(), self._database_rows()
        sample = self.bench.timed(self.bench.build / "bucketferry", command, "--config", self.config)
        after = self.database_cpu()
        if cpu is not None and after is not None:
            sample.database_cpu = after - cpu
        status = call(self.bench.build / "bucketferry", "status", "--json", "--config", self.config)
        run = json.loads(status)["tasks"][0]["runs"][0]
        # Jobs that are planned wait for workers, and nobody is there.
        expected = {"run": "complete", "plan": "interrupted"}[command]
        if run["state"] != expected:
            raise CannotMeasure(f"the run is {run['state']}, not {expected}")
        told = sum(run["requests"].values())
        if told != sample.requests:
            say(f"status tells of {told:,} requests, the servers were sent {sample.requests:,}")
        if rows is not None:
            time.sleep(1.5)  # sessions tell their counts once a second at most
            after = self._database_rows()
            sample.rows = None if after is None else after - rows
        return sample, run["objects"]

    def verify(self):
        """One timed `bucketferry verify --deep`, which found nothing."""
        return self.bench.timed(self.bench.build / "bucketferry", "verify", "--deep", "--config", self.config)

    def sql(self, text, timeout=SECONDS_MAX):
        """What psql prints of a script, without headers."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as script:
            script.write(text)
            script.flush()
            return call(*self.psql(), "-v", "ON_ERROR_STOP=1", "-f", script.name, timeout=timeout)

    def psql(self):
        """The command that reaches our database, to be given -c or -f."""
        return [*PSQL, "-d", self.database_uri()]

    def database_uri(self):
        """Of the database that holds our schema."""
        lines = self._postmaster()
        if not lines:
            raise CannotMeasure("the database is not running")
        server = f"host={lines[4]} port={lines[3]} user=bucketferry"
        names = call(*PSQL, "-d", f"{server} dbname=template1", "-c",
                     "select datname from pg_database where not datistemplate", timeout=20).split()
        for name in names:
            uri = f"{server} dbname={name}"
            found = call(*PSQL, "-d", uri, "-c", "select to_regclass('bucketferry.task') is not null",
                         timeout=20)
            if found.strip() == "t":
                return uri
        raise CannotMeasure(f"the schema is in none of {names}")

    def database_cpu(self):
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

    def _hold_database(self):
        """The exporter keeps the embedded database up, as it does beside a scheduled batch."""
        program, log = self.bench.build / "bucketferry-exporter", None
        for port in range(19847, 19867):
            if is_taken(port):
                continue  # who listens there would answer for ours
            self.exporter, log = self.bench.background(program, "--config", self.config, "--listen",
                                                       f"127.0.0.1:{port}")
            for _ in range(200):
                if self.exporter.poll() is not None:
                    break  # somebody was faster
                with contextlib.suppress(urllib.error.URLError, OSError):
                    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                    with opener.open(f"http://127.0.0.1:{port}/-/ready", timeout=2):
                        self.port = port
                        return
                time.sleep(0.1)
            stop(self.exporter)
        said = log.read_text(encoding="utf-8", errors="replace")[-1500:] if log else "nothing: no port is free"
        raise CannotMeasure(f"bucketferry-exporter does not get ready; it said:\n{said}")

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

    def _database_rows(self):
        """Rows that all databases of the server have written so far; None where we may not ask."""
        lines = self._postmaster()
        if not lines:
            return None
        query = "select sum(tup_inserted + tup_updated + tup_deleted) from pg_stat_database"
        with contextlib.suppress(CannotMeasure, ValueError):
            return int(call(*PSQL, "-d", f"host={lines[4]} port={lines[3]} user=bucketferry dbname=template1",
                            "-c", query, timeout=20))
        return None


def is_taken(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
