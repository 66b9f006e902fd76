"""What each provider does in its own way at its S3-compatible endpoint: one table.

"s3.md N.N" are lines of the project's notes on S3, whose tags say how well each is known. [K] marks
what is general knowledge: a test that passes here says nothing about the provider itself there.
"""
from dataclasses import dataclass
from typing import Callable, NamedTuple, Optional

from keys import gcs_refusal, minio_refusal, oss_refusal

KIB = 1024
MIB = 1024 * KIB


class Refusal(NamedTuple):
    status: int
    code: str
    message: str


NOT_IMPLEMENTED = Refusal(501, "NotImplemented", "A header or query you provided implies "
                                                 "functionality that is not implemented.")


@dataclass(frozen=True)
class Habits:
    """The defaults are those of a plain server that only resembles S3 (s3.md 9, "unknown")."""

    name: str
    region: str = "us-east-1"
    checks_region: bool = False  # else any region in the scope will do
    path_style_refusal: Optional[Refusal] = None
    request_id_header: str = "x-amz-request-id"
    error_fields: tuple = ()  # (element, text) beside Code, Message, RequestId
    json_server_errors: bool = False
    expired_token: Refusal = Refusal(400, "ExpiredToken", "The provided token has expired.")
    chunked_refusal: Optional[Refusal] = NOT_IMPLEMENTED  # of STREAMING-* payloads
    other_chunked_refusal: Refusal = NOT_IMPLEMENTED  # without that, of those that are signed
    rewrites_accept_encoding: bool = False  # before the signature is checked

    # Listing.
    list_v2: bool = True
    list_url_encoding: bool = True
    space_as_plus: bool = False  # within encoding-type=url
    versions_refusal: Optional[Refusal] = None  # None: it keeps versions

    # Keys and what is kept with them.
    key_bytes_max: int = 1024
    key_too_long: str = "KeyTooLongError"
    key_refusal: Optional[Callable[[bytes], Optional[str]]] = None
    key_refusal_code: str = "InvalidArgument"
    default_content_type: str = "application/octet-stream"  # s3.md 5.12
    meta_bytes_max: int = 2 * KIB  # s3.md 5.5 [K]
    meta_rfc2047: bool = False
    strips_aws_chunked: bool = False  # from Content-Encoding
    refused_headers: tuple = ()  # (name, or its beginning up to a dash, Refusal)
    tagging_refusal: Optional[Refusal] = None  # of ?tagging
    ignores_tagging_header: bool = False
    tags_on_create: bool = True
    tagging_needs_digest: bool = False
    storage_classes: tuple = ()  # empty: any
    archive_classes: tuple = ()  # that must be restored before they are read
    acls: tuple = ()  # empty: any
    default_sse: str = ""
    sse_c: bool = True
    object_lock: bool = False
    requester_pays: bool = False
    owner_id: str = "owner"
    checks_owner: bool = False

    # Digests.
    etag: str = "md5"  # of a single PUT and of a part: md5, upper (case) or kodo
    multipart_etag: str = "md5-n"  # or: upper-n, hex-n, kodo, gcs
    amz_checksums: bool = False  # else ignored, where refused_headers does not name them
    crc64ecma_header: str = ""
    goog_headers: bool = False  # x-goog-hash, x-goog-generation, decompressive transcoding
    mp_object_size: bool = False

    # Multipart and copies.
    part_bytes_min: int = 5 * MIB
    equal_parts: bool = False
    complete_repeats: bool = False
    part_copy_refusal: Optional[Refusal] = None
    conditional_writes: bool = False


# s3.md 4.8: they refuse what newer SDKs send unasked.
_CHECKSUMS_REFUSED = Refusal(400, "InvalidArgument", "The checksum header is not supported.")

_AWS = Habits(
    name="aws",
    region="eu-west-1",
    checks_region=True,  # s3.md 6.13: AuthorizationHeaderMalformed names the right one
    chunked_refusal=None,  # s3.md 9; this server does not read those that are signed
    space_as_plus=True,  # s3.md 2.2
    default_content_type="binary/octet-stream",  # s3.md 5.12
    meta_rfc2047=True,  # s3.md 5.4
    strips_aws_chunked=True,  # s3.md 5.2
    tagging_needs_digest=True,  # API_PutObjectTagging: Content-MD5 is required
    storage_classes=("STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",
                     "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE",
                     "GLACIER_IR"),  # API_PutObject
    archive_classes=("GLACIER", "DEEP_ARCHIVE"),  # s3.md 6.9
    default_sse="AES256",  # API_PutObject: SSE-S3 since January 2023
    sse_c=False,  # s3.md 4.14: off in new buckets
    object_lock=True,  # s3.md 4.10, 5.10
    requester_pays=True,  # API_GetObject, x-amz-request-payer
    owner_id="111122223333",
    checks_owner=True,  # API_GetObject, x-amz-expected-bucket-owner
    amz_checksums=True,  # s3.md 4.6, 9
    mp_object_size=True,  # s3.md 3.11
    complete_repeats=True,  # s3.md 3.4
    conditional_writes=True,  # s3.md 3.12
)

_OSS = Habits(
    name="oss",
    region="cn-hangzhou",
    path_style_refusal=Refusal(403, "SecondLevelDomainForbidden",
                               "Please use virtual hosted style to access."),  # s3.md 1.17, 9
    request_id_header="x-oss-request-id",  # s3.md 6.19
    error_fields=(("HostId", "oss-cn-hangzhou.localhost"), ("EC", "0002-00000040"),
                  ("RecommendDoc", "https://localhost/q?c=0002-00000040")),  # s3.md 6.19
    expired_token=Refusal(403, "SecurityTokenExpired",
                          "The security token you provided has expired."),  # [K]
    chunked_refusal=Refusal(400, "InvalidArgument",
                            "aws-chunked encoding is not supported with the specified "
                            "x-amz-content-sha256 value."),  # s3.md 1.15
    key_bytes_max=1023,  # s3.md 2.14
    key_too_long="InvalidObjectName",  # s3.md 2.14
    key_refusal=oss_refusal,  # s3.md 2.14
    key_refusal_code="InvalidObjectName",
    meta_bytes_max=8 * KIB,  # s3.md 5.5 [K]
    refused_headers=(("x-amz-checksum-", _CHECKSUMS_REFUSED),
                     ("x-amz-sdk-", _CHECKSUMS_REFUSED)),  # s3.md 4.8, 9
    archive_classes=("GLACIER",),  # s3.md 5.9: that is OSS's Archive
    acls=("private", "public-read", "public-read-write"),  # s3.md 5.8
    etag="upper",  # OSS's API PutObject: ETag: "5B3C1A2E053D763E1B002CC607C5A0FE"
    multipart_etag="upper-n",  # s3.md 4.1: "unique value, not MD5"
    crc64ecma_header="x-oss-hash-crc64ecma",  # s3.md 4.18 [K]
    part_bytes_min=100 * KIB,  # s3.md 3.2
)

_COS = Habits(
    name="cos",
    region="ap-guangzhou",
    path_style_refusal=Refusal(403, "PathStyleDomainForbidden",
                               "The bucket you are attempting to access must be addressed using "
                               "COS virtual-styled domain."),  # s3.md 1.17
    request_id_header="x-cos-request-id",  # s3.md 6.19
    error_fields=(("TraceId", "OGVmYzZiMmQzYjA2OWNhODk0NTRkMTBi"),),  # s3.md 6.19
    chunked_refusal=Refusal(411, "MissingContentLength",
                            "You must provide the Content-Length HTTP header."),  # s3.md 1.15
    list_v2=False,  # s3.md 9, 11
    key_bytes_max=850,  # s3.md 2.14 [K]
    key_too_long="KeyTooLong",
    refused_headers=(("x-amz-checksum-", _CHECKSUMS_REFUSED),
                     ("x-amz-sdk-", _CHECKSUMS_REFUSED)),  # s3.md 4.8, 9
    archive_classes=("ARCHIVE", "DEEP_ARCHIVE"),  # [K]
    multipart_etag="hex-n",  # s3.md 4.1
    crc64ecma_header="x-cos-hash-crc64ecma",  # s3.md 4.18 [K]
    part_bytes_min=1 * MIB,  # s3.md 3.2
)

_KODO = Habits(
    name="kodo",
    region="cn-east-1",
    request_id_header="x-reqid",  # s3.md 6.19
    json_server_errors=True,  # s3.md 6.19: JSON bodies
    list_url_encoding=False,  # s3.md 9 [K]
    versions_refusal=NOT_IMPLEMENTED,  # [K]
    key_bytes_max=750,  # s3.md 2.14 [K]
    key_too_long="KeyTooLong",
    tagging_refusal=NOT_IMPLEMENTED,  # [K]
    ignores_tagging_header=True,  # [K]
    storage_classes=("STANDARD", "LINE", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"),  # s3.md 5.9
    archive_classes=("GLACIER", "DEEP_ARCHIVE"),  # s3.md 5.9
    etag="kodo",  # s3.md 4.1, and of single PUTs [K]
    multipart_etag="kodo",  # s3.md 4.1
    part_bytes_min=1 * MIB,  # s3.md 3.2
)

_NO_TAGS = Refusal(400, "InvalidArgument", "Invalid argument.")

_GCS = Habits(
    name="gcs",
    region="auto",
    request_id_header="x-guploader-uploadid",  # [K]
    chunked_refusal=Refusal(403, "SignatureDoesNotMatch",
                            "Access denied."),  # s3.md 1.15
    rewrites_accept_encoding=True,  # s3.md 1.8
    versions_refusal=Refusal(400, "InvalidArgument",
                             "unrecognized option:Marker"),  # s3.md 2.12, 9
    key_too_long="KeyTooLong",  # s3.md 2.14 [K]
    key_refusal=gcs_refusal,  # s3.md 2.14 [K]
    refused_headers=(("x-amz-tagging", _NO_TAGS),),  # [K]
    tagging_refusal=_NO_TAGS,  # [K]
    multipart_etag="gcs",  # s3.md 4.1
    goog_headers=True,  # s3.md 4.17, 5.3
    part_copy_refusal=NOT_IMPLEMENTED,  # s3.md 3.15, 9
)

_R2 = Habits(
    name="r2",
    region="auto",
    request_id_header="cf-ray",  # [K]
    versions_refusal=NOT_IMPLEMENTED,  # [K]
    # The directive whatever it says: aws/aws-sdk-net#3125, openwatersio/seascape#11.
    refused_headers=(("x-amz-tagging", NOT_IMPLEMENTED),
                     ("x-amz-tagging-directive", NOT_IMPLEMENTED)),
    tagging_refusal=NOT_IMPLEMENTED,  # [K]
    multipart_etag="hex-n",  # s3.md 4.1, 9
    equal_parts=True,  # s3.md 3.2
    conditional_writes=True,  # s3.md 3.13
)

_MINIO = Habits(
    name="minio",
    space_as_plus=True,  # cmd/api-response.go: url.QueryEscape
    key_refusal=minio_refusal,  # s3.md 2.14
    key_refusal_code="XMinioInvalidObjectName",
    key_too_long="KeyTooLongError",
    storage_classes=("STANDARD", "REDUCED_REDUNDANCY"),  # cmd/config/storageclass
    object_lock=True,  # s3.md 9
    conditional_writes=True,  # s3.md 3.13
)

# RGW 16.2, measured, drops the tags of an upload; so may any other.
_S3 = Habits(name="s3", tags_on_create=False)

PROVIDERS = {one.name: one for one in (_AWS, _OSS, _COS, _KODO, _GCS, _R2, _MINIO, _S3)}
