"""Multipart uploads: from Create to Complete or Abort."""
import re
import secrets
import time

import attributes
import checksums
from answers import Answer, S3Error, element, iso_date, refused, url_encoded, xml_answer
from bucket import Part, StoredObject, Upload, multipart_etag, single_etag
from objects import (check_key, check_write_conditions, copy_source, digest_headers,
                     generation_headers, parse_xml, quoted, source_version_header, version_header)

_PARTS_MAX = 10_000
_COMPLETED_KEPT = 100  # answers of Completes, for those that are repeated


def find(request, bucket):
    upload = bucket.uploads.get((request.param("uploadId") or b"").decode("latin-1"))
    if upload is None or upload.key != request.key:
        raise S3Error(404, "NoSuchUpload", "The specified upload does not exist. The upload ID may "
                      "be invalid, or the upload may have been aborted or completed.")
    return upload


def create(request, bucket):
    check_key(request)
    about = attributes.read(request, bucket)
    algorithm, kind = checksums.asked_of_upload(request)
    upload = Upload(request.key, secrets.token_hex(24), about, time.time(), algorithm, kind)
    bucket.uploads[upload.upload_id] = upload
    headers = list(about.sse.items())
    if algorithm:
        headers += [("x-amz-checksum-algorithm", algorithm.upper()), ("x-amz-checksum-type", kind)]
    return xml_answer("InitiateMultipartUploadResult",
                      [element("Bucket", bucket.name),
                       element("Key", request.key, controls=request.habits.list_url_encoding),
                       element("UploadId", upload.upload_id)], headers)


def _number(request):
    number = request.number("partNumber", 0, _PARTS_MAX + 1)
    if not 1 <= number <= _PARTS_MAX:
        raise S3Error(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, "
                                              "inclusive", [("ArgumentName", "partNumber")])
    return number


def _store(request, bucket, upload, body, checksum):
    part = StoredObject(upload.attributes, body,
                        single_etag(request.habits, body, upload.attributes))
    bucket.add_part(upload, _number(request),
                    Part(body, part.etag, part.digest("md5"), time.time(), checksum))
    return part


def put_part(request, bucket):
    number, upload = _number(request), find(request, bucket)
    said = checksums.given(request)
    if said and said[0] != upload.algorithm:
        raise S3Error(400, "InvalidRequest", "Checksum Type mismatch occurred, expected checksum "
                      f"Type: {upload.algorithm or 'null'}, actual checksum Type: {said[0]}")
    if upload.checksum_type == "COMPOSITE" and not said:
        raise S3Error(400, "InvalidRequest", "Checksum Type mismatch occurred, expected checksum "
                      f"Type: {upload.algorithm}, actual checksum Type: null")
    checksum = checksums.check_body(request)
    if upload.attributes.lock:
        attributes.require_lock_digest(request)
    if not said:  # nobody asked for one of a part
        checksum = ()
    part = _store(request, bucket, upload, request.body, checksum)
    return Answer(200, [("etag", quoted(part.etag)), *upload.attributes.sse.items(),
                        *checksums.answer_headers(checksum)[:1],
                        *digest_headers(request.habits, part)])


def copy_part(request, bucket, buckets):
    if request.habits.part_copy_refusal:
        raise refused(request.habits.part_copy_refusal)
    number, upload = _number(request), find(request, bucket)
    source, _, stored = copy_source(request, buckets)
    body = stored.body
    text = request.header("x-amz-copy-source-range")
    if text:
        match = re.fullmatch(r"bytes=(\d{1,19})-(\d{1,19})", text)
        if not match or int(match[1]) > int(match[2]):
            raise S3Error(400, "InvalidArgument", "The x-amz-copy-source-range value must be of "
                          "the form bytes=first-last where first and last are the zero-based "
                          "offsets of the first and last bytes to copy")
        if int(match[2]) >= len(body):
            raise S3Error(400, "InvalidArgument", "Range specified is not valid for source object "
                                                  f"of size: {len(body)}")
        body = body[int(match[1]):int(match[2]) + 1]
    checksum = ()
    if upload.algorithm:
        checksum = (upload.algorithm, checksums.text_of(upload.algorithm, body), "")
    part = _store(request, bucket, upload, body, checksum)
    content = [element("ETag", quoted(part.etag)),
               element("LastModified", iso_date(upload.parts[number].modified))]
    if checksum:
        content.append(element(checksums.element_name(checksum[0]), checksum[1]))
    return xml_answer("CopyPartResult", content, [*source_version_header(source, stored),
                                                  *upload.attributes.sse.items()])


def list_parts(request, bucket):
    upload = find(request, bucket)
    after = request.number("part-number-marker", 0, _PARTS_MAX)
    most = request.number("max-parts", 1000, 1000)
    numbers = [number for number in sorted(upload.parts) if number > after]
    page = numbers[:most]
    content = [element("Bucket", bucket.name),
               element("Key", request.key, controls=request.habits.list_url_encoding),
               element("UploadId", upload.upload_id), element("PartNumberMarker", after),
               element("NextPartNumberMarker", page[-1] if page else 0),
               element("MaxParts", most),
               element("IsTruncated", "true" if len(numbers) > len(page) else "false"),
               element("Initiator", [element("ID", request.habits.owner_id)]),
               element("StorageClass", upload.attributes.storage_class)]
    if upload.algorithm:
        content += [element("ChecksumAlgorithm", upload.algorithm.upper()),
                    element("ChecksumType", upload.checksum_type)]
    for number in page:
        part = upload.parts[number]
        about = [element("PartNumber", number), element("LastModified", iso_date(part.modified)),
                 element("ETag", quoted(part.etag)), element("Size", len(part.body))]
        if part.checksum:
            about.append(element(checksums.element_name(part.checksum[0]), part.checksum[1]))
        content.append(element("Part", about))
    return xml_answer("ListPartsResult", content)


def abort(request, bucket):
    bucket.drop_upload(find(request, bucket))
    return Answer(204)


def complete(request, bucket):
    upload_id = (request.param("uploadId") or b"").decode("latin-1")
    done = bucket.completed.get(upload_id)
    if done and done[0] == (request.key, request.body):
        return done[1]
    upload = find(request, bucket)
    parts = _checked_parts(request, upload)
    body = b"".join(part.body for part in parts)
    size = request.header("x-amz-mp-object-size")
    if request.habits.mp_object_size and size and size != str(len(body)):
        raise S3Error(400, "InvalidRequest", f"The provided 'x-amz-mp-object-size' header value "
                      f"{size} does not match what was computed: {len(body)}")
    checksum = _checked_checksum(request, upload, parts, body)
    check_write_conditions(request, bucket)
    stored = StoredObject(upload.attributes, body,
                          multipart_etag(request.habits, parts, upload.attributes),
                          multipart=True, checksum=checksum)
    bucket.drop_upload(upload)
    bucket.add(request.key, stored)
    key = (url_encoded(request.key, request.habits) if request.param("encoding-type") == b"url"
           else request.key)
    content = [element("Location", "http://localhost/" + bucket.name),
               element("Bucket", bucket.name),
               element("Key", key, controls=request.habits.list_url_encoding),
               element("ETag", quoted(stored.etag))]
    if checksum:
        content += [element(checksums.element_name(checksum[0]), checksum[1]),
                    element("ChecksumType", checksum[2])]
    headers = [*version_header(bucket, stored), *upload.attributes.sse.items(),
               *generation_headers(request.habits, stored)]
    if request.habits.crc64ecma_header:
        headers += digest_headers(request.habits, stored)
    answer = xml_answer("CompleteMultipartUploadResult", content, headers)
    if request.habits.complete_repeats:
        bucket.completed[upload_id] = ((request.key, request.body), answer)
        while len(bucket.completed) > _COMPLETED_KEPT:
            del bucket.completed[next(iter(bucket.completed))]
    return answer


def _checked_parts(request, upload):
    root = parse_xml(request.body)
    named = []
    for node in root.findall("Part"):
        number, etag = node.findtext("PartNumber") or "", node.findtext("ETag") or ""
        if not re.fullmatch(r"\s*\d{1,9}\s*", number) or not etag:
            raise S3Error(400, "MalformedXML", "The XML you provided was not well-formed or did "
                                               "not validate against our published schema")
        named.append((int(number), etag.strip().strip('"'), node))
    if not named:  # s3.md 3.9
        raise S3Error(400, "InvalidRequest", "You must specify at least one part")
    if any(one[0] >= next_one[0] for one, next_one in zip(named, named[1:])):
        raise S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order. The "
                      "parts list must be specified in order by part number.")
    parts = []
    for number, etag, node in named:
        part = upload.parts.get(number)
        if part is None or part.etag != etag:
            raise S3Error(400, "InvalidPart", "One or more of the specified parts could not be "
                          "found. The part may not have been uploaded, or the specified entity "
                          "tag may not match the part's entity tag.",
                          [("UploadId", upload.upload_id), ("PartNumber", str(number)),
                           ("ETag", etag)])
        _check_part_checksum(upload, number, part, node)
        parts.append(part)
    _check_sizes(request.habits, named, parts)
    return parts


def _check_part_checksum(upload, number, part, node):
    if not upload.algorithm:
        return
    said = node.findtext(checksums.element_name(upload.algorithm))
    if said is None and upload.checksum_type == "COMPOSITE":
        raise S3Error(400, "InvalidRequest", f"The upload was created using a {upload.algorithm} "
                      "checksum. The complete request must include the checksum for each part. It "
                      f"was missing for part {number} in the request.")
    if said is not None and part.checksum and said != part.checksum[1]:
        raise S3Error(400, "InvalidPart", "One or more of the specified parts could not be found.",
                      [("PartNumber", str(number))])


def _check_sizes(habits, named, parts):
    sizes = [len(part.body) for part in parts]
    for (number, etag, _), size in list(zip(named, sizes))[:-1]:
        if size < habits.part_bytes_min:
            raise S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum "
                          "allowed size",
                          [("ProposedSize", str(size)), ("PartNumber", str(number)),
                           ("MinSizeAllowed", str(habits.part_bytes_min)), ("ETag", etag)])
    if habits.equal_parts and (len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0]):
        raise S3Error(400, "InvalidPart", "All non-trailing parts must have the same length.")


def _checked_checksum(request, upload, parts, body):
    if not request.habits.amz_checksums:
        return ()
    algorithm = upload.algorithm or checksums.DEFAULT
    kind = upload.checksum_type or "FULL_OBJECT"
    if kind == "COMPOSITE":
        joined = b"".join(checksums.raw(algorithm, part.body) for part in parts)
        text = checksums.text_of(algorithm, joined) + f"-{len(parts)}"
    else:
        text = checksums.text_of(algorithm, body)
    said = checksums.given(request)
    if said and said != (algorithm, text):
        raise checksums.mismatch(said[0])
    return (algorithm, text, kind)
