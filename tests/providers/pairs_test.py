"""A task from each provider to each other one: awkward keys, metadata, tags, nothing, and objects in parts."""
import hashlib
import json
import os
import unittest
from urllib.parse import quote

from provider_client import ALL, TAGGED
from world import World

MIB = 1 << 20
PART = 5 * MIB
HEADERS = {"content-type": "video/mp4", "cache-control": "max-age=60", "content-language": "de",
           "content-disposition": 'attachment; filename="a b.mp4"', "x-amz-meta-title": "a; b=c"}
TAGS = {"kind": "raw & ready"}
# Legal at all of them.
PLAIN = [b"a b", b"a+b", b"a%2Fb", b"dir/", b"a?b=c&d", b"a#b", "é/中/😀".encode(), b"quote\"'<>&", b"~*!(),:@$;=[]"]
# Refused by some: what a key is there is up to its provider.
REFUSED = {b"a//b": ("minio",), b"a/../b": ("minio",), b"/lead": ("minio", "oss"), b"l" * 800: ("kodo",),
           b"l" * 1000: ("kodo", "cos"), b"line\nend": ("gcs",)}
# As a source they hold such a key in no way.
SMALL = {"empty": b"", "small": b"0123456789", "zipped": b"\x1f\x8bnot really gzip"}
LARGE = bytes(range(256)) * (12 * MIB // 256)


def source_keys(provider):
    return PLAIN + [key for key, refusing in REFUSED.items() if provider not in refusing and takes(provider, key)]


def takes(provider, key):
    # MinIO's segments; XML has no line ends but as LF, and Kodo's listings are not URL-encoded.
    if provider == "minio":
        return len(key) <= 255
    return True


class PairsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["BUILD"])
        for provider in ALL:
            cls.fill(provider)
        tasks = [f"  - {{name: {a}-{b}, source: {{store: {a}, bucket: src}}, "
                 f"destination: {{store: {b}, bucket: from-{a}}}}}" for a in ALL for b in ALL if a != b]
        cls.config = cls.world.configure(ALL, tasks)
        cls.run_tasks = cls.ferry("run", "--log", "json")

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    @classmethod
    def ferry(cls, *words):
        return cls.world.ferry(cls.config, *words)

    @classmethod
    def fill(cls, provider):
        cls.world.server.send(provider, "PUT", "src")
        for other in ALL:
            if other != provider:
                cls.world.server.send(provider, "PUT", f"from-{other}")
        for key in source_keys(provider):
            cls.world.put(provider, "src", key, key)
        for name, body in SMALL.items():
            cls.world.put(provider, "src", name.encode(), body, {"content-encoding": "gzip"} if name == "zipped" else {})
        headers = dict(HEADERS)
        if provider in TAGGED:
            headers["x-amz-tagging"] = "&".join(f"{quote(k)}={quote(v)}" for k, v in TAGS.items())
        cls.world.put(provider, "src", b"described", b"described", headers)
        cls.world.put(provider, "src", b"large", LARGE, headers)

    def pairs(self):
        return [(a, b) for a in ALL for b in ALL if a != b]

    def test_every_task_brings_all_that_its_destination_can_hold(self):
        said = self.run_tasks.stdout + self.run_tasks.stderr
        self.assertEqual(self.run_tasks.returncode, 1, said)  # keys that some refuse are dead
        status = json.loads(self.ferry("status", "--json").stdout)
        self.assertEqual(len(status["tasks"]), len(self.pairs()))
        for task in status["tasks"]:
            a, b = task["task"].split("-")
            objects = task["runs"][0]["objects"]
            dead = [key for key in source_keys(a) if key in REFUSED and (b in REFUSED[key] or not takes(b, key))]
            with self.subTest(task["task"]):
                self.assertEqual(objects["dead"], len(dead), (task, said[-3000:]))
                self.assertEqual(objects["done"], len(source_keys(a)) + len(SMALL) + 2 - len(dead), task)

    def test_bytes_metadata_and_tags_are_those_of_the_source(self):
        for a, b in self.pairs():
            with self.subTest(f"{a}-{b}"):
                for name, body in {**SMALL, "described": b"described", "large": LARGE}.items():
                    kept = self.world.inspect(b, f"from-{a}", name)
                    self.assertEqual(kept["size"], len(body), name)
                    self.assertEqual(kept["md5"], hashlib.md5(body).hexdigest(), name)
                    if name in ("described", "large"):
                        for header, value in HEADERS.items():
                            self.assertEqual(kept["headers"].get(header), value, (name, header))
                        tags = TAGS if a in TAGGED and b in TAGGED else {}
                        self.assertEqual(kept["tags"], tags, name)

    def test_each_provider_proves_as_well_as_it_can(self):
        jobs = [json.loads(line) for line in self.ferry("jobs", "--json").stdout.splitlines()]
        proofs = {(job["task"], job["key"]): job["proof"] for job in jobs if job["state"] == "done"}
        checksums = {"aws", "gcs", "oss", "cos"}
        for a, b in self.pairs():
            task = f"{a}-{b}"
            of_large = "checksum" if b in checksums else "composite_etag" if b in ("minio", "s3") else "read_back"
            of_small = "checksum" if b in checksums else "content_md5" if b == "kodo" else "etag_md5"
            with self.subTest(task):
                self.assertEqual(proofs[task, "large"], of_large)
                self.assertEqual(proofs[task, "small"], of_small)

    def test_nothing_is_left_behind(self):
        for a, b in self.pairs():
            listed = self.world.inspect(b, f"from-{a}")
            with self.subTest(f"{a}-{b}"):
                self.assertEqual(listed["uploads"], 0, listed)

    def test_verify_finds_both_sides_equal_and_a_second_run_has_nothing_to_do(self):
        verified = self.ferry("verify", "--deep")
        differ = [line for line in verified.stdout.splitlines()
                  if " objects compared, " not in line and "missing (the destination cannot hold it" not in line]
        self.assertEqual(differ, [])
        self.assertEqual(verified.stdout.count(" objects compared, "), len(self.pairs()))
        self.ferry("run")
        status = json.loads(self.ferry("status", "--json").stdout)
        for task in status["tasks"]:
            with self.subTest(task["task"]):
                self.assertEqual(task["runs"][0]["objects"]["done"], 0, task["runs"][0])
                self.assertEqual(task["runs"][0]["objects"]["adopted"], 0, task["runs"][0])


if __name__ == "__main__":
    unittest.main()
