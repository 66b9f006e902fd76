#!/usr/bin/python3
"""Writes into a bucket whose notifications go through a bad network, and compares two buckets after that.

    event_storm.py write BUCKET URL TOKEN REPORT --objects N    puts, overwrites and deletes, four at a time
    event_storm.py compare SOURCE DESTINATION [--but REPORT]    keys, sizes and ETags

`write` makes the bucket push its events to a proxy of its own, which hands each on to URL with the token:
some twice, all late and so in any order, and a few not at all. It ends when all that are not lost were
accepted; REPORT then names the keys of which an event was lost.
"""
import argparse
import collections
import http.server
import json
import random
import sys
import threading
import time
import urllib.error
import urllib.request

import boto3
from independent_s3 import connect, list_keys, shown

WRITERS = 4
LATE_SECONDS_MAX = 2.0
TWICE = 0.2
LOST = 0.02
TRIES_MAX = 60


class Network:
    """What was told goes out at its time, from a few threads."""

    def __init__(self, url, token, seed):
        self._url, self._token = url, token
        self._random = random.Random(seed)
        self._lock = threading.Condition()
        self._waiting = []  # (when, body)
        self._at_work = 0
        self.failed = 0
        self.lost, self.counts = set(), collections.Counter()
        for _ in range(WRITERS):
            threading.Thread(target=self._carry, daemon=True).start()

    def take(self, body):
        records = json.loads(body)["Records"]
        with self._lock:
            self.counts["events"] += len(records)
            if self._random.random() < LOST:
                # As RGW 16.2 writes them: as they are.
                self.lost |= {one["s3"]["object"]["key"] for one in records}
                self.counts["lost"] += 1
                return
            copies = 2 if self._random.random() < TWICE else 1
            self.counts["twice"] += copies - 1
            for _ in range(copies):
                self._waiting.append((time.monotonic() + self._random.uniform(0, LATE_SECONDS_MAX), body))
            self._lock.notify_all()

    def _next(self):
        with self._lock:
            while True:
                now = time.monotonic()
                due = next((one for one in self._waiting if one[0] <= now), None)
                if due:
                    self._waiting.remove(due)
                    self._at_work += 1
                    return due[1]
                self._lock.wait(0.02)

    def _carry(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            body = self._next()
            request = urllib.request.Request(self._url, body, {
                "Authorization": "Bearer " + self._token, "Content-Type": "application/json"})
            done = False
            for _ in range(TRIES_MAX):
                try:
                    opener.open(request, timeout=30).read()
                    done = True
                    break
                except urllib.error.HTTPError as error:
                    if error.code != 503:
                        break
                except OSError:
                    pass
                time.sleep(0.5)
            with self._lock:
                self._at_work -= 1
                self.failed += not done
                self._lock.notify_all()

    def drain(self):
        with self._lock:
            while self._waiting or self._at_work:
                self._lock.wait(0.1)


def serve(network):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            network.take(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def subscribe(client, bucket, push_endpoint):
    """A topic of Ceph RGW ("Bucket Notifications" in its documentation), and the bucket's events to it."""
    signer = client._request_signer._credentials
    topics = boto3.client("sns", endpoint_url=client.meta.endpoint_url, aws_access_key_id=signer.access_key,
                          aws_secret_access_key=signer.secret_key, region_name="us-east-1")
    name = "events-" + bucket
    arn = topics.create_topic(Name=name, Attributes={"push-endpoint": push_endpoint})["TopicArn"]
    client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "TopicConfigurations": [{"Id": name, "TopicArn": arn,
                                 "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]})
    return lambda: topics.delete_topic(TopicArn=arn)


def history(keys, rng):
    """Each key is put; some are overwritten, some deleted, some of these put again: all in random order."""
    times = []
    for key in keys:
        acts = ["put"] + rng.choice([[], ["put"], ["delete"], ["put", "put"], ["delete", "put"]])
        moments = sorted(rng.random() for _ in acts)
        times += [(moment, key, act) for moment, act in zip(moments, acts)]
    return [(key, act) for _, key, act in sorted(times)]


def write(arguments):
    rng = random.Random(arguments.seed)
    client = connect(argparse.Namespace(store="SRC", endpoint=None, access_key=None, secret_key=None), "")
    network = Network(arguments.url, arguments.token, arguments.seed)
    unsubscribe = subscribe(client, arguments.bucket, serve(network))
    keys = [f"{i % 97}/object {i}+\u00e9" for i in range(arguments.objects)]
    errors = []

    def work(mine, seed):
        own = random.Random(seed)
        try:
            for key, act in history(mine, own):
                if act == "put":
                    client.put_object(Bucket=arguments.bucket, Key=key, Body=own.randbytes(own.randrange(1, 200)))
                else:
                    client.delete_object(Bucket=arguments.bucket, Key=key)
        except Exception as error:  # whatever it is ends the test
            errors.append(repr(error))

    threads = [threading.Thread(target=work, args=(keys[i::WRITERS], rng.random())) for i in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    network.drain()
    unsubscribe()
    with open(arguments.report, "w") as report:
        json.dump(sorted(network.lost), report)
    print(dict(network.counts), "keys with a lost event:", len(network.lost))
    if errors or network.failed:
        raise SystemExit(f"{errors} {network.failed} messages were not accepted")
    if network.counts["events"] < arguments.objects:
        raise SystemExit("the bucket tells of less than was written")


def compare(arguments):
    ends = [list_keys(connect(argparse.Namespace(store=store, endpoint=None, access_key=None, secret_key=None), ""),
                      bucket)
            for store, bucket in (("SRC", arguments.source), ("DST", arguments.destination))]
    but = set(json.load(open(arguments.but))) if arguments.but else set()
    different = [key for key in sorted(set(ends[0]) | set(ends[1]))
                 if ends[0].get(key) != ends[1].get(key) and key not in but]
    for key in different[:20]:
        print(shown(key), ends[0].get(key), ends[1].get(key))
    print(len(ends[0]), "at the source,", len(different), "different")
    if different:
        raise SystemExit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("write")
    for name in ("bucket", "url", "token", "report"):
        one.add_argument(name)
    one.add_argument("--objects", type=int, default=2000)
    one.add_argument("--seed", type=int, default=1)
    one.set_defaults(do=write)
    one = commands.add_parser("compare")
    one.add_argument("source")
    one.add_argument("destination")
    one.add_argument("--but")
    one.set_defaults(do=compare)
    arguments = parser.parse_args()
    arguments.do(arguments)


if __name__ == "__main__":
    sys.exit(main())
