"""Running programs: what is measured, what is not, and how all of it ends."""
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time

# Nothing may hang: no single command takes longer than this.
SECONDS_MAX = 900
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CannotMeasure(Exception):
    pass


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def size(name, usual):
    """Of a work: what is usual, or for a trial of the bench itself BUCKETFERRY_BENCH_<name>."""
    return int(os.environ.get(f"BUCKETFERRY_BENCH_{name}", usual))


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


def stop(process):
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def leave(number, _):
    """Once: a second signal must not cut the cleaning up short."""
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)
