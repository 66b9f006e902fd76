"""Answers of a server, and the errors that every provider words in its own way."""
import email.utils
import json
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import quote

_XML = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = b' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@dataclass
class Answer:
    status: int = 200
    headers: list = field(default_factory=list)  # (name, value); text stands for Latin-1 bytes
    body: bytes = b""
    length: int = -1  # Content-Length where it is not that of body: of a HEAD
    chunked: bool = False  # no Content-Length
    close: bool = False  # the connection, behind this answer


class S3Error(Exception):
    def __init__(self, status, code, message="", fields=(), headers=()):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or code
        self.fields, self.headers = list(fields), list(headers)
        self.close = False


def refused(refusal):
    return S3Error(refusal.status, refusal.code, refusal.message)


def escaped(text, controls=True):
    """Bytes for XML; controls: whether control characters become references."""
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogateescape")
    text = text.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
    text = text.replace(b'"', b"&quot;")
    if not controls:
        return text
    return b"".join(b"&#x%X;" % byte if byte < 0x20 else bytes((byte,)) for byte in text) \
        if any(byte < 0x20 for byte in text) else text


def element(name, *content, controls=True):
    """<name>...</name>; content: text that is escaped, or bytes of elements in a list."""
    inner = b"".join(b"".join(one) if isinstance(one, list) else
                     escaped(str(one) if not isinstance(one, bytes) else one, controls)
                     for one in content)
    tag = name.encode()
    return b"<" + tag + b">" + inner + b"</" + tag + b">"


def document(root, content):
    tag = root.encode()
    return _XML + b"<" + tag + _NAMESPACE + b">" + b"".join(content) + b"</" + tag + b">"


def xml_answer(root, content, headers=()):
    return Answer(200, [("content-type", "application/xml"), *headers], document(root, content))


def url_encoded(key, habits):
    """The value that encoding-type=url asks for."""
    text = quote(key, safe="/-_.~*" if habits.space_as_plus else "/-_.~")
    return text.replace("%20", "+") if habits.space_as_plus else text


def http_date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


def iso_date(seconds):
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{text}.{int(seconds * 1000) % 1000:03d}Z"


def request_id_headers(habits):
    request_id = secrets.token_hex(12).upper()
    headers = [(habits.request_id_header, request_id)]
    if habits.name == "aws":
        headers.append(("x-amz-id-2", secrets.token_urlsafe(24)))
    return headers


def error_answer(habits, error, id_headers, resource):
    headers = list(error.headers)
    if habits.name == "minio":  # s3.md 6.19: what the answer to a HEAD has no body for
        headers += [("x-minio-error-code", error.code), ("x-minio-error-desc", error.message)]
    if habits.json_server_errors and error.status >= 500 and error.status != 501:
        body = json.dumps({"error": error.message}).encode()
        return Answer(error.status, headers + [("content-type", "application/json")], body)
    fields = [("Code", error.code), ("Message", error.message), *error.fields]
    if not habits.error_fields:
        fields.append(("Resource", resource))
    fields += [("RequestId", id_headers[0][1]), *habits.error_fields]
    body = _XML + element("Error", [element(name, text) for name, text in fields])
    return Answer(error.status, headers + [("content-type", "application/xml")], body,
                  close=error.close)
