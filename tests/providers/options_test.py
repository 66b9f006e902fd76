"""What a task asks of its destination, and says at its source, as the server of the other side has it afterwards."""
import json
import os
import unittest
from datetime import datetime, timedelta, timezone

from world import World

MIB = 1 << 20
LARGE = bytes(range(256)) * (12 * MIB // 256)
FLOWING = LARGE[:2 * MIB + 1]  # more than is held in memory, less than has parts
PAYER = b"<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"


class OptionsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["BUILD"])
        cls.send = cls.world.server.send
        for provider in ("oss", "aws"):
            cls.send(provider, "PUT", "src")
            cls.world.put(provider, "src", b"small", b"0123", {"content-type": "text/plain", "x-amz-meta-a": "theirs",
                                                               "x-amz-tagging": "theirs=1"})
            cls.world.put(provider, "src", b"large", LARGE, {"x-amz-tagging": "theirs=1"})
            cls.world.put(provider, "src", b"flowing", FLOWING, {"content-encoding": "gzip", "x-amz-tagging": "theirs=1"})
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def bring(self, options, source="oss", source_options="", expected=0, locks=False):
        """Runs a task into a new bucket of aws, and says which."""
        type(self).count += 1
        bucket = f"dst-{self.count}"
        self.send("aws", "PUT", bucket, headers={"x-amz-bucket-object-lock-enabled": "true"} if locks else {})
        task = (f"  - {{name: t, source: {{store: {source}, bucket: src{source_options}}}, "
                f"destination: {{store: aws, bucket: {bucket}}}{options}}}")
        config = self.config = self.world.configure(["oss", "aws"], [task], name=bucket)
        for words in (["run"], ["verify", "--deep"]):
            done = self.world.ferry(config, *words)
            self.assertEqual(done.returncode, expected, (words, done.stdout, done.stderr[-2000:]))
            if expected:
                return done.stderr
        return bucket

    def kept(self, bucket):
        return [self.world.inspect("aws", bucket, name) for name in ("small", "large")]

    def test_storage_class_encryption_acl_tags_and_metadata_are_as_asked_for(self):
        bucket = self.bring(f", storage_class: STANDARD_IA, sse: {{kms: '{KEY}'}}, acl: bucket-owner-full-control, "
                            "tags: {team: 'media & more'}, metadata: {a: ours, Cache-Control: no-cache}")
        for kept in self.kept(bucket):
            self.assertEqual(kept["storage_class"], "STANDARD_IA")
            self.assertIn("aws:kms", str(kept["sse"]))
            self.assertIn(KEY, str(kept["sse"]))
            self.assertEqual(kept["acl"], {"x-amz-acl": "bucket-owner-full-control"})
            self.assertEqual(kept["tags"], {"team": "media & more"})
            self.assertEqual(kept["headers"]["x-amz-meta-a"], "ours")
            self.assertEqual(kept["headers"]["cache-control"], "no-cache")
        self.assertEqual(self.kept(bucket)[0]["headers"]["content-type"], "text/plain")

    def test_without_tags_objects_arrive_without_theirs(self):
        for kept in self.kept(self.bring(", tags: none")):
            self.assertEqual(kept["tags"], {})

    def test_copies_within_the_store_are_written_the_same_way(self):
        for kept in self.kept(self.bring(", storage_class: STANDARD_IA, acl: public-read", source="aws")):
            self.assertEqual(kept["storage_class"], "STANDARD_IA")
            self.assertEqual(kept["acl"], {"x-amz-acl": "public-read"})
            self.assertEqual(kept["tags"], {"theirs": "1"})
        for kept in self.kept(self.bring(", metadata: {a: ours}", source="aws")):
            self.assertEqual(kept["headers"]["x-amz-meta-a"], "ours")

    def test_storage_classes_are_kept_or_mapped(self):
        self.send("aws", "PUT", "classes")
        for name in ("STANDARD", "STANDARD_IA", "ONEZONE_IA"):
            self.world.put("aws", "classes", name.encode(), b"1", {"x-amz-storage-class": name})
        for rule, expected in (("keep", ["STANDARD", "STANDARD_IA", "ONEZONE_IA"]),
                               ("{ONEZONE_IA: STANDARD_IA}", ["STANDARD", "STANDARD", "STANDARD_IA"])):
            type(self).count += 1
            bucket = f"dst-{self.count}"
            self.send("aws", "PUT", bucket)
            task = (f"  - {{name: t, source: {{store: aws, bucket: classes}}, destination: {{store: aws, bucket: {bucket}}}, "
                    f"storage_class: {rule}}}")
            done = self.world.ferry(self.world.configure(["aws"], [task], name=bucket), "run")
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            classes = [self.world.inspect("aws", bucket, name)["storage_class"]
                       for name in ("STANDARD", "STANDARD_IA", "ONEZONE_IA")]
            self.assertEqual([one or "STANDARD" for one in classes], expected)

    def test_archived_objects_are_restored_where_the_task_says_so_and_copied_by_a_later_run(self):
        for source in ("aws", "cos"):
            self.send(source, "PUT", "cold")
            archive = {"aws": "DEEP_ARCHIVE", "cos": "ARCHIVE"}[source]
            for name, body in ((b"a", b"1"), (b"b", LARGE), (b"c", b"3")):
                self.world.put(source, "cold", name, body, {"x-amz-storage-class": archive})
            self.send("minio", "PUT", f"from-{source}")

            def run(restore):
                task = (f"  - {{name: t, source: {{store: {source}, bucket: cold}}, "
                        f"destination: {{store: minio, bucket: from-{source}}}{restore}}}")
                config = self.world.configure([source, "minio"], [task], name=f"restore-{source}")
                done = self.world.ferry(config, "run")
                self.assertEqual(done.returncode, 0, done.stderr[-2000:])
                jobs = self.world.ferry(config, "jobs", "--state", "archived", "--json")
                return ([self.world.inspect(source, "cold", name)["restore"] for name in "abc"],
                        self.world.inspect("minio", f"from-{source}")["keys"],
                        {json.loads(line)["key"]: json.loads(line)["error"] for line in reversed(jobs.stdout.splitlines())})

            self.assertEqual(run("")[:2], (["", "", ""], []))
            two = ", restore: {tier: bulk, days: 3, max_objects: 2}"
            asked, there, said = run(two)
            self.assertEqual((asked, there), (["ongoing", "ongoing", ""], []))
            self.assertIn("asked for (Bulk, 3 days)", said["a"])
            self.assertIn("asked for (Bulk, 3 days)", said["b"])
            self.assertEqual(self.world.inspect("minio", f"from-{source}")["uploads"], 0)
            self.world.server.control(f"/_restored/{source}/cold?key=b", "POST")
            asked, there, said = run(two)  # b makes room, but only for the next run
            self.assertEqual((asked, there), (["ongoing", "done", ""], ["b"]))
            self.assertIn("being restored", said["a"])
            self.assertEqual(run(two)[0], ["ongoing", "done", "ongoing"])

    def test_what_somebody_else_restored_is_copied_where_listings_say_so(self):
        self.send("aws", "PUT", "thawed")
        for name in (b"a", b"b"):
            self.world.put("aws", "thawed", name, b"1", {"x-amz-storage-class": "GLACIER"})
        self.send("aws", "POST", "thawed", b"b", "restore", body=b"<RestoreRequest><Days>1</Days></RestoreRequest>")
        self.world.server.control("/_restored/aws/thawed?key=b", "POST")
        self.send("minio", "PUT", "thawed")
        task = "  - {name: t, source: {store: aws, bucket: thawed}, destination: {store: minio, bucket: thawed}}"
        done = self.world.ferry(self.world.configure(["aws", "minio"], [task], name="thawed"), "run")
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.assertEqual(self.world.inspect("minio", "thawed")["keys"], ["b"])

    def proofs(self):
        jobs = [json.loads(line) for line in self.world.ferry(self.config, "jobs", "--json").stdout.splitlines()]
        return {job["key"]: job["proof"] for job in jobs}

    def checksums(self, bucket):
        """The kind that each object has, and of what: all its bytes, or its parts."""
        kept = {key: self.world.inspect("aws", bucket, key) for key in ("small", "flowing", "large")}
        self.assertEqual(kept["flowing"]["headers"]["content-encoding"], "gzip")
        self.assertEqual({key: one["size"] for key, one in kept.items()},
                         {"small": 4, "flowing": len(FLOWING), "large": len(LARGE)})
        return {key: (one["checksum"][0], one["checksum"][2]) for key, one in kept.items()}

    def test_each_object_has_the_checksum_that_the_task_asks_for_and_is_proven_by_it(self):
        for kind, of_large in (("crc32c", "FULL_OBJECT"), ("crc64nvme", "FULL_OBJECT"), ("sha256", "COMPOSITE")):
            with self.subTest(kind):
                self.assertEqual(self.checksums(self.bring(f", checksum: {kind}")),
                                 {"small": (kind, "FULL_OBJECT"), "flowing": (kind, "FULL_OBJECT"),
                                  "large": (kind, of_large)})
                self.assertEqual(set(self.proofs().values()), {"checksum"})

    def test_copies_within_the_store_have_that_checksum_too(self):
        self.assertEqual(self.checksums(self.bring(", checksum: sha256", source="aws")),
                         dict.fromkeys(("small", "flowing", "large"), ("sha256", "FULL_OBJECT")))

    def test_md5_asks_for_no_checksum_and_auto_for_the_providers(self):
        self.checksums(self.bring(", checksum: md5"))
        self.assertEqual(self.proofs(), {"small": "etag_md5", "flowing": "etag_md5", "large": "composite_etag"})
        self.checksums(self.bring(", checksum: auto"))
        self.assertEqual(set(self.proofs().values()), {"checksum"})

    def test_objects_under_retention_are_locked_for_so_many_days(self):
        for options, source in ((", retention: {mode: governance, days: 30}", "oss"),
                                (", checksum: sha256, retention: {mode: governance, days: 30}", "oss"),
                                (", retention: {mode: governance, days: 30}", "aws")):
            with self.subTest(options + source):
                bucket = self.bring(options, source=source, locks=True)
                kind = self.checksums(bucket)["flowing"][0]
                self.assertEqual(kind, "sha256" if "sha256" in options else "crc64nvme")
                for key in ("small", "flowing", "large"):
                    lock = self.world.inspect("aws", bucket, key)["lock"]
                    self.assertEqual(lock["x-amz-object-lock-mode"], "GOVERNANCE")
                    until = datetime.fromisoformat(lock["x-amz-object-lock-retain-until-date"].replace("Z", "+00:00"))
                    days = (until - datetime.now(timezone.utc)) / timedelta(days=1)
                    self.assertGreater(days, 29.9)
                    self.assertLessEqual(days, 30)

    def test_retention_in_a_bucket_without_object_lock_is_refused_by_name(self):
        self.assertIn("Object Lock", self.bring(", retention: {mode: compliance, days: 1}", expected=1))

    def test_a_store_that_knows_no_trailers_is_found_out_by_check_and_named_by_a_run(self):
        self.send("s3", "PUT", "untrailed")
        task = ("  - {name: t, source: {store: oss, bucket: src}, destination: {store: s3, bucket: untrailed}, "
                "checksum: sha256}")
        config = self.world.configure(["oss", "s3"], [task], name="untrailed")
        checked = self.world.ferry(config, "check")
        self.assertEqual(checked.returncode, 3, checked.stdout)
        self.assertIn("`checksum:`", next(line for line in checked.stdout.splitlines() if "destination checksum" in line))
        done = self.world.ferry(config, "run")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("`checksum:`", done.stderr)

    def test_check_tries_the_checksum_behind_a_body(self):
        self.bring(", checksum: sha256")
        checked = self.world.ferry(self.config, "check")
        self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertIn("sha256 behind the body, checked and kept", checked.stdout)

    def test_who_pays_is_said_where_the_bucket_wants_to_hear_it(self):
        self.send("aws", "PUT", "src", query="requestPayment", body=PAYER)
        try:
            said = self.bring("", source="aws", expected=1)
            self.assertIn("AccessDenied", said)
            self.bring("", source="aws", source_options=", requester_pays: true")
        finally:
            self.send("aws", "PUT", "src", query="requestPayment", body=PAYER.replace(b"Requester", b"BucketOwner"))

    def test_caps_divide_the_work_into_runs_and_estimate_says_beforehand_what_it_is(self):
        self.send("oss", "PUT", "many")
        for name in "abcde":
            self.world.put("oss", "many", name.encode(), b"12345")
        self.world.put("oss", "many", b"large", LARGE)
        self.send("aws", "PUT", "capped")
        task = ("  - {name: t, source: {store: oss, bucket: many}, destination: {store: aws, bucket: capped}, "
                "max_objects: 4, max_bytes: 8MiB}")
        config = self.world.configure(["oss", "aws"], [task], name="capped")

        def estimate():
            done = self.world.ferry(config, "estimate", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)["tasks"][0]

        before = estimate()
        self.assertEqual(before["objects"]["copy"], 6)
        self.assertEqual(before["bytes"]["copy"], 25 + len(LARGE))
        self.assertEqual(before["requests"]["source"], {"list": 1, "get": 8, "head": 1, "put": 0, "post": 0})
        self.assertEqual(before["requests"]["destination"], {"list": 1, "get": 0, "head": 0, "put": 8, "post": 2})
        self.assertIsNone(before["pace"])
        self.assertEqual(self.world.inspect("aws", "capped")["keys"], [])
        first = self.world.ferry(config, "run")
        self.assertEqual(first.returncode, 1, first.stderr)
        self.assertIn("2 objects (12.0 MiB) are left for the next run (max_objects 4, max_bytes 8.0 MiB)", first.stderr)
        self.assertEqual(self.world.inspect("aws", "capped")["keys"], list("abcd"))
        self.assertEqual(self.world.ferry(config, "run").returncode, 1)
        self.assertEqual(self.world.ferry(config, "run").returncode, 0)
        self.assertEqual(self.world.inspect("aws", "capped")["keys"], [*"abcde", "large"])
        after = estimate()
        self.assertEqual(after["objects"]["copy"], 0)
        self.assertGreater(after["pace"]["bytes_per_second"], 0)
        self.assertIn("as fast as run", self.world.ferry(config, "estimate").stdout)

    def test_check_tries_each_provider_and_says_what_it_does_not_keep(self):
        for provider in ("gcs", "kodo"):
            self.send(provider, "PUT", "dst")
        tasks = [f"  - {{name: to-{provider}, source: {{store: oss, bucket: src}}, "
                 f"destination: {{store: {provider}, bucket: dst}}}}" for provider in ("gcs", "kodo")]
        done = self.world.ferry(self.world.configure(["oss", "gcs", "kodo"], tasks, name="check"), "check")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("FAIL", done.stdout)
        self.assertIn("provider gcs keeps none; objects arrive without theirs", done.stdout)
        self.assertIn("provider kodo keeps none", done.stdout)

    def test_a_bucket_of_somebody_else_is_not_read(self):
        self.bring("", source="aws", source_options=", expected_bucket_owner: '999999999999'", expected=3)
        self.bring("", source="aws", source_options=", expected_bucket_owner: '111122223333'")


if __name__ == "__main__":
    unittest.main()
