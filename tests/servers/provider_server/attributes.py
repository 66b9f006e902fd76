"""Reads what a PUT, a Create or a Copy says of an object, and writes it into answers."""
import base64
import calendar
import re
import time
from urllib.parse import unquote_plus

from answers import S3Error, refused
from bucket import SYSTEM_HEADERS, Attributes
from habits import NOT_IMPLEMENTED

_TAGS_MAX = 10  # s3.md 5.7
_ENCODED_WORD = re.compile(r"=\?UTF-8\?([QB])\?([^?]*)\?=", re.IGNORECASE)


def read(request, bucket):
    habits = request.habits
    attributes = Attributes(headers=_headers(request), tags=_tags(request))
    attributes.storage_class = request.header("x-amz-storage-class", "STANDARD")
    if habits.storage_classes and attributes.storage_class not in habits.storage_classes:
        raise S3Error(400, "InvalidStorageClass", "The storage class you specified is not valid")
    attributes.sse = dict(request.headers_under("x-amz-server-side-encryption"))
    if not attributes.sse and habits.default_sse:
        attributes.sse = {"x-amz-server-side-encryption": habits.default_sse}
    if not habits.sse_c and "x-amz-server-side-encryption-customer-algorithm" in attributes.sse:
        raise S3Error(403, "AccessDenied", "SSE-C is disabled for this bucket")
    attributes.sse.pop("x-amz-server-side-encryption-customer-key", None)  # a secret
    attributes.acl = dict(request.headers_under("x-amz-acl", "x-amz-grant-"))
    acl = attributes.acl.get("x-amz-acl")
    if acl and habits.acls and acl not in habits.acls:
        raise S3Error(400, "InvalidArgument", "no such acl", [("ArgumentName", "x-amz-acl")])
    if habits.object_lock:
        attributes.lock = dict(request.headers_under("x-amz-object-lock-"))
        if attributes.lock and not bucket.lock_enabled:
            raise S3Error(400, "InvalidRequest", "Bucket is missing Object Lock Configuration")
        _check_retention(attributes.lock)
    return attributes


def _check_retention(lock):
    mode = lock.get("x-amz-object-lock-mode")
    until = lock.get("x-amz-object-lock-retain-until-date")
    if (mode is None) != (until is None):
        raise S3Error(400, "InvalidArgument", "x-amz-object-lock-retain-until-date and "
                      "x-amz-object-lock-mode must both be supplied")
    if mode is None:
        return
    if mode not in ("GOVERNANCE", "COMPLIANCE"):
        raise S3Error(400, "InvalidArgument", "Unknown wormMode directive.")
    try:
        seconds = calendar.timegm(time.strptime(until, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        raise S3Error(400, "InvalidArgument", "The retain until date must be provided in ISO 8601 "
                                              "format") from None
    if seconds <= time.time():
        raise S3Error(400, "InvalidArgument", "The retain until date must be in the future!")


def require_lock_digest(request):
    """s3.md 4.10."""
    if not request.has_header("content-md5") and not request.headers_under("x-amz-checksum-"):
        raise S3Error(400, "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is "
                      "required for Put Object requests with Object Lock parameters")


def describe(attributes, habits):
    """Headers of an answer to GET or HEAD."""
    headers = []
    for name, value in attributes.headers:
        if habits.meta_rfc2047 and name.startswith("x-amz-meta-") and not value.isascii():
            value = f"=?UTF-8?B?{base64.b64encode(value.encode('latin-1')).decode()}?="
        headers.append((name, value))
    if attributes.storage_class != "STANDARD":
        headers.append(("x-amz-storage-class", attributes.storage_class))
    if attributes.tags and habits.tagging_refusal is None:
        headers.append(("x-amz-tagging-count", str(len(attributes.tags))))
    return headers + list(attributes.sse.items()) + list(attributes.lock.items())


def checked_tags(tags):
    if len(tags) > _TAGS_MAX:
        raise S3Error(400, "BadRequest", "Object tags cannot be greater than 10")
    names = [name for name, _ in tags]
    if len(set(names)) != len(names):
        raise S3Error(400, "InvalidTag", "Cannot provide multiple Tags with the same key")
    if any(not 1 <= len(name) <= 128 or len(value) > 256 for name, value in tags):
        raise S3Error(400, "InvalidTag", "The TagKey or TagValue you have provided is invalid")
    return tags


def _headers(request):
    habits = request.habits
    kept = [(name, value) for name, value in request.headers
            if (name in SYSTEM_HEADERS or name.startswith("x-amz-meta-"))]
    meta = sum(len(name) - len("x-amz-meta-") + len(value) for name, value in kept
               if name.startswith("x-amz-meta-"))
    if meta > habits.meta_bytes_max:
        raise S3Error(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed "
                                               "metadata size")
    headers = []
    for name, value in kept:
        if name == "content-encoding" and habits.strips_aws_chunked:
            tokens = [token.strip() for token in value.split(",")]
            value = ", ".join(token for token in tokens if token and token != "aws-chunked")
            if not value:
                continue
        elif habits.meta_rfc2047 and name.startswith("x-amz-meta-"):
            value = _without_ascii_word(value)
        elif name == "content-type" and not value:
            continue
        headers.append((name, value))
    if not any(name == "content-type" for name, _ in headers):
        headers.insert(0, ("content-type", habits.default_content_type))
    return headers


def _without_ascii_word(value):
    """s3.md 5.4: an encoded word of ASCII only is kept decoded."""
    match = _ENCODED_WORD.fullmatch(value)
    if not match:
        return value
    try:
        if match.group(1) in "Bb":
            decoded = base64.b64decode(match.group(2), validate=True)
        else:
            text = match.group(2).replace("_", " ")
            decoded = re.sub(rb"=([0-9A-Fa-f]{2})", lambda one: bytes.fromhex(one[1].decode()),
                             text.encode("latin-1"))
    except ValueError:
        return value
    return decoded.decode("latin-1")


def _tags(request):
    habits = request.habits
    text = request.header("x-amz-tagging")
    if not text or habits.ignores_tagging_header:
        return []
    if habits.tagging_refusal is not None:
        raise refused(habits.tagging_refusal)
    if request.operation == "CreateMultipartUpload" and not habits.tags_on_create:
        return []
    pairs = [pair.partition("=") for pair in text.split("&")]
    return checked_tags([(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs])


def check_refused_headers(request):
    for name, _ in request.headers:
        for beginning, refusal in request.habits.refused_headers:
            if name == beginning or beginning.endswith("-") and name.startswith(beginning):
                raise refused(refusal)
    if request.habits.chunked_refusal and "aws-chunked" in request.header("content-encoding") \
            and request.has_header("x-amz-decoded-content-length"):
        raise refused(NOT_IMPLEMENTED)
