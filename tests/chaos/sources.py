"""The source bucket while it changes: what was ever written where, and when.

All writes go straight to the server, with boto3. A write whose answer was lost is sent again with the
same bytes until it is answered, so that afterwards it is known what is there.
"""
import hashlib
import random
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "servers"))
from fill_bucket import AWKWARD  # noqa: E402
from independent_s3 import connect, list_keys, shown  # noqa: E402

MIB = 1 << 20
PART = 5 * MIB  # bucketferry's part_size in the configuration of the round


def composite(body, part):
    digests = [hashlib.md5(body[at:at + part]).digest() for at in range(0, len(body), part)]
    return f"{hashlib.md5(b''.join(digests)).hexdigest()}-{len(digests)}"


class Version:
    """One content that a key had: from (at the latest) `since`, until the next one began."""

    def __init__(self, body, source_part):
        self.size = len(body)
        md5 = hashlib.md5(body).hexdigest()
        self.source_etag = composite(body, source_part) if source_part else md5
        # Sent whole or in parts: both are legal ways to bring it over.
        self.destination_etags = {md5, composite(body, PART)} if body else {md5}
        self.begun, self.since = time.time(), None


def client_of(environment, side):
    return connect(_Keys(side, environment), "")


class _Keys(SimpleNamespace):
    def __init__(self, side, environment):
        upper = side.upper()
        super().__init__(store=upper, endpoint=environment[f"{upper}_ENDPOINT"],
                         access_key=environment[f"{upper}_ACCESS_KEY"],
                         secret_key=environment[f"{upper}_SECRET_KEY"])


class Source:
    """The pool of keys below some prefixes, and a thread that changes them."""

    def __init__(self, client, bucket, seed, events, bytes_per_second):
        self._client, self._bucket, self._events = client, bucket, events
        self._random = random.Random(f"{seed}/source")
        self._rate = bytes_per_second
        self._lock = threading.Lock()
        self._history = {}  # key -> versions, None for a deletion
        self._halt, self._thread = threading.Event(), None
        self._keep = 0  # keys; with fewer nothing is deleted
        self.written_bytes, self.writes, self.deletes = 0, 0, 0

    # --- what checks ask

    def versions(self, key):
        with self._lock:
            return list(self._history.get(key, []))

    def standing(self, since):
        """key -> version, of keys that stand still since before that time."""
        with self._lock:
            latest = {key: versions[-1] for key, versions in self._history.items()}
        return {key: one for key, one in latest.items()
                if isinstance(one, Version) and one.since is not None and one.since < since}

    def changed_after(self, key, version):
        with self._lock:
            return self._history[key][-1] is not version

    # --- changes

    def fill(self, small, large):
        for number in range(small):
            self._put(f"{'media' if number % 3 else 'small'}/fill-{number:04d}", self._small_size())
        for key in AWKWARD + ["k" * (1024 - len("media/"))]:
            if len(key.encode()) <= 1024 - len("media/"):
                self._put("media/" + key, self._random.randrange(0, 300))
        self._put("media/" + "empty", 0)
        for number in range(large):
            self._put(f"media/large-{number}", self._large_size(), self._source_part(number))
        self._keep = len(self._history) * 3 // 4

    def start(self):
        self._halt.clear()
        self._thread = threading.Thread(target=self._change, daemon=True)
        self._thread.start()

    def halt(self):
        """It ends once the server has taken what is being written."""
        self._halt.set()

    def is_changing(self):
        return self._thread.is_alive()

    def _small_size(self):
        return self._random.choice([0, 1, 100, 1000, 1000, 5000, 5000, 70000, 70000, 300000, MIB, MIB + 1, 3 * MIB])

    def _large_size(self):
        return self._random.randrange(8 * MIB, 40 * MIB)

    def _source_part(self, number):
        """Some are whole at the source (an MD5 ETag), some in parts of ours or of other sizes."""
        return [None, PART, 7 * MIB][number % 3]

    def _change(self):
        began, before = time.monotonic(), self.written_bytes
        rng = self._random
        while not self._halt.is_set():
            allowance = before + (time.monotonic() - began) * self._rate
            dice = rng.random()
            with self._lock:
                alive = sorted(k for k, v in self._history.items() if v[-1] is not None)
                dead = sorted(k for k, v in self._history.items() if v[-1] is None)
            small = [key for key in alive if "/large-" not in key]
            large = [key for key in alive if "/large-" in key]
            if dice < 0.05 and self.written_bytes < allowance + 40 * MIB:
                key = rng.choice(large) if large and rng.random() < 0.7 else f"media/large-{rng.randrange(12)}"
                self._put(key, self._large_size(), self._source_part(rng.randrange(3)))
            elif dice < 0.50 and small and self.written_bytes < allowance + 10 * MIB:
                key = rng.choice(small)
                same = self.versions(key)[-1].size
                self._put(key, same if rng.random() < 0.4 else self._small_size())
                if rng.random() < 0.1:  # again at once: within the same second
                    self._put(key, same)
            elif dice < 0.62 and len(alive) > self._keep and self.deletes < self.writes / 3:
                self._delete(rng.choice(large if large and rng.random() < 0.1 else small))
            elif dice < 0.74 and dead:
                key = rng.choice(dead)
                size = self._large_size() if "/large-" in key else self._small_size()
                if self.written_bytes < allowance + 40 * MIB:
                    self._put(key, size, self._source_part(rng.randrange(3)) if "/large-" in key else None)
            elif len(alive) < 400:
                self._put(f"{rng.choice(['media', 'small'])}/new-{rng.randrange(2000):04d}", self._small_size())
            self._halt.wait(rng.expovariate(10))

    def _persist(self, what, act):
        for attempt in range(600):
            try:
                return act()
            except Exception as error:  # whatever boto3 throws while the server is away
                if attempt == 0:
                    self._events.say(f"source {what} waits: {type(error).__name__}")
                time.sleep(0.2)
        raise RuntimeError(f"the source server takes no writes: {what}")

    def _put(self, key, size, source_part=None):
        body = self._random.randbytes(size)
        headers = {} if size == 0 else {
            "Metadata": {"written": str(self.writes)}, "ContentType": self._random.choice(
                ["text/plain", "video/mp4", "application/x-chaos"])}
        if size and self._random.random() < 0.05 and not source_part:
            headers["Tagging"] = f"n={self.writes}&tier=a%2Bb"
        version = Version(body, source_part)
        with self._lock:
            self._history.setdefault(key, []).append(version)
        what = f"{shown(key)[:60]} {size} {version.source_etag}"
        self._persist(f"put {what}", lambda: self._send(key, body, source_part, headers))
        with self._lock:
            version.since = time.time()
        self.written_bytes += size
        self.writes += 1
        self._events.say(f"source put {what}")

    def _send(self, key, body, part, headers):
        place = {"Bucket": self._bucket, "Key": key}
        if not part:
            self._client.put_object(**place, Body=body, **headers)
            return
        upload = self._client.create_multipart_upload(**place, **headers)["UploadId"]
        parts = []
        for number, start in enumerate(range(0, len(body), part), 1):
            answer = self._client.upload_part(**place, UploadId=upload, PartNumber=number,
                                              Body=body[start:start + part])
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._client.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})

    def _delete(self, key):
        with self._lock:
            self._history[key].append(None)
        self._persist(f"delete {shown(key)[:60]}",
                      lambda: self._client.delete_object(Bucket=self._bucket, Key=key))
        self.deletes += 1
        self._events.say(f"source delete {shown(key)[:60]}")


def listed(client, bucket, prefix=""):
    """key -> ETag without its quotes."""
    return {key: etag.strip('"') for key, (_, etag) in list_keys(client, bucket, prefix).items()}
