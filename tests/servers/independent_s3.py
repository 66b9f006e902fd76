"""An S3 client that shares nothing with ours: boto3, made to send what it is given.

boto3 checks and interprets more than a witness should: it refuses non-ASCII metadata and gives up on an
Expires header that is no date. Both are legal on the wire, so both are switched off here.
"""
import os
import threading

import boto3
import botocore.session
from botocore.config import Config

# Headers that are sent after signing: their bytes are not ours to encode.
_raw = threading.local()


def add_arguments(parser, side, store):
    """--SIDE-endpoint and keys; without them STORE_ENDPOINT, ... as tests/servers/rgw writes them."""
    dash = f"{side}-" if side else ""
    parser.add_argument(f"--{dash}store", default=store, metavar="NAME",
                        help=f"take NAME_ENDPOINT, NAME_ACCESS_KEY, NAME_SECRET_KEY from the environment "
                             f"(default {store})")
    for what in ("endpoint", "access-key", "secret-key"):
        parser.add_argument(f"--{dash}{what}")


def connect(arguments, side, connections=16):
    under = f"{side}_" if side else ""
    store = getattr(arguments, under + "store").upper().replace("-", "_")

    def value(what):
        given = getattr(arguments, under + what)
        name = f"{store}_{what.upper()}"
        if given is None and name not in os.environ:
            raise SystemExit(f"no --{(under + what).replace('_', '-')} and no {name} in the environment")
        return given if given is not None else os.environ[name]

    core = botocore.session.get_session()
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    client = boto3.session.Session(botocore_session=core).client(
        "s3", endpoint_url=value("endpoint"), aws_access_key_id=value("access_key"),
        aws_secret_access_key=value("secret_key"), region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, proxies={},
                      max_pool_connections=connections, retries={"max_attempts": 3}))
    client.meta.events.register("before-send.s3", _send_raw)
    return client


def _send_raw(request, **_):
    for name, value in getattr(_raw, "headers", {}).items():
        request.headers[name] = value


class raw_headers:
    """with raw_headers({"expires": b"soon"}): ..."""

    def __init__(self, headers):
        self._headers = headers

    def __enter__(self):
        _raw.headers = self._headers

    def __exit__(self, *_):
        _raw.headers = {}


def list_keys(client, bucket, prefix=""):
    """key -> (size, ETag), through every page."""
    found = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            found[item["Key"]] = (item["Size"], item["ETag"])
    return found


def shown(key):
    """A key on one line, as the program shows it."""
    text = key.replace("\\", "\\\\")
    return "".join(c if c.isprintable() or ord(c) > 0x9f
                   else "".join(f"\\x{b:02x}" for b in c.encode()) for c in text)
