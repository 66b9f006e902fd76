"""Tasks whose objects are named by a file, by an inventory, or not compared at all."""
import gzip
import json
import os
import tempfile
import unittest
from pathlib import Path

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
