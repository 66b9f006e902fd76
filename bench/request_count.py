"""How many requests a server was sent so far, as the server itself counts them: the same for every client."""
import json
import socket
import urllib.request


def of_gateway(admin_socket):
    """Of a Ceph RGW, from its admin socket: a command ends with a NUL, an answer begins with its length."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(20)
        channel.connect(str(admin_socket))
        channel.sendall(json.dumps({"prefix": "perf dump", "logger": "rgw", "format": "json"}).encode() + b"\0")
        with channel.makefile("rb") as answer:
            length = int.from_bytes(answer.read(4), "big")
            return json.loads(answer.read(length))["rgw"]["req"]


def of_synthetic(endpoint):
    """Of a synthetic_list_server."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{endpoint}/?requests", timeout=60) as answer:
        return int(answer.read())
