"""What the page is tested in: a PostgreSQL with rows, the exporter on it, and a Chromium that looks at it."""

import ctypes
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

PG_BIN = Path("/usr/lib/postgresql/15/bin")
PATIENCE = 30
# The page knows this name as another host than its own: it is not told keys.
ELSEWHERE = "elsewhere.test"
TOKEN = "let me in"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(holds, what, patience=PATIENCE):
    """What holds() returns, once that is true. Asks often: nothing else tells."""
    deadline = time.monotonic() + patience
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.05)


def dies_with_us(number):
    return lambda: ctypes.CDLL(None).prctl(1, number)  # PR_SET_PDEATHSIG


class Postgres:
    """A private cluster on loopback. As root it runs as another user, which PostgreSQL insists on."""

    def __init__(self, directory):
        self._dir = directory / "postgres"
        self._dir.mkdir()
        self._user = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(self._dir, entry.pw_uid, entry.pw_gid)
            self._user = dict(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])
        self._environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/", "TZ": "UTC"}
        subprocess.run([PG_BIN / "initdb", "-D", self._dir / "data", "--locale=C", "-E", "UTF8", "-U", "ferry",
                        "--auth=trust", "--no-sync"], check=True, stdout=subprocess.DEVNULL,
                       env=self._environment, cwd=self._dir, **self._user)
        self.port = free_port()
        with open(self._dir / "data" / "postgresql.conf", "a") as configuration:
            configuration.write(f"\nlisten_addresses = '127.0.0.1'\nport = {self.port}\nfsync = off\n"
                                "unix_socket_directories = ''\nshared_buffers = 32MB\n")
        self.start()

    @property
    def uri(self):
        return f"postgresql://ferry@127.0.0.1:{self.port}/postgres?sslmode=disable"

    def start(self):
        with open(self._dir / "log", "ab") as log:
            # SIGQUIT: it takes its shared memory along.
            self._process = subprocess.Popen(
                [PG_BIN / "postgres", "-D", self._dir / "data"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self._environment, cwd=self._dir, preexec_fn=dies_with_us(signal.SIGQUIT), **self._user)
        eventually(lambda: subprocess.run([PG_BIN / "pg_isready", "-q", "-d", self.uri]).returncode == 0,
                   "PostgreSQL answers")

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE)

    def sql(self, text):
        done = subprocess.run(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", self.uri], input=text,
                              text=True, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr}\n{text}")
        return done.stdout.strip()


class Exporter:
    def __init__(self, build, directory, postgres, tasks):
        self._dir = directory
        self.port = free_port()
        lines = [f"database: {postgres.uri}", "stores:",
                 "  overseas: {provider: s3, endpoint: 'https://127.0.0.1:1', credentials: {anonymous: true}}",
                 "  china: {provider: s3, endpoint: 'https://127.0.0.1:2', credentials: {anonymous: true}}",
                 "refresh_targets:",
                 "  gateway: {type: webhook, url: 'https://127.0.0.1:3'}",
                 "  cdn: {type: webhook, url: 'https://127.0.0.1:4'}",
                 "tasks:"]
        for name in tasks:
            lines += [f"  - name: {name}",
                      f"    source: {{store: overseas, bucket: {name}-src, prefix: 'in/'}}",
                      f"    destination: {{store: china, bucket: {name}-dst, prefix: 'from-partner/'}}",
                      "    interval: 1h", "    refresh: [gateway, cdn]"]
        self._config = directory / "bucketferry.yaml"
        self._config.write_text("\n".join(lines) + "\n")
        self._build = build
        subprocess.run([build / "bucketferry", "migrate", "--config", self._config], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.start()

    def start(self):
        environment = {**os.environ, "BUCKETFERRY_STATUS_TOKEN": TOKEN}
        with open(self._dir / "exporter.log", "ab") as log:
            self.process = subprocess.Popen(
                [self._build / "bucketferry-exporter", "--config", self._config, "--listen",
                 f"127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                preexec_fn=dies_with_us(signal.SIGKILL))
        eventually(self._answers, "the exporter listens")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def url(self, host="127.0.0.1"):
        return f"http://{host}:{self.port}/"


class Browser:
    """A Chromium with a profile of its own. Nothing but the exporter is ever asked: see requests()."""

    def __init__(self, directory):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1200,1000",
                     f"--user-data-dir={directory / 'chromium'}",
                     f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_script_timeout(PATIENCE)

    def quit(self):
        self.driver.quit()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def text(self, selector):
        """What is to be read there, of what is shown."""
        return self.run("return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility())"
                        ".map(e => e.innerText).join('\\n')", selector)

    def await_text(self, selector, wanted):
        """Waits until `wanted` is to be read there."""
        try:
            eventually(lambda: wanted in self.text(selector), wanted)
        except AssertionError:
            raise AssertionError(f"{selector} should say {wanted!r}, but says {self.text(selector)!r}") from None

    def emulate(self, scheme=None, width=None, height=1000):
        features = [{"name": "prefers-color-scheme", "value": scheme or "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        if width is None:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        else:
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def picture(self, path):
        """Of the whole page, not of the window."""
        import base64
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    def complaints(self):
        """What it wrote to its console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def hosts_asked(self):
        """Where it sent requests since the last call."""
        hosts = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = urlsplit(message["params"]["request"]["url"])
                if url.scheme not in ("data", "about", "chrome"):
                    hosts.add(url.netloc)
        return hosts


class World:
    def __init__(self, build, tasks):
        self.directory = Path(tempfile.mkdtemp(prefix="ferry-page."))
        self.directory.chmod(0o755)
        self.postgres = self.exporter = self.browser = None
        try:
            self.postgres = Postgres(self.directory)
            self.exporter = Exporter(build, self.directory, self.postgres, tasks)
            self.browser = Browser(self.directory)
        except BaseException:
            self.close()
            raise

    def close(self):
        for part, end in ((self.browser, "quit"), (self.exporter, "stop"), (self.postgres, "stop")):
            if part is not None:
                getattr(part, end)()
        shutil.rmtree(self.directory, ignore_errors=True)
