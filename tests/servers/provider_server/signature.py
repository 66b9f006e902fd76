"""AWS Signature Version 4 in headers, checked from its documentation (sigv4-header-based-auth)."""
import calendar
import hashlib
import hmac
import re
import time
from urllib.parse import quote

import chunked
from answers import S3Error, http_date, iso_date, refused

_SKEW_SECONDS_MAX = 15 * 60  # s3.md 1.11
_AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),"
                            r"\s*Signature=([0-9a-f]{64})")
_WHITE = re.compile(r"[ \t\n\v\f\r]+")  # not \s: the text stands for bytes
EXPIRED_TOKEN = "expired"  # a session token of this text is one whose time is over


def access_key(habits):
    return "AK" + habits.name


def secret_key(habits):
    return "SK" + habits.name


def check(request):
    """Raises what the provider answers to a request whose signature is not right."""
    habits = request.habits
    match = _AUTHORIZATION.fullmatch(request.header("authorization"))
    if not match:
        raise S3Error(403, "AccessDenied", "Access Denied")
    credential, signed_names, signature = match.groups()
    scope = credential.rsplit("/", 4)
    if len(scope) != 5 or scope[3:] != ["s3", "aws4_request"]:
        raise S3Error(400, "AuthorizationHeaderMalformed",
                      "The authorization header is malformed; the Credential is mal-formed")
    if scope[0] != access_key(habits):
        raise S3Error(403, "InvalidAccessKeyId",
                      "The AWS Access Key Id you provided does not exist in our records.",
                      [("AWSAccessKeyId", scope[0])])
    _check_time(request, scope[1])
    if habits.checks_region and scope[2] != habits.region:
        raise S3Error(400, "AuthorizationHeaderMalformed",
                      f"The authorization header is malformed; the region '{scope[2]}' is wrong; "
                      f"expecting '{habits.region}'", [("Region", habits.region)],
                      [("x-amz-bucket-region", habits.region)])
    payload = request.header("x-amz-content-sha256")
    if not payload:
        raise S3Error(400, "InvalidRequest",
                      "Missing required header for this request: x-amz-content-sha256")
    chunked.check(request)
    names = signed_names.split(";")
    unsigned = [name for name, _ in request.headers
                if name not in names and (name.startswith("x-amz-") or name == "host")]
    if unsigned:
        raise S3Error(403, "AccessDenied", "There were headers present in the request which were "
                      "not signed", [("HeadersNotSigned", ", ".join(unsigned))])
    if not hmac.compare_digest(_signature(request, names, scope, payload), signature):
        raise S3Error(403, "SignatureDoesNotMatch", "The request signature we calculated does not "
                      "match the signature you provided. Check your key and signing method.")
    if request.header("x-amz-security-token") == EXPIRED_TOKEN:
        raise refused(habits.expired_token)


def check_payload(request):
    payload = request.header("x-amz-content-sha256")
    if payload in ("UNSIGNED-PAYLOAD", chunked.PAYLOAD):
        return
    computed = hashlib.sha256(request.body).hexdigest()
    if payload != computed:
        raise S3Error(400, "XAmzContentSHA256Mismatch",
                      "The provided 'x-amz-content-sha256' header does not match what was "
                      "computed.",
                      [("ClientComputedContentSHA256", payload),
                       ("S3ComputedContentSHA256", computed)])


def _check_time(request, day):
    text = request.header("x-amz-date")
    try:
        signed = calendar.timegm(time.strptime(text, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise S3Error(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date "
                                           "header") from None
    now = time.time()
    if abs(now - signed) > _SKEW_SECONDS_MAX:
        raise S3Error(403, "RequestTimeTooSkewed", "The difference between the request time and "
                      "the current time is too large.",
                      [("RequestTime", text), ("ServerTime", iso_date(now)),
                       ("MaxAllowedSkewMilliseconds", str(1000 * _SKEW_SECONDS_MAX))],
                      [("date", http_date(now))])
    if not text.startswith(day):
        raise S3Error(403, "SignatureDoesNotMatch", "The date of the scope is not x-amz-date's.")


def _canonical_request(request, names, payload):
    path = quote(request.path, safe="/-_.~")
    query = "&".join(f"{name}={value}" for name, value in sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in request.query))
    lines = [request.method, path, query]
    for name in names:
        value = request.header(name)
        if name == "accept-encoding" and request.habits.rewrites_accept_encoding:
            value += ",gzip(gfe)"
        lines.append(name + ":" + _WHITE.sub(" ", value).strip(" "))
    return "\n".join(lines + ["", ";".join(names), payload])


def _signature(request, names, scope, payload):
    canonical = _canonical_request(request, names, payload).encode("latin-1")
    to_sign = "\n".join(("AWS4-HMAC-SHA256", request.header("x-amz-date"), "/".join(scope[1:]),
                         hashlib.sha256(canonical).hexdigest()))
    key = ("AWS4" + secret_key(request.habits)).encode()
    for step in (*scope[1:], to_sign):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return key.hex()
