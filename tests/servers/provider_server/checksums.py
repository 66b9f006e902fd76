"""Content-MD5 and x-amz-checksum-*: what a request says of its bytes, checked."""
import base64
import binascii
import hashlib

import crc
from answers import S3Error

_SIZES = {"crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}
DEFAULT = "crc64nvme"  # s3.md 4.6: of every object for which no other was asked
_TYPES = {"crc32": ("FULL_OBJECT", "COMPOSITE"), "crc32c": ("FULL_OBJECT", "COMPOSITE"),
          "crc64nvme": ("FULL_OBJECT",), "sha1": ("COMPOSITE",), "sha256": ("COMPOSITE",)}


def raw(algorithm, body):
    if algorithm.startswith("crc"):
        return getattr(crc, algorithm)(body).to_bytes(_SIZES[algorithm], "big")
    return hashlib.new(algorithm, body).digest()


def text_of(algorithm, body):
    return base64.b64encode(raw(algorithm, body)).decode()


def element_name(algorithm):
    return "Checksum" + algorithm.upper()


def check_md5(request):
    if not request.has_header("content-md5"):
        return
    given = _decoded(request.header("content-md5"))
    if given is None or len(given) != 16:
        raise S3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
    if given != hashlib.md5(request.body).digest():
        raise S3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we "
                                        "received.")


def given(request):
    """(algorithm, text) of x-amz-checksum-ALGORITHM, or None. Not compared with the body yet."""
    if not request.habits.amz_checksums:
        return None
    found = [(name, request.header("x-amz-checksum-" + name)) for name in _SIZES
             if request.has_header("x-amz-checksum-" + name)]
    if not found:
        return None
    if len(found) > 1:
        raise S3Error(400, "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple "
                                             "checksum Types are not allowed.")
    algorithm, text = found[0]
    bytes_given = _decoded(text.partition("-")[0])
    if bytes_given is None or len(bytes_given) != _SIZES[algorithm]:
        raise S3Error(400, "InvalidRequest",
                      f"Value for x-amz-checksum-{algorithm} header is invalid.")
    said = request.header("x-amz-sdk-checksum-algorithm").lower()
    if said and said != algorithm:
        raise S3Error(400, "InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is "
                                             "invalid.")
    return algorithm, text


def mismatch(algorithm):
    return S3Error(400, "BadDigest", f"The {algorithm.upper()} you specified did not match the "
                                     "calculated checksum.")


def check_body(request):
    """Checks the body by what the request says of it; the checksum to keep, or ()."""
    check_md5(request)
    if not request.habits.amz_checksums:
        return ()
    said = given(request)
    algorithm = said[0] if said else DEFAULT
    text = text_of(algorithm, request.body)
    if said and said[1] != text:
        raise mismatch(algorithm)
    return (algorithm, text, "FULL_OBJECT")


def asked_of_upload(request):
    """(algorithm, type) that a Create asks for, or ("", "")."""
    if not request.habits.amz_checksums:
        return "", ""
    algorithm = request.header("x-amz-checksum-algorithm").lower()
    kind = request.header("x-amz-checksum-type").upper()
    if not algorithm:
        if kind:
            raise S3Error(400, "InvalidRequest", "The x-amz-checksum-type header can only be used "
                                                 "with the x-amz-checksum-algorithm header.")
        return "", ""
    if algorithm not in _SIZES:
        raise S3Error(400, "InvalidRequest", "Checksum algorithm provided is unsupported. Please "
                      "try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, "
                      "SHA256]")
    kind = kind or _TYPES[algorithm][-1]
    if kind not in _TYPES[algorithm]:
        raise S3Error(400, "InvalidRequest", f"The {kind} checksum type cannot be used with the "
                                             f"{algorithm} checksum algorithm.")
    return algorithm, kind


def answer_headers(checksum):
    if not checksum:
        return []
    algorithm, text, kind = checksum
    return [("x-amz-checksum-" + algorithm, text), ("x-amz-checksum-type", kind)]


def _decoded(text):
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
