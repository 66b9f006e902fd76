#!/usr/bin/python3
"""A scripted S3 server, in memory, that behaves as several providers do.

The Host header says which: PROVIDER.localhost:PORT/BUCKET or BUCKET.PROVIDER.localhost:PORT, with
PROVIDER one of aws oss cos kodo gcs r2 minio s3. Requests are signed by access key AK<provider> and
secret key SK<provider>. Prints "port N" once it listens, on loopback only, and serves until SIGTERM
or the end of its standard input. Unsigned, of any host that is no bucket's:

  GET /_requests/PROVIDER                   JSON: how often each "METHOD operation" was asked for
  GET /_inspect/PROVIDER/BUCKET?key=KEY     JSON: all that is kept of an object (also &versionId=)
  GET /_inspect/PROVIDER/BUCKET             JSON: its keys, and how many uploads are open
  POST /_restored/PROVIDER/BUCKET?key=KEY   ends the restoration of an archived object

Header values in JSON are Latin-1 for the bytes they are. The session token "expired" is refused as
one whose time is over. The standard input must stay open: with /dev/null there the server ends.
"""
import argparse
import http.server
import os
import re
import signal
import socketserver
import sys
import threading
import time
from http import HTTPStatus

from answers import Answer, http_date
from bucket import BODY_BYTES_MAX
from request import Request
from service import Service

_LINE_BYTES_MAX = 64 << 10
_HEADERS_MAX = 200
_IDLE_SECONDS_MAX = 300
_CHUNK_BYTES = 64 << 10


class _BadHttp(Exception):
    pass


class Connection(socketserver.StreamRequestHandler):
    """HTTP/1.1 with header values as the bytes they are: http.server's parser knows better."""

    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS_MAX

    def handle(self):
        try:
            while self._one_request():
                pass
        except (OSError, _BadHttp):
            pass  # the client is gone, or speaks no HTTP

    def _one_request(self):
        """Whether the connection lives on."""
        line = self._line()
        if not line:
            return False
        match = re.fullmatch(r"([A-Z]+) (/\S*) HTTP/1\.[01]", line)
        if not match:
            raise _BadHttp
        request = Request(match[1], match[2], self._headers())
        keep = request.header("connection").lower() != "close"
        service = self.server.service
        expects = request.header("expect").lower() == "100-continue"
        answer = service.before_body(request)
        if answer is not None and expects:
            keep = False  # the body is not sent, or only partly: nobody knows where it ends
        else:
            refusal = self._read_body(request, expects)
            if refusal is not None:
                answer, keep = refusal, False
        if answer is None:
            answer = service.answer(request)
        keep = keep and not answer.close
        self._send(request, answer, keep)
        self._log(request, answer.status)
        return keep

    def _line(self):
        line = self.rfile.readline(_LINE_BYTES_MAX + 1)
        if len(line) > _LINE_BYTES_MAX:
            raise _BadHttp
        return line.decode("latin-1").rstrip("\r\n")

    def _headers(self):
        headers = []
        while line := self._line():
            name, colon, value = line.partition(":")
            if not colon or len(headers) == _HEADERS_MAX:
                raise _BadHttp
            headers.append((name.lower(), value.strip(" \t")))
        return headers

    def _read_body(self, request, expects):
        """Reads the body; an answer instead if it is of no size that is taken."""
        text = request.header("content-length")
        if not text:
            if request.has_header("transfer-encoding") or request.method == "PUT":
                return _plain(411, "MissingContentLength")
            return None
        if not re.fullmatch(r"\d{1,15}", text):
            raise _BadHttp
        if int(text) > BODY_BYTES_MAX:
            return _plain(400, "EntityTooLarge")
        if expects:
            self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = self.rfile.read(int(text))
        if len(request.body) < int(text):
            raise _BadHttp
        return None

    def _send(self, request, answer, keep):
        try:
            reason = HTTPStatus(answer.status).phrase
        except ValueError:
            reason = ""
        lines = [f"HTTP/1.1 {answer.status} {reason}"]
        headers = list(answer.headers)
        if not any(name == "date" for name, _ in headers):
            headers.append(("date", http_date(time.time())))
        body = b"" if request.method == "HEAD" else answer.body
        if answer.chunked:
            headers.append(("transfer-encoding", "chunked"))
            if request.method != "HEAD":
                body = _in_chunks(body)
        elif answer.status not in (204, 304):
            length = answer.length if answer.length >= 0 else len(answer.body)
            headers.append(("content-length", str(length)))
        headers.append(("connection", "keep-alive" if keep else "close"))
        lines += [f"{name}: {value}" for name, value in headers]
        head = "\r\n".join(lines + ["", ""]).encode("latin-1", "replace")
        self.request.sendall(head + body)

    def _log(self, request, status):
        if self.server.log is None:
            return
        provider = request.habits.name if request.habits else "-"
        with self.server.log_lock:
            self.server.log.write(f"{provider} {request.bucket or '-'} {request.method} "
                                  f"{request.target} {status}\n")


def _plain(status, code):
    body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
    return Answer(status, [("content-type", "application/xml")], body, close=True)


def _in_chunks(body):
    chunks = [body[at:at + _CHUNK_BYTES] for at in range(0, len(body), _CHUNK_BYTES)]
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (*chunks, b""))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port, log):
        super().__init__(("127.0.0.1", port), Connection)
        self.service = Service()
        self.log = log
        self.log_lock = threading.Lock()

    def server_bind(self):  # not HTTPServer's, which looks its own name up
        socketserver.TCPServer.server_bind(self)


def _end_with_stdin():
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", metavar="FILE",
                        help="a line for each request: provider bucket METHOD path?query status")
    arguments = parser.parse_args()
    log = open(arguments.log, "a", buffering=1, encoding="latin-1") if arguments.log else None
    server = Server(arguments.port, log)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"port {server.server_address[1]}", flush=True)
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
