"""Lists of objects (V1 and V2), of their versions, and of uploads."""
import base64
import binascii
import bisect

from answers import S3Error, element, iso_date, refused, url_encoded, xml_answer
from objects import quoted

_PAGE_MAX = 1000


class _Writer:
    """Names as the request wants them written."""

    def __init__(self, request):
        self.habits = request.habits
        asked = request.param("encoding-type") or b""
        if asked not in (b"", b"url"):
            raise S3Error(400, "InvalidArgument", "Invalid Encoding Method specified in Request")
        # API_ListObjectsV2: of AWS, where the request asks for it.
        wanted = request.header("x-amz-optional-object-attributes") or ""
        self.restore_status = request.habits.name == "aws" and "RestoreStatus" in wanted
        self.encoded = asked == b"url" and self.habits.list_url_encoding

    def name(self, tag, key):
        if self.encoded:
            return element(tag, url_encoded(key, self.habits))
        return element(tag, key, controls=self.habits.list_url_encoding)

    def encoding(self):
        return [element("EncodingType", "url")] if self.encoded else []


def _truth(value):
    return "true" if value else "false"


def _refuse_delimiter(request):
    if request.param("delimiter"):
        raise S3Error(501, "NotImplemented", "This server lists without a delimiter.")


def _object(writer, tag, key, stored, first=()):
    content = [writer.name("Key", key), *first,
               element("LastModified", iso_date(stored.modified))]
    if not stored.delete_marker:
        content += [element("ETag", quoted(stored.etag)), element("Size", len(stored.body)),
                    element("StorageClass", stored.attributes.storage_class)]
        if writer.restore_status and stored.restore:
            until = [element("RestoreExpiryDate", "2030-01-01T00:00:00.000Z")] if stored.restore == "done" else []
            content.append(element("RestoreStatus", [
                element("IsRestoreInProgress", "false" if until else "true"), *until]))
        if stored.checksum:
            content += [element("ChecksumAlgorithm", stored.checksum[0].upper()),
                        element("ChecksumType", stored.checksum[2])]
    if tag != "Contents":
        content.append(element("Owner", [element("ID", writer.habits.owner_id)]))
    return element(tag, content)


def objects(request, bucket):
    writer = _Writer(request)
    _refuse_delimiter(request)
    v2 = request.param("list-type") == b"2" and writer.habits.list_v2
    prefix = request.param("prefix") or b""
    most = request.number("max-keys", _PAGE_MAX, _PAGE_MAX)
    token = request.param("continuation-token") if v2 else None
    if token is not None:
        marker = _from_token(token)
    else:
        marker = request.param("start-after" if v2 else "marker") or b""
    page, truncated = _page(bucket, prefix, marker, most)
    content = [element("Name", bucket.name), writer.name("Prefix", prefix),
               element("MaxKeys", most), *writer.encoding(),
               element("IsTruncated", _truth(truncated))]
    if v2:
        content.append(element("KeyCount", len(page)))
        if token is not None:
            content.append(element("ContinuationToken", token))
        if request.param("start-after"):
            content.append(writer.name("StartAfter", request.param("start-after")))
        if truncated:
            content.append(element("NextContinuationToken", _token(page[-1][0])))
    else:
        content.append(writer.name("Marker", marker))  # NextMarker with a delimiter only: 2.7
    content += [_object(writer, "Contents", key, stored) for key, stored in page]
    return xml_answer("ListBucketResult", content)


def _page(bucket, prefix, marker, most):
    """The current objects below the prefix and behind the marker, and whether there are more."""
    page = []
    begin = max(bisect.bisect_right(bucket.keys, marker) if marker else 0,
                bisect.bisect_left(bucket.keys, prefix))
    for key in bucket.keys[begin:]:
        if not key.startswith(prefix):
            break
        latest = bucket.latest(key)
        if latest.delete_marker:
            continue
        if len(page) == most:
            return page, most > 0
        page.append((key, latest))
    return page, False


def _token(key):
    """Opaque, and no key: a client that takes it for a marker goes astray."""
    return "1" + base64.urlsafe_b64encode(key[::-1]).decode()


def _from_token(token):
    try:
        if token[:1] != b"1":
            raise ValueError
        return base64.b64decode(token[1:], altchars=b"-_", validate=True)[::-1]
    except (binascii.Error, ValueError):
        raise S3Error(400, "InvalidArgument", "The continuation token provided is incorrect") \
            from None


def versions(request, bucket):
    writer = _Writer(request)
    if writer.habits.versions_refusal:
        raise refused(writer.habits.versions_refusal)
    _refuse_delimiter(request)
    prefix = request.param("prefix") or b""
    most = request.number("max-keys", _PAGE_MAX, _PAGE_MAX)
    key_marker = request.param("key-marker") or b""
    version_marker = (request.param("version-id-marker") or b"").decode("latin-1")
    if version_marker and not key_marker:
        raise S3Error(400, "InvalidArgument", "A version-id marker cannot be specified without a "
                                              "key marker.")
    found = list(_versions_behind(bucket, prefix, key_marker, version_marker, most + 1))
    page, truncated = found[:most], most > 0 and len(found) > most
    content = [element("Name", bucket.name), writer.name("Prefix", prefix),
               writer.name("KeyMarker", key_marker), element("VersionIdMarker", version_marker),
               element("MaxKeys", most), *writer.encoding(),
               element("IsTruncated", _truth(truncated))]
    if truncated:
        content += [writer.name("NextKeyMarker", page[-1][0]),
                    element("NextVersionIdMarker", page[-1][1].version_id)]
    for key, stored in page:
        latest = stored is bucket.latest(key)
        content.append(_object(writer, "DeleteMarker" if stored.delete_marker else "Version", key,
                               stored, (element("VersionId", stored.version_id),
                                        element("IsLatest", _truth(latest)))))
    return xml_answer("ListVersionsResult", content)


def _versions_behind(bucket, prefix, key_marker, version_marker, most):
    """In the order of the list, from the one behind the markers; at most so many."""
    begin = max(bisect.bisect_left(bucket.keys, key_marker),
                bisect.bisect_left(bucket.keys, prefix))
    count = 0
    for key in bucket.keys[begin:]:
        if not key.startswith(prefix):
            return
        those = bucket.versions[key]
        if key == key_marker:
            ids = [one.version_id for one in those]
            those = those[ids.index(version_marker) + 1:] if version_marker in ids else []
        for stored in those:
            yield key, stored
            count += 1
            if count == most:
                return


def uploads(request, bucket):
    writer = _Writer(request)
    _refuse_delimiter(request)
    prefix = request.param("prefix") or b""
    most = request.number("max-uploads", _PAGE_MAX, _PAGE_MAX)
    key_marker = request.param("key-marker") or b""
    id_marker = (request.param("upload-id-marker") or b"").decode("latin-1")
    ordered = sorted((one for one in bucket.uploads.values() if one.key.startswith(prefix)),
                     key=lambda one: (one.key, one.initiated, one.upload_id))
    if key_marker:
        at = next((i for i, one in enumerate(ordered)
                   if one.key == key_marker and one.upload_id == id_marker), None)
        ordered = ordered[at + 1:] if at is not None else \
            [one for one in ordered if one.key > key_marker]
    page, truncated = ordered[:most], len(ordered) > most > 0
    content = [element("Bucket", bucket.name), writer.name("KeyMarker", key_marker),
               element("UploadIdMarker", id_marker), *writer.encoding(),
               writer.name("Prefix", prefix), element("MaxUploads", most),
               element("IsTruncated", _truth(truncated))]
    if truncated:
        content += [writer.name("NextKeyMarker", page[-1].key),
                    element("NextUploadIdMarker", page[-1].upload_id)]
    for upload in page:
        who = [element("ID", writer.habits.owner_id)]
        content.append(element("Upload", [
            writer.name("Key", upload.key), element("UploadId", upload.upload_id),
            element("Initiator", who), element("Owner", who),
            element("StorageClass", upload.attributes.storage_class),
            element("Initiated", iso_date(upload.initiated))]))
    return xml_answer("ListMultipartUploadsResult", content)
