"""What the server holds: providers, their buckets, and in these versions of objects and uploads."""
import base64
import bisect
import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field

import crc
from answers import S3Error

BODY_BYTES_MAX = 256 << 20
_ALL_BYTES_MAX = 2 << 30

# What travels with an object beside x-amz-meta-*.
SYSTEM_HEADERS = ("content-type", "content-encoding", "content-disposition", "content-language",
                  "cache-control", "expires", "x-amz-website-redirect-location")


@dataclass
class Attributes:
    """What a request says of an object besides its bytes; the same of PUT, Create and Copy."""

    headers: list = field(default_factory=list)  # SYSTEM_HEADERS and x-amz-meta-*, as sent
    tags: list = field(default_factory=list)  # (name, value), text
    storage_class: str = "STANDARD"
    sse: dict = field(default_factory=dict)
    acl: dict = field(default_factory=dict)
    lock: dict = field(default_factory=dict)

    def header(self, name):
        return next((value for known, value in self.headers if known == name), "")

    def kms(self):
        return self.sse.get("x-amz-server-side-encryption", "").startswith("aws:kms")

    def hides_md5(self):
        return self.kms() or "x-amz-server-side-encryption-customer-algorithm" in self.sse


@dataclass(eq=False)
class StoredObject:
    """A version, or a delete marker."""

    attributes: Attributes
    body: bytes = b""
    etag: str = ""
    multipart: bool = False
    delete_marker: bool = False
    version_id: str = "null"
    modified: float = 0
    checksum: tuple = ()  # (algorithm, text, FULL_OBJECT or COMPOSITE) of x-amz-checksum-*
    restore: str = ""  # "", "ongoing", "done"
    generation: int = 0
    _digests: dict = field(default_factory=dict)

    def digest(self, name):
        """md5, crc32c or crc64ecma of the bytes, once computed kept: bytes or a number."""
        if name not in self._digests:
            self._digests[name] = (hashlib.md5(self.body).digest() if name == "md5"
                                   else getattr(crc, name)(self.body))
        return self._digests[name]


@dataclass
class Part:
    body: bytes
    etag: str
    md5: bytes
    modified: float
    checksum: tuple = ()


@dataclass
class Upload:
    key: bytes
    upload_id: str
    attributes: Attributes
    initiated: float
    algorithm: str = ""  # of the checksum that was asked for
    checksum_type: str = ""
    parts: dict = field(default_factory=dict)  # number -> Part


def single_etag(habits, body, attributes):
    if attributes.hides_md5():
        return secrets.token_hex(16)
    if habits.etag == "kodo":
        return _kodo_hash(body)
    digits = hashlib.md5(body).hexdigest()
    return digits.upper() if habits.etag == "upper" else digits


def multipart_etag(habits, parts, attributes):
    count = len(parts)
    if habits.multipart_etag == "kodo":
        return "l" + secrets.token_urlsafe(20)[:27]
    if habits.multipart_etag == "gcs":
        return "-" + base64.b64encode(secrets.token_bytes(11)).decode()
    if habits.multipart_etag == "md5-n" and not attributes.hides_md5():
        return hashlib.md5(b"".join(part.md5 for part in parts)).hexdigest() + f"-{count}"
    digits = secrets.token_hex(16)
    return (digits.upper() if habits.multipart_etag == "upper-n" else digits) + f"-{count}"


def _kodo_hash(body):
    """qiniu/qetag: SHA-1 of the bytes, or of the SHA-1s of blocks of 4 MiB; a letter says which."""
    block = 4 << 20
    sums = [hashlib.sha1(body[at:at + block]).digest() for at in range(0, len(body), block)]
    if len(sums) > 1:
        return base64.urlsafe_b64encode(b"\x96" + hashlib.sha1(b"".join(sums)).digest()).decode()
    return base64.urlsafe_b64encode(b"\x16" + hashlib.sha1(body).digest()).decode()


class Bucket:
    def __init__(self, name, memory, lock_enabled=False):
        self.name = name
        self.created = time.time()
        self.versioning = "Enabled" if lock_enabled else ""  # or Suspended
        self.lock_enabled = lock_enabled
        self.requester_pays = False
        self.keys = []  # sorted, bytes
        self.versions = {}  # key -> [StoredObject], the newest first
        self.uploads = {}  # id -> Upload
        self.completed = {}  # upload id -> (request body, answer), of repeated Completes
        self._memory = memory

    def latest(self, key):
        versions = self.versions.get(key)
        return versions[0] if versions else None

    def version(self, key, version_id):
        return next((one for one in self.versions.get(key, ()) if one.version_id == version_id),
                    None)

    def add(self, key, stored):
        """Makes it the latest version; without versioning it replaces the null version."""
        self._memory.take(len(stored.body))
        stored.modified = time.time()
        stored.generation = time.time_ns() // 1000
        if self.versioning == "Enabled":
            stored.version_id = secrets.token_hex(16)
        else:
            stored.version_id = "null"
            self.remove(key, "null")
        if key not in self.versions:
            self.versions[key] = []
            bisect.insort(self.keys, key)
        self.versions[key].insert(0, stored)

    def remove(self, key, version_id):
        """The version that was removed, or None."""
        stored = self.version(key, version_id)
        if stored is None:
            return None
        self._memory.give(len(stored.body))
        self.versions[key].remove(stored)
        if not self.versions[key]:
            del self.versions[key]
            del self.keys[bisect.bisect_left(self.keys, key)]
        return stored

    def add_part(self, upload, number, part):
        self._memory.take(len(part.body))
        old = upload.parts.get(number)
        if old is not None:
            self._memory.give(len(old.body))
        upload.parts[number] = part

    def drop_upload(self, upload):
        self._memory.give(sum(len(part.body) for part in upload.parts.values()))
        del self.uploads[upload.upload_id]


class Memory:
    """Bytes of all objects and parts."""

    def __init__(self):
        self._used = 0
        self._lock = threading.Lock()

    def take(self, count):
        with self._lock:
            if self._used + count > _ALL_BYTES_MAX:
                raise S3Error(503, "SlowDown", "Please reduce your request rate.")
            self._used += count

    def give(self, count):
        with self._lock:
            self._used -= count


class Provider:
    """The buckets of one provider, and how often each operation was asked for."""

    def __init__(self, habits, memory):
        self.habits = habits
        self.memory = memory
        self.buckets = {}
        self.requests = {}  # "METHOD operation" -> count
        self.lock = threading.Lock()  # held while an operation runs
