#!/usr/bin/python3
"""A long link on one machine: two network namespaces with wan_link between them.

    long_link.py [--build DIR] [--rtt-ms M] [--rate-mbit R] [--loss L] [--queue-bytes Q] [--seed S] COMMAND...

runs COMMAND at the near end, with WAN_FAR_ADDRESS and WAN_FAR_NAMESPACE in its environment (`ip netns
exec $WAN_FAR_NAMESPACE ...` runs at the far end), or measures the link itself when there is none.
Needs root. Nothing outside of the two namespaces can reach either, and both go away with the command.
"""
import argparse
import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

STREAM = pathlib.Path(__file__).resolve().with_name("stream.py")
NEAR_ADDRESS, FAR_ADDRESS = "10.231.0.1", "10.231.0.2"
CONGESTION_CONTROL = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control")
ALLOWED = pathlib.Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control")
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1


class NoLink(Exception):
    pass


@dataclasses.dataclass
class LinkOptions:
    rtt_ms: float = 200
    rate_mbit: float = 400
    loss: float = 0.005  # in each direction
    queue_bytes: int = 0  # 0: what the link holds in a round trip
    seed: int = 1

    def __str__(self):
        return f"{self.rtt_ms:g} ms round trip, {self.loss * 100:g} % loss, {self.rate_mbit:g} Mbit/s"


class LongLink:
    """Up between __enter__ and __exit__. The calling process stays where it is until `at_near_end`."""

    def __init__(self, program, options=LinkOptions()):
        self.program, self.options = program, options
        self.near, self.far = f"ferry-near-{os.getpid()}", f"ferry-far-{os.getpid()}"
        self.process = self.counts = None

    def __enter__(self):
        try:
            self._bring_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None:
            with contextlib.suppress(ValueError, subprocess.TimeoutExpired):
                self.process.terminate()
                self.counts = json.loads(self.process.communicate(timeout=10)[0].splitlines()[-1])
            self.process.kill()
            self.process.wait()
        for namespace in (self.near, self.far):
            subprocess.run(["ip", "netns", "delete", namespace], stderr=subprocess.DEVNULL, check=False)

    def at_near_end(self):
        """This thread, and every process that it starts, is at the near end meanwhile."""
        return in_network(self.near)

    def at_far_end(self, *command):
        return ["ip", "netns", "exec", self.far, *map(str, command)]

    def forget(self):
        """What the kernels at both ends have learnt of the path is a help, or a burden, to nobody after."""
        for namespace in (self.near, self.far):
            run("ip", "-n", namespace, "tcp_metrics", "flush")

    def cpu_seconds(self):
        """That the emulator has used so far. The kernel's work to receive what it delivers is in it."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        return sum(map(int, stat.rpartition(") ")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def far_received_bytes(self):
        """What has come in at the far end so far, with all headers, and with what came twice."""
        device = json.loads(run("ip", "-n", self.far, "-j", "-s", "link", "show", "wan"))[0]
        return device["stats64"]["rx"]["bytes"]

    def connect_seconds(self):
        """The round trip as TCP sees it: the least of a few connects, and their median."""
        with self._receiver(seconds=30) as (_, port):
            said = self._send(port, "--connects", 9)
        times = sorted(json.loads(said))
        return times[0], statistics.median(times)

    def stream_mbit(self, streams=1, seconds=10, congestion_control="bbr"):
        """What plain TCP streams bring to the far end while they are in full swing, in Mbit/s."""
        with self._receiver(seconds=seconds + 60) as (receiver, port):
            self._send(port, "--streams", streams, "--seconds", seconds,
                       "--congestion-control", congestion_control)
            return json.loads(receiver.stdout.readline())["mbit"]

    def _bring_up(self):
        delete_orphans()
        for namespace in (self.near, self.far):
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
        words = [self.program, "--near", self.near, "--far", self.far]
        for field in dataclasses.fields(self.options):
            words += ["--" + field.name.replace("_", "-"), getattr(self.options, field.name)]
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        if self.process.stdout.readline() != "ready\n":
            raise NoLink(f"{self.program} does not get ready")
        for namespace, address in ((self.near, NEAR_ADDRESS), (self.far, FAR_ADDRESS)):
            run("ip", "-n", namespace, "address", "add", f"{address}/30", "dev", "wan")
            # The device's own queue must not be what drops: no line has one so short.
            run("ip", "-n", namespace, "link", "set", "wan", "mtu", 1500, "txqueuelen", 20000, "up")
        with allowed("cubic"):
            for namespace in (self.near, self.far):
                with in_network(namespace):
                    CONGESTION_CONTROL.write_text("cubic", encoding="ascii")

    @contextlib.contextmanager
    def _receiver(self, seconds):
        receiver = subprocess.Popen(self.at_far_end(sys.executable, "-B", STREAM, "receive", FAR_ADDRESS),
                                    stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        try:
            yield receiver, int(receiver.stdout.readline())
        finally:
            receiver.kill()
            receiver.communicate(timeout=seconds)

    def _send(self, port, *options):
        with self.at_near_end():
            return run(sys.executable, "-B", STREAM, "send", FAR_ADDRESS, port, *options)


@contextlib.contextmanager
def in_network(namespace):
    with open("/proc/thread-self/ns/net", "rb") as home, open(f"/run/netns/{namespace}", "rb") as there:
        enter_network(there)
        try:
            yield
        finally:
            enter_network(home)


@contextlib.contextmanager
def allowed(congestion_control):
    """A namespace may have as its default only what the host lets everybody use; most hosts do cubic."""
    before = ALLOWED.read_text(encoding="ascii")
    if congestion_control in before.split():
        yield
        return
    ALLOWED.write_text(f"{before.strip()} {congestion_control}", encoding="ascii")
    try:
        yield
    finally:
        ALLOWED.write_text(before, encoding="ascii")


def delete_orphans():
    """The namespaces of processes that were killed. What ran in them has died with these."""
    for path in pathlib.Path("/run/netns").glob("ferry-*-*"):
        if not pathlib.Path("/proc", path.name.rpartition("-")[2]).exists():
            run("ip", "netns", "delete", path.name)


def enter_network(file):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
        raise NoLink(f"setns {file.name}: {os.strerror(ctypes.get_errno())}")


def die_with_parent():
    # Of a group of its own: what a terminal sends to the bench must not end the link before it.
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def run(*command):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise NoLink(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def measure(link):
    """Says what the link does, beside what it should; False: it is not what it should be."""
    least, median = link.connect_seconds()
    print(f"{link.options}")
    print(f"connect: {least * 1e3:.1f} ms at least, {median * 1e3:.1f} ms in the median")
    good = abs(median * 1e3 - link.options.rtt_ms) < 3
    for congestion_control, streams in (("bbr", 1), ("bbr", 8), ("cubic", 1), ("cubic", 8)):
        link.forget()
        began, used = time.monotonic(), link.cpu_seconds()
        mbit = link.stream_mbit(streams, 12, congestion_control)
        cpu = (link.cpu_seconds() - used) / (time.monotonic() - began)
        print(f"{congestion_control}, streams: {streams}: {mbit:.0f} Mbit/s, "
              f"{mbit / link.options.rate_mbit:.0%} of the rate; emulator: {cpu:.0%} of a core", flush=True)
        good = good and mbit <= link.options.rate_mbit
    return good


def leave(number, _):
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", type=pathlib.Path, default=STREAM.parents[2] / "build")
    for field in dataclasses.fields(LinkOptions):
        parser.add_argument("--" + field.name.replace("_", "-"), type=field.type, default=field.default)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    options = LinkOptions(*(getattr(arguments, field.name) for field in dataclasses.fields(LinkOptions)))
    with LongLink(arguments.build / "wan_link", options) as link:
        if arguments.command:
            environment = os.environ | {"WAN_FAR_ADDRESS": FAR_ADDRESS, "WAN_FAR_NAMESPACE": link.far}
            with link.at_near_end():
                code = subprocess.run(arguments.command, env=environment, check=False).returncode
        else:
            code = 0 if measure(link) else 1
    print(f"link: {json.dumps(link.counts)}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
