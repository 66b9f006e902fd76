"""Tasks whose objects are named by a file, by an inventory, or not compared at all."""
import gzip
import hashlib
import json
import os
import tempfile
import unittest
from pathlib import Path
from urllib.parse import quote_plus

from world import World


class ListsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["BUILD"])
        cls.send = cls.world.server.send
        cls.folder = Path(tempfile.mkdtemp(prefix="ferry-lists-"))
        cls.send("aws", "PUT", "src")
        for name in ("in/a", "in/b/1", "in/b/2", "in/b/c/3", "in/d", "in/\n", "in/z\\", "out/x"):
            cls.world.put("aws", "src", name.encode(), name.encode())
        for i in range(1200):
            cls.world.put("aws", "src", f"in/many/{i:05}".encode(), b"1")
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        cls.world.close()
        for file in cls.folder.iterdir():
            file.unlink()
        cls.folder.rmdir()

    def file(self, content, name="list.txt"):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def task(self, options, prefix="in/"):
        """A configuration that brings aws to a new bucket of minio, and that bucket."""
        type(self).count += 1
        bucket = f"dst-{self.count}"
        self.send("minio", "PUT", bucket)
        task = (f"  - {{name: t, source: {{store: aws, bucket: src, prefix: '{prefix}'}}, "
                f"destination: {{store: minio, bucket: {bucket}}}, {options}}}")
        return self.world.configure(["aws", "minio"], [task], name=bucket), bucket

    def ferry(self, config, *words, expected=0):
        done = self.world.ferry(config, *words)
        self.assertEqual(done.returncode, expected, (words, done.stdout, done.stderr[-2000:]))
        return done

    def keys(self, bucket):
        return self.world.inspect("minio", bucket)["keys"]

    def test_a_file_of_keys_is_brought_whatever_its_lines_end_in(self):
        lines = b"\xef\xbb\xbfin/d\r\n\r\n\nin/a\nin/gone\nin/a\r\nin/\\x0a\nin/z\\\\"
        for content, name in ((lines, "keys.txt"), (gzip.compress(lines), "keys.txt.gz")):
            config, bucket = self.task(f"list: {{keys: {self.file(content, name)}}}")
            done = self.ferry(config, "run")
            self.assertEqual(self.keys(bucket), ["\n", "a", "d", "z\\"])
            self.assertIn("some of the listed keys are not at the source", done.stderr)
            self.assertIn("keys=1", done.stderr)
            again = self.ferry(config, "run")
            self.assertIn("4 at the source", again.stdout)
            self.assertIn("planned=0", again.stderr)
            self.ferry(config, "verify", "--deep")

    def test_keys_that_lie_together_are_listed_and_others_examined(self):
        names = [f"in/many/{i:05}" for i in range(0, 1200, 2)] + ["in/a", "in/d"]
        config, bucket = self.task(f"list: {{keys: {self.file(chr(10).join(names).encode())}}}")
        before = self.world.server.control("/_requests/aws")
        self.ferry(config, "run")
        after = self.world.server.control("/_requests/aws")
        self.assertEqual(len(self.keys(bucket)), 602)
        heads = after.get("HEAD HeadObject", 0) - before.get("HEAD HeadObject", 0)
        self.assertLess(heads, 10)

    def test_a_file_of_prefixes_lists_each_place_once(self):
        lines = b"in/b/\nin/b/c/\nin/many/0000\nin/nothing/\n"
        config, bucket = self.task(f"list: {{prefixes: {self.file(lines)}}}")
        # What others put there beside these prefixes is nobody's business.
        self.world.put("minio", bucket, b"d", b"theirs")
        self.ferry(config, "run")
        self.assertEqual(self.keys(bucket), ["b/1", "b/2", "b/c/3", "d"] + [f"many/{i:05}" for i in range(10)])
        self.assertIn("planned=0", self.ferry(config, "run").stderr)
        self.assertIn("0 differences", self.ferry(config, "verify").stdout)

    def test_without_comparing_all_that_is_listed_is_copied_again(self):
        config, bucket = self.task("compare: none, exclude: ['many/**']")
        for _ in range(2):
            done = self.ferry(config, "run")
            self.assertIn("planned=7", done.stderr)
        reasons = {json.loads(line)["reason"] for line in self.ferry(config, "jobs", "--json").stdout.splitlines()}
        self.assertEqual(reasons, {"not_compared"})
        self.assertIn("copies all that is listed", self.ferry(config, "explain", "in/a").stdout)
        self.ferry(config, "verify")

    def report(self, day, rows, bucket="reports"):
        """An inventory of src in CSV, as S3 Inventory lays it down; returns the key of its manifest."""
        half = (len(rows) + 1) // 2
        files = []
        for i, some in enumerate((rows[:half], rows[half:])):
            key = f"inv/src/all/data/{day}-{i}.csv.gz"
            body = gzip.compress("".join(",".join(f'"{value}"' for value in row) + "\n" for row in some).encode())
            self.world.put("aws", bucket, key.encode(), body)
            files.append({"key": key, "size": len(body), "MD5checksum": hashlib.md5(body).hexdigest()})
        manifest = json.dumps({
            "sourceBucket": "src", "destinationBucket": f"arn:aws:s3:::{bucket}", "version": "2016-11-30",
            "creationTimestamp": "1790000000000", "fileFormat": "CSV", "fileSchema":
            "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass",
            "files": files}).encode()
        key = f"inv/src/all/{day}T00-00Z/manifest.json"
        self.world.put("aws", bucket, key.encode(), manifest)
        self.world.put("aws", bucket, key.replace(".json", ".checksum").encode(), hashlib.md5(manifest).hexdigest().encode())
        return key

    def row(self, key, etag=None, size=None, latest="true", marker="false", storage_class="STANDARD"):
        body = key.encode()
        return ["src", quote_plus(key), "", latest, marker, str(len(body) if size is None else size),
                "2026-08-01T00:00:00.000Z", etag or hashlib.md5(body).hexdigest(), storage_class]

    def test_an_inventory_is_the_list_of_the_source(self):
        self.send("aws", "PUT", "reports")
        self.report("2026-08-01", [self.row("in/old")])
        self.report("2026-09-01", [
            self.row("out/x"), self.row("in/z\\"), self.row("in/d"), self.row("in/b/1"),
            self.row("in/b/1", etag="0" * 32, latest="false"), self.row("in/was", marker="true"),
            self.row("in/gone"), self.row("in/a", etag="1" * 32), self.row("in/\n"),
            self.row("in/frozen", storage_class="DEEP_ARCHIVE")])
        config, bucket = self.task("list: {inventory: {bucket: reports, manifest: inv/src/all/}}")
        done = self.ferry(config, "run")
        # What changed since is brought as it is now, what is gone is no failure.
        self.assertEqual(self.keys(bucket), ["\n", "a", "b/1", "d", "z\\"])
        self.assertIn("manifest=inv/src/all/2026-09-01T00-00Z/manifest.json", done.stderr)
        self.assertIn("hours_old=", done.stderr)
        self.assertIn("1 vanished, 1 archived", done.stdout)
        self.assertIn("planned=", self.ferry(config, "run").stderr)
        self.ferry(config, "run", "--dry-run")

    def test_an_inventory_that_is_not_what_it_says_plans_nothing(self):
        self.send("aws", "PUT", "broken")
        key = self.report("2026-09-01", [self.row("in/a")], bucket="broken")
        config, bucket = self.task(f"list: {{inventory: {{bucket: broken, manifest: {key}}}}}")
        self.world.put("aws", "broken", b"inv/src/all/data/2026-09-01-0.csv.gz", gzip.compress(b"other"))
        self.assertIn("its size is not what the manifest says", self.ferry(config, "run", expected=3).stderr)
        self.assertEqual(self.keys(bucket), [])
        config, _ = self.task("list: {inventory: {bucket: broken, manifest: nowhere/}}")
        self.assertIn("there is no report in this folder", self.ferry(config, "run", expected=3).stderr)
        config, _ = self.task("list: {inventory: {bucket: broken, manifest: inv/none.json}}")
        self.assertIn("NoSuchKey", self.ferry(config, "run", expected=3).stderr)

    def test_files_that_are_no_lists_are_refused_before_anything_is_contacted(self):
        long = b"in/" + b"k" * 5000
        for content, what in ((b"", "is empty"), (b"\r\n\n", "is empty"), (b"in/a\nelsewhere/a\n", ":2: "),
                              (b"in/a\n" + long, ":2: the line is longer than a key can be"),
                              (b"in/\\q\n", ":1: "), (gzip.compress(b"in/a\n" * 99)[:-9], "cannot be unpacked")):
            config, _ = self.task(f"list: {{keys: {self.file(content)}}}")
            for words in (["run"], ["run", "--dry-run"], ["plan"], ["verify"], ["estimate"], ["check"]):
                done = self.ferry(config, *words, expected=2)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn(what, done.stderr)
        config, _ = self.task("list: {keys: /nowhere/keys.txt}")
        self.assertIn("/nowhere/keys.txt: cannot be read: No such file", self.ferry(config, "run", expected=2).stderr)
        config, _ = self.task(f"list: {{keys: {self.folder}}}")
        self.assertIn("is a folder", self.ferry(config, "run", expected=2).stderr)


if __name__ == "__main__":
    unittest.main()
