"""Operations on one object: PUT, GET, HEAD, DELETE, its tags, its restoration, copies of it."""
import base64
import gzip
import re
import time
import xml.etree.ElementTree as ElementTree
import zlib
from urllib.parse import unquote_to_bytes

import attributes
import checksums
from answers import Answer, S3Error, element, http_date, iso_date, refused, xml_answer
from bucket import StoredObject, single_etag

_XML_BYTES_MAX = 4 << 20


def quoted(etag):
    return f'"{etag}"'


def is_etag(header, etag):
    """Whether If-Match or the like names it. Octets are compared: RFC 9110, 8.8.3.2."""
    return any(one.strip() in ("*", etag, quoted(etag)) for one in header.split(","))


def precondition_failed(condition):
    return S3Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified "
                                              "did not hold", [("Condition", condition)])


def parse_xml(body):
    try:
        if len(body) > _XML_BYTES_MAX or b"<!DOCTYPE" in body:
            raise ElementTree.ParseError
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise S3Error(400, "MalformedXML", "The XML you provided was not well-formed or did not "
                                           "validate against our published schema") from None
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
    return root


def check_key(request):
    habits = request.habits
    if len(request.key) > habits.key_bytes_max:
        raise S3Error(400, habits.key_too_long, "Your key is too long")
    why = habits.key_refusal(request.key) if habits.key_refusal else None
    if why:
        raise S3Error(400, habits.key_refusal_code, why)


def check_write_conditions(request, bucket):
    """If-None-Match: * and If-Match of a PUT or a Complete: s3.md 3.12."""
    if not request.habits.conditional_writes:
        return
    none_match, match = request.header("if-none-match"), request.header("if-match")
    if not none_match and not match:
        return
    if none_match and (match or none_match != "*") or match == "*":
        raise S3Error(501, "NotImplemented", "A header you provided implies functionality that is "
                                             "not implemented")
    latest = bucket.latest(request.key)
    here = latest is not None and not latest.delete_marker
    if match and not here:
        raise S3Error(404, "NoSuchKey", "The specified key does not exist.")
    if (none_match and here) or (match and not is_etag(match, latest.etag)):
        raise precondition_failed("If-None-Match" if none_match else "If-Match")


def version_header(bucket, stored):
    return [("x-amz-version-id", stored.version_id)] if bucket.versioning else []


def digest_headers(habits, stored):
    headers = []
    if habits.crc64ecma_header:
        headers.append((habits.crc64ecma_header, str(stored.digest("crc64ecma"))))
    if habits.goog_headers:
        value = "crc32c=" + base64.b64encode(
            stored.digest("crc32c").to_bytes(4, "big")).decode()
        if not stored.multipart:
            value += ",md5=" + base64.b64encode(stored.digest("md5")).decode()
        headers.append(("x-goog-hash", value))
    return headers


def generation_headers(habits, stored):
    if not habits.goog_headers:
        return []
    return [("x-goog-generation", str(stored.generation)), ("x-goog-metageneration", "1")]


def put(request, bucket):
    check_key(request)
    about = attributes.read(request, bucket)
    checksum = checksums.check_body(request)
    if about.lock:
        attributes.require_lock_digest(request)
    check_write_conditions(request, bucket)
    stored = StoredObject(about, request.body, single_etag(request.habits, request.body, about),
                          checksum=checksum)
    bucket.add(request.key, stored)
    return Answer(200, [("etag", quoted(stored.etag)), *version_header(bucket, stored),
                        *about.sse.items(), *checksums.answer_headers(checksum),
                        *digest_headers(request.habits, stored),
                        *generation_headers(request.habits, stored)])


def find(request, bucket, key, version_id):
    """The version that is meant; raises what S3 says of one that is not there."""
    if version_id is not None:
        if request.habits.versions_refusal:
            raise refused(request.habits.versions_refusal)
        stored = bucket.version(key, version_id.decode("latin-1"))
        if stored is None:
            raise S3Error(404, "NoSuchVersion", "The specified version does not exist.")
        if stored.delete_marker:  # s3.md 6.11
            raise S3Error(405, "MethodNotAllowed", "The specified method is not allowed against "
                          "this resource.", headers=[("x-amz-delete-marker", "true"),
                                                     ("allow", "DELETE"),
                                                     *version_header(bucket, stored)])
        return stored
    stored = bucket.latest(key)
    if stored is None or stored.delete_marker:
        headers = [] if stored is None else [("x-amz-delete-marker", "true"),
                                             *version_header(bucket, stored)]
        raise S3Error(404, "NoSuchKey", "The specified key does not exist.", headers=headers)
    return stored


def is_archived(habits, stored):
    return stored.attributes.storage_class in habits.archive_classes and stored.restore != "done"


def get(request, bucket):
    check_key(request)
    habits = request.habits
    stored = find(request, bucket, request.key, request.param("versionId"))
    match, none_match = request.header("if-match"), request.header("if-none-match")
    if match and not is_etag(match, stored.etag):
        raise precondition_failed("If-Match")
    if none_match and is_etag(none_match, stored.etag):
        return Answer(304, [("etag", quoted(stored.etag))])
    if request.method == "GET" and is_archived(habits, stored):
        raise S3Error(403, "InvalidObjectState", "The operation is not valid for the object's "
                      "storage class", [("StorageClass", stored.attributes.storage_class)])
    headers = [("last-modified", http_date(stored.modified)), ("accept-ranges", "bytes"),
               *version_header(bucket, stored), *digest_headers(habits, stored),
               *generation_headers(habits, stored), *_goog_stored(habits, stored),
               *_restore_header(stored)]
    if _is_transcoded(request, stored):
        return _transcoded(request, stored, headers)
    headers += [("etag", quoted(stored.etag)), *attributes.describe(stored.attributes, habits)]
    wanted = _range(request, len(stored.body))
    if wanted is None:
        if request.header("x-amz-checksum-mode").upper() == "ENABLED":
            headers += checksums.answer_headers(stored.checksum)
        answer = Answer(200, headers, stored.body)
    else:
        first, last = wanted
        headers.append(("content-range", f"bytes {first}-{last}/{len(stored.body)}"))
        answer = Answer(206, headers, stored.body[first:last + 1])
    if request.method == "HEAD":
        answer.length, answer.body = len(answer.body), b""
    return answer


def _goog_stored(habits, stored):
    if not habits.goog_headers:
        return []
    return [("x-goog-stored-content-encoding",
             stored.attributes.header("content-encoding") or "identity"),
            ("x-goog-stored-content-length", str(len(stored.body))),
            ("x-goog-storage-class", stored.attributes.storage_class)]


def _restore_header(stored):
    if stored.restore == "ongoing":
        return [("x-amz-restore", 'ongoing-request="true"')]
    if stored.restore == "done":
        return [("x-amz-restore", 'ongoing-request="false", expiry-date='
                 f'"{http_date(time.time() + 86400)}"')]
    return []


def _is_transcoded(request, stored):
    """GCS decompresses on the way: s3.md 5.3."""
    about = stored.attributes
    return (request.habits.goog_headers and about.header("content-encoding") == "gzip"
            and "gzip" not in request.header("accept-encoding")
            and "no-transform" not in about.header("cache-control"))


def _transcoded(request, stored, headers):
    """Without Content-Length, and without ETag: apache/arrow-rs-object-store#774."""
    try:
        body = gzip.decompress(stored.body)
    except (OSError, EOFError, zlib.error):
        body = stored.body  # it only says that it is gzip
    headers += [(name, value) for name, value in
                attributes.describe(stored.attributes, request.habits)
                if name != "content-encoding"]
    headers.append(("warning", "214 UploadServer gunzipped"))
    return Answer(200, headers, body, chunked=True)


def _range(request, size):
    """(first, last) that Range asks for; None: all of it."""
    match = re.fullmatch(r"bytes=(\d{0,19})-(\d{0,19})", request.header("range").strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        first, last = max(size - int(last), 0), size - 1
        unsatisfiable = int(match[2]) == 0 or size == 0
    else:
        first, last = int(first), min(int(last) if last else size - 1, size - 1)
        if match[2] and int(match[2]) < first:
            return None
        unsatisfiable = first >= size
    if unsatisfiable:
        raise S3Error(416, "InvalidRange", "The requested range is not satisfiable",
                      [("RangeRequested", request.header("range")),
                       ("ActualObjectSize", str(size))],
                      [("content-range", f"bytes */{size}")])
    return first, last


def delete(request, bucket):
    check_key(request)
    version_id = request.param("versionId")
    if version_id is not None:
        return _delete_version(request, bucket, version_id.decode("latin-1"))
    latest = bucket.latest(request.key)
    match = request.header("if-match")
    if match and request.habits.conditional_writes:
        if latest is None or latest.delete_marker or not is_etag(match, latest.etag):
            raise precondition_failed("If-Match")
    if not bucket.versioning:
        bucket.remove(request.key, "null")
        return Answer(204)
    marker = StoredObject(attributes.Attributes(), delete_marker=True)
    bucket.add(request.key, marker)
    return Answer(204, [("x-amz-delete-marker", "true"), *version_header(bucket, marker)])


def _delete_version(request, bucket, version_id):
    if request.habits.versions_refusal:
        raise refused(request.habits.versions_refusal)
    stored = bucket.version(request.key, version_id)
    if stored is not None and (stored.attributes.lock.get("x-amz-object-lock-legal-hold") == "ON"
                               or "x-amz-object-lock-mode" in stored.attributes.lock):
        raise S3Error(403, "AccessDenied", "Access Denied because object protected by object lock.")
    bucket.remove(request.key, version_id)
    headers = [("x-amz-version-id", version_id)]
    if stored is not None and stored.delete_marker:
        headers.append(("x-amz-delete-marker", "true"))
    return Answer(204, headers)


def get_tags(request, bucket):
    stored = _tagged(request, bucket)
    tags = [element("Tag", [element("Key", name), element("Value", value)])
            for name, value in stored.attributes.tags]
    return xml_answer("Tagging", [element("TagSet", tags)], version_header(bucket, stored))


def put_tags(request, bucket):
    stored = _tagged(request, bucket)
    checksums.check_body(request)
    if request.habits.tagging_needs_digest and not request.has_header("content-md5") \
            and not request.headers_under("x-amz-checksum-"):
        raise S3Error(400, "InvalidRequest", "Missing required header for this request: "
                                             "Content-MD5")
    stored.attributes.tags = attributes.checked_tags(
        [(tag.findtext("Key") or "", tag.findtext("Value") or "")
         for tag in parse_xml(request.body).findall("TagSet/Tag")])
    return Answer(200, version_header(bucket, stored))


def delete_tags(request, bucket):
    stored = _tagged(request, bucket)
    stored.attributes.tags = []
    return Answer(204, version_header(bucket, stored))


def _tagged(request, bucket):
    check_key(request)
    if request.habits.tagging_refusal:
        raise refused(request.habits.tagging_refusal)
    return find(request, bucket, request.key, request.param("versionId"))


def restore(request, bucket):
    """POST ?restore: 202, 409 while it goes on, 200 once it is done. /_restored ends it."""
    stored = find(request, bucket, request.key, request.param("versionId"))
    if stored.attributes.storage_class not in request.habits.archive_classes:
        raise S3Error(403, "InvalidObjectState", "Restore is not allowed for the object's current "
                      "storage class", [("StorageClass", stored.attributes.storage_class)])
    parse_xml(request.body)
    if stored.restore == "ongoing":
        raise S3Error(409, "RestoreAlreadyInProgress", "Object restore is already in progress")
    if stored.restore == "done":
        return Answer(200)
    stored.restore = "ongoing"
    return Answer(202)


def copy_source(request, buckets):
    """(bucket, key, version) of x-amz-copy-source, checked by its conditions."""
    path, _, version = request.header("x-amz-copy-source").encode("latin-1").partition(b"?")
    # S3 reads it as a form: a plus is a space, s3.md 3.15.
    path = unquote_to_bytes(path.replace(b"+", b" ")).removeprefix(b"/")
    name, _, key = path.partition(b"/")
    version_id = None
    if version.startswith(b"versionId="):
        version_id = unquote_to_bytes(version.removeprefix(b"versionId="))
    if not key:
        raise S3Error(400, "InvalidArgument", "Copy Source must mention the source bucket and key: "
                                              "/sourcebucket/sourcekey")
    source = buckets.get(name.decode("latin-1"))
    if source is None:
        raise S3Error(404, "NoSuchBucket", "The specified bucket does not exist",
                      [("BucketName", name)])
    stored = find(request, source, key, version_id)
    match = request.header("x-amz-copy-source-if-match")
    none_match = request.header("x-amz-copy-source-if-none-match")
    if match and not is_etag(match, stored.etag) or none_match and is_etag(none_match, stored.etag):
        raise precondition_failed("x-amz-copy-source-If-Match")
    if is_archived(request.habits, stored):
        raise S3Error(403, "ObjectNotInActiveTierError", "The source object of the COPY action is "
                      "not in the active tier and is only stored in an archive")
    return source, key, stored


def source_version_header(source, stored):
    return [("x-amz-copy-source-version-id", stored.version_id)] if source.versioning else []


def copy(request, bucket, buckets):
    check_key(request)
    source, key, stored = copy_source(request, buckets)
    about = attributes.read(request, bucket)
    replaces = request.header("x-amz-metadata-directive", "COPY").upper() == "REPLACE"
    if source is bucket and key == request.key and not replaces \
            and not request.headers_under("x-amz-storage-class", "x-amz-server-side-encryption") \
            and stored is bucket.latest(key):
        raise S3Error(400, "InvalidRequest", "This copy request is illegal because it is trying to "
                      "copy an object to itself without changing the object's metadata, storage "
                      "class, website redirect location or encryption attributes.")
    if not replaces:  # API_CopyObject: the redirect is not copied
        redirect = [one for one in about.headers if one[0] == "x-amz-website-redirect-location"]
        about.headers = redirect + [one for one in stored.attributes.headers
                                    if one[0] != "x-amz-website-redirect-location"]
    if request.header("x-amz-tagging-directive", "COPY").upper() != "REPLACE":
        about.tags = list(stored.attributes.tags)
    made = StoredObject(about, stored.body, single_etag(request.habits, stored.body, about))
    if request.habits.amz_checksums:
        algorithm = request.header("x-amz-checksum-algorithm").lower() or \
            (stored.checksum[0] if stored.checksum else checksums.DEFAULT)
        made.checksum = (algorithm, checksums.text_of(algorithm, made.body), "FULL_OBJECT")
    bucket.add(request.key, made)
    content = [element("ETag", quoted(made.etag)),
               element("LastModified", iso_date(made.modified))]
    if made.checksum:
        content += [element(checksums.element_name(made.checksum[0]), made.checksum[1]),
                    element("ChecksumType", made.checksum[2])]
    return xml_answer("CopyObjectResult", content,
                      [*version_header(bucket, made), *source_version_header(source, stored),
                       *about.sse.items(), *generation_headers(request.habits, made)])
