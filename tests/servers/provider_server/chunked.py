"""aws-chunked bodies with an unsigned payload and a trailer (Amazon's sigv4-streaming-trailers)."""
import re

from answers import S3Error, refused

PAYLOAD = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_CHUNK_BYTES_MIN = 8 << 10  # all but the last
_TRAILER_BYTES_MAX = 4096


def check(request):
    """Of the headers alone: whether such a body is taken, and is announced as it must be."""
    if not request.header("x-amz-content-sha256").startswith("STREAMING-"):
        return
    if request.habits.chunked_refusal or request.header("x-amz-content-sha256") != PAYLOAD:
        raise refused(request.habits.chunked_refusal or request.habits.other_chunked_refusal)
    if "aws-chunked" not in request.header("content-encoding").split(","):
        raise S3Error(400, "InvalidRequest", "The content-encoding does not name aws-chunked.")
    if not re.fullmatch(r"\d{1,15}", request.header("x-amz-decoded-content-length")):
        raise S3Error(411, "MissingContentLength", "You must provide the "
                                                   "x-amz-decoded-content-length HTTP header.")


def decode(request):
    """Puts the bytes of the chunks in the place of the body, and the trailer behind the headers."""
    if request.header("x-amz-content-sha256") != PAYLOAD:
        return
    body, rest = _chunks(request.body)
    if len(body) != int(request.header("x-amz-decoded-content-length")):
        raise _incomplete()
    announced = request.header("x-amz-trailer")
    match = re.fullmatch(rb"([a-z0-9-]+):([^\r\n]*)\r\n\r\n", rest)
    if len(rest) > _TRAILER_BYTES_MAX or not match or match[1].decode() != announced:
        raise S3Error(400, "MalformedTrailerError", "The request contained trailing data that was "
                      "not well-formed or did not conform to our published schema.")
    request.body = body
    request.headers.append((announced, match[2].decode("latin-1").strip()))


def _chunks(encoded):
    """(the bytes of all chunks, what follows the last)"""
    body, at, last = bytearray(), 0, None
    while True:
        end = encoded.find(b"\r\n", at)
        head = encoded[at:max(end, at)]
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", head):
            raise _incomplete()
        size, at = int(head, 16), end + 2
        if size == 0:
            return bytes(body), encoded[at:]
        if last is not None and last < _CHUNK_BYTES_MIN:
            raise S3Error(403, "InvalidChunkSizeError", "Only the last chunk is allowed to have a "
                                                        "size less than 8192 bytes")
        if encoded[at + size:at + size + 2] != b"\r\n":
            raise _incomplete()
        body += encoded[at:at + size]
        at, last = at + size + 2, size


def _incomplete():
    return S3Error(400, "IncompleteBody", "The request body terminated unexpectedly")
