"""One request as it came: its parts decoded once, and which provider, bucket and key it means."""
import re
from urllib.parse import unquote_to_bytes

from answers import S3Error
from habits import PROVIDERS


class Request:
    """Header values are text that stands for Latin-1 bytes; keys and query values are bytes."""

    def __init__(self, method, target, headers):
        self.method = method
        self.target = target
        self.headers = headers  # [(lower-case name, value)], as sent
        self.body = b""
        raw_path, _, raw_query = target.partition("?")
        self.path = unquote_to_bytes(raw_path)  # '+' is a plus: s3.md 1.5
        self.query = []
        for pair in raw_query.split("&") if raw_query else []:
            name, _, value = pair.partition("=")
            self.query.append((unquote_to_bytes(name), unquote_to_bytes(value)))
        self.habits = None
        self.bucket = None  # text
        self.key = b""
        self.virtual_host = False
        self.operation = "?"
        self._locate()

    def header(self, name, default=""):
        values = [value for known, value in self.headers if known == name]
        return ",".join(values) if values else default

    def has_header(self, name):
        return any(known == name for known, _ in self.headers)

    def headers_under(self, *prefixes):
        return [(name, value) for name, value in self.headers if name.startswith(prefixes)]

    def param(self, name, default=None):
        """A query value as bytes, or the default."""
        for known, value in self.query:
            if known == name.encode():
                return value
        return default

    def number(self, name, default, highest):
        text = self.param(name)
        if text is None or text == b"":
            return default
        if not re.fullmatch(rb"\d{1,10}", text):
            raise S3Error(400, "InvalidArgument", f"Provided {name} not an integer or within "
                                                  "integer range")
        return min(int(text), highest)

    def _locate(self):
        """<provider>.localhost/bucket/key or <bucket>.<provider>.localhost/key."""
        host = re.sub(r":\d+$", "", self.header("host").lower())
        labels = host.split(".")
        if len(labels) < 2 or labels[-1] != "localhost" or labels[-2] not in PROVIDERS:
            return
        self.habits = PROVIDERS[labels[-2]]
        path = self.path[1:]
        if len(labels) > 2:
            self.virtual_host = True
            self.bucket, self.key = ".".join(labels[:-2]), path
            return
        bucket, _, self.key = path.partition(b"/")
        self.bucket = bucket.decode("latin-1") or None
