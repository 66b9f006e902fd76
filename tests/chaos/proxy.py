#!/usr/bin/python3
"""A bad network: stands before two S3 servers and a database, counts requests, and spoils some.

    proxy.py SEED LOG NAME=http|tcp:HOST:PORT...

Prints a JSON line with the port of each name, then obeys JSON lines on stdin, one answer a line:

    {"do": "weather", "at": NAME, "odds": 0.1, "latency": 0.02, "rate": 3e6}
                                                    the share of requests that something happens to;
                                                    seconds (mean) before each; bytes/s of a body (0: all)
    {"do": "refuse", "at": NAME, "on": true}        as if nothing listened; what is open is closed
    {"do": "stall", "at": NAME, "on": true}         nothing passes, nothing closes
    {"do": "cut", "at": NAME}                       closes what is open, once
    {"do": "stats"}                                 what passed, by name and operation

Only what a client can notice is spoiled. A changed byte of an answer is noticed where the ETag is
the MD5 of the whole object and the whole is read (ranges have no digest, nor have multipart objects
over plain HTTP). A changed byte of a written body is noticed by Content-MD5 or by the ETag.
"""
import asyncio
import json
import random
import re
import sys
import time

PIECE = 256 * 1024
MD5 = re.compile(rb'^"?[0-9a-f]{32}"?$')


class Cut(Exception):
    """This connection ends here."""


def operation_of(method, target):
    path, _, query = target.partition("?")
    words = {part.split("=")[0] for part in query.split("&")} if query else set()
    key = path.lstrip("/").partition("/")[2]
    if not key:
        return "list_uploads" if "uploads" in words else "list" if method == "GET" else "bucket"
    if "uploads" in words:
        return "create_upload"
    if "tagging" in words:
        return f"{method.lower()}_tags"
    if "uploadId" in words:
        return {"PUT": "upload_part", "POST": "complete", "DELETE": "abort", "GET": "list_parts"}[method]
    return {"GET": "get", "HEAD": "head", "PUT": "put", "DELETE": "delete"}.get(method, method.lower())


class Head:
    """The first line and the headers of a request or an answer."""

    def __init__(self, raw):
        self.raw = raw
        lines = raw[:-4].split(b"\r\n")
        self.first = lines[0].decode("latin-1")
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            self.headers[name.strip().lower()] = value.strip()

    def length(self):
        return int(self.headers.get(b"content-length", b"0"))

    def chunked(self):
        return b"chunked" in self.headers.get(b"transfer-encoding", b"").lower()


class Fate:
    """What happens to one request."""

    def __init__(self, kind, rng):
        self.kind = kind
        self.where = rng.random()  # how far into the body
        self.pause = rng.choice([0.05, 0.2, 0.5, 1, 3])


class Side:
    def __init__(self, name, kind, host, port, seed, log):
        self.name, self.kind, self.host, self.port = name, kind, host, port
        self.random = random.Random(f"{seed}/proxy/{name}")
        self.log = log
        self.odds = self.latency = self.rate = 0
        self.refusing = False
        self.open_road = asyncio.Event()
        self.open_road.set()
        self.connections = set()
        self.stats = {}

    def note(self, text):
        print(f"{time.time():.3f} proxy {self.name} {text}", file=self.log, flush=True)

    def count(self, operation, **added):
        row = self.stats.setdefault(operation, {"passed": 0, "answered": 0, "sent": 0, "good": 0, "got": 0,
                                                "spoilt": 0})
        for name, value in added.items():
            row[name] += value

    def fate_of(self, operation, request):
        if self.random.random() >= self.odds:
            return None
        kinds = ["delay"] * 4 + ["refuse", "lost_answer", "lost_answer", "truncate", "truncate", "throttle"]
        if request.length() > 0:
            kinds += ["cut_body", "cut_body"]
        if operation in ("put", "upload_part") and request.length() > 0:
            kinds += ["corrupt_body"] * 3
        if operation == "get":
            kinds += ["short", "slow"]
            if self.name == "src" and b"range" not in request.headers:
                kinds += ["corrupt_answer"] * 3
        if self.random.random() < 0.02:
            kinds = ["hang"]
        return Fate(self.random.choice(kinds), self.random)

    async def pace(self, count):
        """As long as so many bytes take."""
        if self.rate:
            await asyncio.sleep(count / self.rate)

    def cut(self):
        for writer in list(self.connections):
            writer.transport.abort()

    async def serve(self, reader, writer):
        if self.refusing:
            writer.transport.abort()
            return
        self.connections.add(writer)
        try:
            there, back = await asyncio.open_connection(self.host, self.port, limit=4 * PIECE)
            self.connections.add(back)
            try:
                if self.kind == "http":
                    while await Exchange(self, reader, writer, there, back).run():
                        pass
                else:
                    await self.tunnel(reader, writer, there, back)
            finally:
                self.connections.discard(back)
                back.transport.abort()
        except (OSError, Cut, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.connections.discard(writer)
            writer.transport.abort()

    async def tunnel(self, reader, writer, there, back):
        async def copy(source, sink):
            while data := await source.read(PIECE):
                await self.open_road.wait()
                sink.write(data)
                await sink.drain()
        ways = [asyncio.create_task(copy(reader, back)), asyncio.create_task(copy(there, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


class Exchange:
    """One request and its answer."""

    def __init__(self, side, reader, writer, there, back):
        self.side, self.reader, self.writer, self.there, self.back = side, reader, writer, there, back
        self.fate = None

    def is_fate(self, *kinds):
        return self.fate is not None and self.fate.kind in kinds

    async def run(self):
        """False: the connection is over."""
        try:
            request = Head(await self.reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError:
            return False
        await self.side.open_road.wait()
        self.method, target, _ = request.first.split(" ", 2)
        self.operation = operation_of(self.method, target)
        self.fate = self.side.fate_of(self.operation, request)
        if self.fate:
            self.side.count(self.operation, spoilt=1)
            self.side.note(f"{self.fate.kind} {self.method} {target[:200]}")
        if self.is_fate("refuse"):
            raise Cut
        if self.is_fate("throttle"):
            return await self.throttle(request)
        if self.side.latency:
            await asyncio.sleep(self.side.random.expovariate(1 / self.side.latency))
        if self.is_fate("delay"):
            await asyncio.sleep(self.fate.pause)
        if self.is_fate("hang"):
            await asyncio.sleep(25)
            raise Cut
        if self.gone(self.reader):
            raise Cut  # who asked is no more: a network forgets, too
        self.side.count(self.operation, passed=1)
        self.back.write(request.raw)
        sending = asyncio.create_task(self.send_body(request))
        try:
            await self.answer(request)
            keep = sending.done()
            self.side.count(self.operation, answered=1, good=request.length())
            return keep
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    @staticmethod
    def gone(reader):
        return reader._eof or reader.exception() is not None

    async def throttle(self, request):
        left = request.length()
        if b"expect" in request.headers:
            left = 0
        while left > 0:
            left -= len(await self.reader.readexactly(min(left, PIECE)))
        body = b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"
        if self.method == "HEAD":
            body = b""
        self.writer.write(b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nRetry-After: 1\r\n"
                          b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await self.writer.drain()
        self.writer.close()
        await self.writer.wait_closed()
        return False

    async def send_body(self, request):
        length = left = request.length()
        spoil_at = int(length * self.fate.where) if self.is_fate("cut_body", "corrupt_body") else None
        while left > 0:
            piece = await self.reader.read(min(left, PIECE))
            if not piece:
                self.back.transport.abort()
                return
            begin = length - left
            left -= len(piece)
            if spoil_at is not None and begin <= spoil_at < begin + len(piece):
                if self.is_fate("cut_body"):
                    self.writer.transport.abort()
                    self.back.transport.abort()
                    return
                piece = bytearray(piece)
                piece[spoil_at - begin] ^= 1 << (spoil_at % 8)
            await self.side.open_road.wait()
            await self.side.pace(len(piece))
            self.back.write(piece)
            self.side.count(self.operation, sent=len(piece))
            await self.back.drain()

    async def answer(self, request):
        while True:
            head = Head(await self.there.readuntil(b"\r\n\r\n"))
            status = int(head.first.split(" ")[1])
            if status >= 200:
                break
            self.writer.write(head.raw)
        if self.is_fate("lost_answer"):
            raise Cut
        empty = self.method == "HEAD" or status in (204, 304)
        if head.chunked() and not empty:
            self.writer.write(head.raw)
            await self.pass_chunks()
        else:
            await self.pass_body(head, status, 0 if empty else head.length())
        if b"close" in head.headers.get(b"connection", b"").lower():
            await self.writer.drain()
            raise Cut

    async def pass_body(self, head, status, length):
        raw, end, spoil_at = head.raw, length, None
        if self.is_fate("truncate"):
            end = int(length * self.fate.where)
        elif self.is_fate("short") and status in (200, 206) and length > 1:
            end = 1 + int((length - 1) * self.fate.where)
            raw = re.sub(rb"(?i)(\r\ncontent-length:) *\d+", rb"\g<1> %d" % end, raw)
        elif self.is_fate("corrupt_answer") and status == 200 and length > 0:
            if MD5.match(head.headers.get(b"etag", b"")):
                spoil_at = int(length * self.fate.where)
        self.writer.write(raw)
        at = 0
        while at < end:
            await self.side.open_road.wait()
            piece = await self.there.read(min(end - at, PIECE if not self.is_fate("slow") else PIECE // 8))
            if not piece:
                raise Cut
            await self.side.pace(len(piece))
            if self.is_fate("slow"):
                await asyncio.sleep(0.05)
            if spoil_at is not None and at <= spoil_at < at + len(piece):
                piece = bytearray(piece)
                piece[spoil_at - at] ^= 1 << (spoil_at % 8)
            at += len(piece)
            self.writer.write(piece)
            self.side.count(self.operation, got=len(piece))
            await self.writer.drain()
        if end < length or self.is_fate("truncate"):
            await self.writer.drain()
            self.writer.close()  # what was written arrives, then the end
            await asyncio.wait_for(self.writer.wait_closed(), 10)
            raise Cut

    async def pass_chunks(self):
        passed = 0
        while True:
            line = await self.there.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            data = await self.there.readexactly(size + 2)
            if self.is_fate("truncate") and (size == 0 or self.fate.where < 0.5):
                self.writer.write(line + data[:size // 2])
                await self.writer.drain()
                raise Cut
            self.writer.write(line + data)
            await self.writer.drain()
            passed += size
            if size == 0:
                self.side.count(self.operation, got=passed)
                return


def obey(sides, order):
    side = sides.get(order.get("at"))
    if order["do"] == "weather":
        side.odds, side.latency, side.rate = order["odds"], order["latency"], order["rate"]
    elif order["do"] == "refuse":
        side.refusing = order["on"]
        if side.refusing:
            side.cut()
    elif order["do"] == "stall":
        (side.open_road.clear if order["on"] else side.open_road.set)()
    elif order["do"] == "cut":
        side.cut()
    return {name: one.stats for name, one in sides.items()} if order["do"] == "stats" else {}


async def main():
    seed, log = sys.argv[1], open(sys.argv[2], "a")
    sides, ports = {}, {}
    for word in sys.argv[3:]:
        name, _, rest = word.partition("=")
        kind, host, port = rest.split(":")
        side = sides[name] = Side(name, kind, host, int(port), seed, log)
        server = await asyncio.start_server(side.serve, "127.0.0.1", 0, limit=4 * PIECE)
        ports[name] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    orders = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        print(json.dumps(obey(sides, json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
