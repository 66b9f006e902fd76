"""What a task asks of its destination, and says at its source, as the server of the other side has it afterwards."""
import os
import unittest

from world import World

MIB = 1 << 20
LARGE = bytes(range(256)) * (12 * MIB // 256)
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
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def bring(self, options, source="oss", source_options="", expected=0):
        """Runs a task into a new bucket of aws, and says which."""
        type(self).count += 1
        bucket = f"dst-{self.count}"
        self.send("aws", "PUT", bucket)
        task = (f"  - {{name: t, source: {{store: {source}, bucket: src{source_options}}}, "
                f"destination: {{store: aws, bucket: {bucket}}}{options}}}")
        config = self.world.configure(["oss", "aws"], [task], name=bucket)
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

    def test_who_pays_is_said_where_the_bucket_wants_to_hear_it(self):
        self.send("aws", "PUT", "src", query="requestPayment", body=PAYER)
        try:
            said = self.bring("", source="aws", expected=1)
            self.assertIn("AccessDenied", said)
            self.bring("", source="aws", source_options=", requester_pays: true")
        finally:
            self.send("aws", "PUT", "src", query="requestPayment", body=PAYER.replace(b"Requester", b"BucketOwner"))

    def test_a_bucket_of_somebody_else_is_not_read(self):
        self.bring("", source="aws", source_options=", expected_bucket_owner: '999999999999'", expected=3)
        self.bring("", source="aws", source_options=", expected_bucket_owner: '111122223333'")


if __name__ == "__main__":
    unittest.main()
