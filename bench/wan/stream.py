#!/usr/bin/python3
"""Plain TCP over the long link, to see what the link itself lets through.

    stream.py receive ADDRESS                        prints the port, then what it measured as JSON
    stream.py send ADDRESS PORT --connects N         prints the seconds that each connect took, as JSON
    stream.py send ADDRESS PORT --seconds S [--streams N] [--congestion-control C]
"""
import argparse
import json
import selectors
import socket
import time

PIECE = 1 << 20
RAMP_SECONDS = 3  # of a stream's start, which are not counted


def receive(address):
    """Until all streams have ended; connections that bring nothing do not count."""
    moments = []  # (seconds, bytes so far)
    total = open_streams = 0
    room = bytearray(PIECE)
    with selectors.DefaultSelector() as selector, socket.create_server((address, 0)) as listener:
        selector.register(listener, selectors.EVENT_READ)
        print(listener.getsockname()[1], flush=True)
        while not (total and open_streams == 0):
            for key, _ in selector.select():
                if key.fileobj is listener:
                    selector.register(listener.accept()[0], selectors.EVENT_READ)
                    open_streams += 1
                    continue
                # MSG_TRUNC: nobody looks at what came, so it need not be copied.
                got = key.fileobj.recv_into(room, PIECE, socket.MSG_TRUNC)
                total += got
                moments.append((time.monotonic(), total))
                if got == 0:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    open_streams -= 1
    print(json.dumps({"mbit": rate_mbit(moments), "bytes": total}), flush=True)


def rate_mbit(moments):
    began, ended = moments[0][0], moments[-1][0]
    counted = [moment for moment in moments if moment[0] - began >= min(RAMP_SECONDS, (ended - began) / 2)]
    seconds = counted[-1][0] - counted[0][0]
    return (counted[-1][1] - counted[0][1]) * 8 / 1e6 / seconds if seconds > 0 else 0


def connect(address, times):
    for _ in range(times):
        began = time.monotonic()
        with socket.create_connection(address, timeout=30):
            yield time.monotonic() - began


def send(address, streams, seconds, congestion_control):
    piece = memoryview(bytes(PIECE))
    with selectors.DefaultSelector() as selector:
        for _ in range(streams):
            stream = socket.socket()
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion_control.encode())
            stream.connect(address)
            stream.setblocking(False)
            selector.register(stream, selectors.EVENT_WRITE)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for key, _ in selector.select(timeout=0.1):
                key.fileobj.send(piece)
        for key in list(selector.get_map().values()):
            key.fileobj.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("role", choices=("receive", "send"))
    parser.add_argument("address")
    parser.add_argument("port", type=int, nargs="?")
    parser.add_argument("--connects", type=int, default=0)
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--congestion-control", default="bbr")
    arguments = parser.parse_args()
    if arguments.role == "receive":
        receive(arguments.address)
    elif arguments.connects:
        print(json.dumps(list(connect((arguments.address, arguments.port), arguments.connects))))
    else:
        send((arguments.address, arguments.port), arguments.streams, arguments.seconds,
             arguments.congestion_control)


if __name__ == "__main__":
    main()
