#!/usr/bin/python3
"""Checks provider_server by requests that botocore signs, and its CRCs by their check values."""
import base64
import datetime
import gzip
import hashlib
import os
import sys
import unittest
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "provider_server"))
sys.path.insert(0, HERE)
import crc  # noqa: E402  (these are found by the lines above)
from provider_client import ALL, MIB, PARTS, REGIONS, TAGGED, VERSIONED, ProviderServer  # noqa: E402


class ProviderServerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ProviderServer()
        cls.connection = cls.server.connection
        cls.port = cls.server.port
        cls.send, cls.control, cls.complete = cls.server.send, cls.server.control, cls.server.complete

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def bucket(self, provider, versioned=False, **headers):
        """A new bucket named after the test."""
        name = self._testMethodName.lower().replace("_", "-")[:50]
        self.assertEqual(self.send(provider, "PUT", name, headers=headers).status, 200, provider)
        if versioned:
            body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
            self.assertEqual(self.send(provider, "PUT", name, query="versioning", body=body).status,
                             200)
        return name

    def upload(self, provider, bucket, key, bodies, headers=None, complete_headers=None):
        """(answers to the parts, id, answer to Complete)"""
        created = self.send(provider, "POST", bucket, key, "uploads", headers)
        self.assertEqual(created.status, 200, created.body)
        upload_id = created.xml().findtext("UploadId")
        parts = [self.send(provider, "PUT", bucket, key, f"partNumber={i}&uploadId={upload_id}",
                           body=body) for i, body in enumerate(bodies, 1)]
        return parts, upload_id, self.complete(provider, bucket, key, upload_id, parts,
                                               complete_headers)

    # Every provider.

    def test_what_was_put_is_read(self):
        for provider in ALL:
            with self.subTest(provider):
                bucket = self.bucket(provider)
                again = self.send(provider, "PUT", bucket)
                self.assertEqual((again.status, again.code()), (409, "BucketAlreadyOwnedByYou"))
                put = self.send(provider, "PUT", bucket, b"a b+\xc3\xa9", headers={
                    "content-type": "video/mp4", "x-amz-meta-title": "a  b", "expires": "0",
                    "x-amz-storage-class": "STANDARD"}, body=b"123456789")
                self.assertEqual(put.status, 200, put.body)
                got = self.send(provider, "GET", bucket, b"a b+\xc3\xa9")
                self.assertEqual((got.status, got.body), (200, b"123456789"))
                self.assertEqual(got.etag(), put.etag())
                self.assertEqual(put.etag().lower() == hashlib.md5(b"123456789").hexdigest(),
                                 provider != "kodo")
                for name, value in (("content-type", "video/mp4"), ("x-amz-meta-title", "a  b"),
                                    ("expires", "0")):
                    self.assertEqual(got.headers[name], value)
                head = self.send(provider, "HEAD", bucket, b"a b+\xc3\xa9")
                self.assertEqual(head.headers["content-length"], "9")
                part = self.send(provider, "GET", bucket, b"a b+\xc3\xa9",
                                 headers={"range": "bytes=2-4", "if-match": put.headers["etag"]})
                self.assertEqual((part.status, part.body, part.headers["content-range"]),
                                 (206, b"345", "bytes 2-4/9"))
                changed = self.send(provider, "GET", bucket, b"a b+\xc3\xa9",
                                    headers={"if-match": '"other"'})
                self.assertEqual((changed.status, changed.code()), (412, "PreconditionFailed"))
                self.assertEqual(self.send(provider, "DELETE", bucket, b"a b+\xc3\xa9").status, 204)
                gone = self.send(provider, "GET", bucket, b"a b+\xc3\xa9")
                self.assertEqual((gone.status, gone.code()), (404, "NoSuchKey"))
                self.assertEqual(self.send(provider, "HEAD", bucket, b"gone").body, b"")
                self.assertEqual(self.send(provider, "GET", "nobodys", b"a").code(), "NoSuchBucket")

    def test_listing_pages_are_in_byte_order(self):
        keys = [b"p/Z", b"p/a", b"p/a b", b"p/a!", b"p/a+%", b"p/\xc3\xa9", b"p/\xf0\x9f\x98\x80"]
        for provider in ALL:
            bucket = self.bucket(provider)
            for key in keys + [b"q"]:
                self.send(provider, "PUT", bucket, key)
            for version in ("", "list-type=2&"):
                with self.subTest(provider=provider, version=version):
                    v2 = version and provider != "cos"
                    found, more = [], ""
                    for _ in range(len(keys) + 1):
                        page = self.send(provider, "GET", bucket,
                                         query=f"{version}prefix=p%2F&max-keys=2{more}").xml()
                        found += [node.text.encode() for node in page.findall("Contents/Key")]
                        self.assertEqual(page.find("KeyCount") is not None, bool(v2))
                        self.assertIsNone(page.find("NextMarker"))
                        if page.findtext("IsTruncated") == "false":
                            break
                        more = "&marker=" + quote(found[-1], safe="")
                        if v2:
                            token = quote(page.findtext("NextContinuationToken"), safe="")
                            more = "&continuation-token=" + token
                    self.assertEqual(found, sorted(keys))

    def test_control_characters_are_encoded_where_that_is_known(self):
        for provider in ALL:
            with self.subTest(provider):
                bucket = self.bucket(provider)
                self.send(provider, "PUT", bucket, b"a\x01 b")
                page = self.send(provider, "GET", bucket, query="encoding-type=url")
                if provider == "kodo":
                    self.assertIn(b"<Key>a\x01 b</Key>", page.body)
                    self.assertNotIn(b"EncodingType", page.body)
                else:
                    encoded = "a%01+b" if provider in ("aws", "minio") else "a%01%20b"
                    self.assertEqual(page.all("Contents/Key"), [encoded])

    def test_requests_must_be_signed_rightly(self):
        for provider in ALL:
            with self.subTest(provider):
                bucket = self.bucket(provider)
                send = lambda **how: self.send(provider, "GET", bucket, **how)  # noqa: E731
                self.assertEqual(send(access_key="AKnobody").code(), "InvalidAccessKeyId")
                self.assertEqual(send(secret_key="wrong").code(), "SignatureDoesNotMatch")
                self.assertEqual(send(after_signing={"x-amz-extra": "1"}).code(), "AccessDenied")
                self.assertEqual(send(after_signing={"authorization": "none"}).code(),
                                 "AccessDenied")
                wrong_hash = self.send(provider, "PUT", bucket, b"a", body=b"sent",
                                       payload_hash=hashlib.sha256(b"meant").hexdigest())
                self.assertEqual(wrong_hash.code(), "XAmzContentSHA256Mismatch")
                unsigned = self.send(provider, "PUT", bucket, b"a", body=b"sent",
                                     payload_hash="UNSIGNED-PAYLOAD")
                self.assertEqual(unsigned.status, 200)
                old = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=16)
                late = send(signed_at=old)
                self.assertEqual((late.status, late.code()), (403, "RequestTimeTooSkewed"))
                token = send(headers={"x-amz-security-token": "any"})
                self.assertEqual(token.status, 200)
                expired = send(headers={"x-amz-security-token": "expired"})
                self.assertEqual(expired.code(), "SecurityTokenExpired" if provider == "oss"
                                 else "ExpiredToken")
        elsewhere = self.send("aws", "GET", self._testMethodName, region="us-west-2")
        self.assertEqual((elsewhere.status, elsewhere.xml().findtext("Region")), (400, "eu-west-1"))

    def test_a_wrong_md5_is_refused(self):
        for provider in ALL:
            bucket = self.bucket(provider)
            digest = base64.b64encode(hashlib.md5(b"meant").digest()).decode()
            put = self.send(provider, "PUT", bucket, b"a", headers={"content-md5": digest},
                            body=b"sent")
            self.assertEqual(put.code(), "BadDigest", provider)
            put = self.send(provider, "PUT", bucket, b"a", headers={"content-md5": "x"})
            self.assertEqual(put.code(), "InvalidDigest", provider)

    def test_parts_become_an_object(self):
        for provider in ALL:
            with self.subTest(provider):
                bucket = self.bucket(provider)
                bodies = [b"1" * PARTS.get(provider, 5 * MIB), b"the rest"]
                parts, upload_id, done = self.upload(provider, bucket, b"k", bodies,
                                                     {"x-amz-meta-a": "b"})
                self.assertEqual(done.status, 200, done.body)
                got = self.send(provider, "GET", bucket, b"k")
                self.assertEqual(got.body, b"".join(bodies))
                self.assertEqual(got.headers["x-amz-meta-a"], "b")
                self.assertEqual(got.etag(), done.xml().findtext("ETag").strip('"'))
                md5s = b"".join(hashlib.md5(body).digest() for body in bodies)
                self.assertEqual(got.etag() == hashlib.md5(md5s).hexdigest() + "-2",
                                 provider in ("aws", "minio", "s3"))
                again = self.complete(provider, bucket, b"k", upload_id, parts)
                self.assertEqual(again.status, 200 if provider == "aws" else 404)

    def test_wrong_completes_are_refused(self):
        for provider in ALL:
            with self.subTest(provider):
                bucket = self.bucket(provider)
                upload_id = self.send(provider, "POST", bucket, b"k", "uploads").xml().findtext(
                    "UploadId")
                parts = [self.send(provider, "PUT", bucket, b"k",
                                   f"partNumber={i}&uploadId={upload_id}", body=b"%d" % i)
                         for i in (1, 2)]
                code = lambda those: self.complete(provider, bucket, b"k", upload_id,  # noqa: E731
                                                   those).code()
                self.assertEqual(code(parts), "EntityTooSmall")
                self.assertEqual(code(parts[::-1]), "InvalidPart")
                self.assertEqual(code([]), "InvalidRequest")
                page = self.send(provider, "GET", bucket, b"k", f"uploadId={upload_id}&max-parts=1")
                self.assertEqual(page.all("Part/PartNumber"), ["1"])
                self.assertEqual(page.xml().findtext("NextPartNumberMarker"), "1")
                page = self.send(provider, "GET", bucket, b"k",
                                 f"uploadId={upload_id}&part-number-marker=1")
                self.assertEqual(page.all("Part/PartNumber"), ["2"])
                other = self.send(provider, "POST", bucket, b"j", "uploads").xml().findtext(
                    "UploadId")
                page = self.send(provider, "GET", bucket, query="uploads=&max-uploads=1").xml()
                self.assertEqual(page.findtext("Upload/UploadId"), other)
                page = self.send(provider, "GET", bucket, query=(
                    f"uploads=&key-marker={page.findtext('NextKeyMarker')}"
                    f"&upload-id-marker={page.findtext('NextUploadIdMarker')}"))
                self.assertEqual(page.all("Upload/UploadId"), [upload_id])
                self.assertEqual(self.send(provider, "DELETE", bucket, b"k",
                                           f"uploadId={upload_id}").status, 204)
                self.assertEqual(code(parts), "NoSuchUpload")

    def test_copies_are_pinned_to_their_source(self):
        for provider in ALL:
            with self.subTest(provider):
                bucket = self.bucket(provider)
                etag = self.send(provider, "PUT", bucket, b"a+?%", body=b"0123456789",
                                 headers={"x-amz-meta-a": "b"}).headers["etag"]
                source = {"x-amz-copy-source": f"/{bucket}/a%2B%3F%25"}
                copied = self.send(provider, "PUT", bucket, b"to",
                                   headers={**source, "x-amz-copy-source-if-match": etag})
                self.assertEqual(copied.status, 200, copied.body)
                self.assertEqual(self.send(provider, "GET", bucket, b"to").headers["x-amz-meta-a"],
                                 "b")
                other = self.send(provider, "PUT", bucket, b"to",
                                  headers={**source, "x-amz-copy-source-if-match": '"other"'})
                self.assertEqual(other.status, 412)
                upload_id = self.send(provider, "POST", bucket, b"k", "uploads").xml().findtext(
                    "UploadId")
                part = self.send(provider, "PUT", bucket, b"k",
                                 f"partNumber=1&uploadId={upload_id}",
                                 headers={**source, "x-amz-copy-source-range": "bytes=2-4"})
                self.assertEqual(part.status, 501 if provider == "gcs" else 200)
                if provider not in ("gcs", "kodo"):
                    self.assertEqual(part.xml().findtext("ETag").strip('"').lower(),
                                     hashlib.md5(b"234").hexdigest())

    def test_versions_are_kept_where_the_provider_has_them(self):
        for provider in ALL:
            with self.subTest(provider):
                bucket = self.bucket(provider, versioned=provider in VERSIONED)
                if provider not in VERSIONED:
                    refused = self.send(provider, "GET", bucket, query="versions")
                    self.assertEqual(refused.status, 400 if provider == "gcs" else 501)
                    continue
                ids = [self.send(provider, "PUT", bucket, b"a", body=body).headers[
                    "x-amz-version-id"] for body in (b"1", b"2")]
                marker = self.send(provider, "DELETE", bucket, b"a").headers["x-amz-version-id"]
                gone = self.send(provider, "GET", bucket, b"a")
                self.assertEqual((gone.status, gone.headers["x-amz-delete-marker"]), (404, "true"))
                self.assertEqual(self.send(provider, "GET", bucket, b"a",
                                           f"versionId={ids[0]}").body, b"1")
                self.assertEqual(self.send(provider, "GET", bucket, b"a",
                                           f"versionId={marker}").status, 405)
                self.assertEqual(self.send(provider, "GET", bucket, b"a", "versionId=x").code(),
                                 "NoSuchVersion")
                listed, more = [], ""
                for _ in range(3):
                    page = self.send(provider, "GET", bucket, query=f"versions=&max-keys=1{more}")
                    listed += page.all("Version/VersionId") + page.all("DeleteMarker/VersionId")
                    root = page.xml()
                    more = (f"&key-marker={root.findtext('NextKeyMarker')}"
                            f"&version-id-marker={root.findtext('NextVersionIdMarker')}")
                self.assertEqual(root.findtext("IsTruncated"), "false")
                self.assertEqual(listed, [marker, ids[1], ids[0]])
                self.send(provider, "DELETE", bucket, b"a", f"versionId={marker}")
                self.assertEqual(self.send(provider, "GET", bucket, b"a").body, b"2")

    def test_tags_are_kept_where_the_provider_has_them(self):
        for provider in ALL:
            with self.subTest(provider):
                bucket = self.bucket(provider)
                put = self.send(provider, "PUT", bucket, b"a",
                                headers={"x-amz-tagging": "kind=raw%20%26%20ready"})
                self.assertEqual(put.status, {"gcs": 400, "r2": 501}.get(provider, 200))
                tags = self.send(provider, "GET", bucket, b"a", "tagging")
                self.assertEqual(tags.status == 200, provider in TAGGED)
                if provider not in TAGGED:
                    continue
                self.assertEqual(tags.all("TagSet/Tag/Value"), ["raw & ready"])
                head = self.send(provider, "HEAD", bucket, b"a")
                self.assertEqual(head.headers["x-amz-tagging-count"], "1")
                body = (b"<Tagging><TagSet><Tag><Key>s</Key><Value>2</Value></Tag></TagSet>"
                        b"</Tagging>")
                digest = base64.b64encode(hashlib.md5(body).digest()).decode()
                self.send(provider, "PUT", bucket, b"a", "tagging", {"content-md5": digest}, body)
                self.assertEqual(self.control(f"/_inspect/{provider}/{bucket}?key=a")["tags"],
                                 {"s": "2"})

    def test_errors_carry_the_providers_own_request_id(self):
        names = {"oss": "x-oss-request-id", "cos": "x-cos-request-id", "kodo": "x-reqid",
                 "gcs": "x-guploader-uploadid", "r2": "cf-ray"}
        for provider in ALL:
            answer = self.send(provider, "GET", "nobodys", b"a")
            self.assertIn(names.get(provider, "x-amz-request-id"), answer.headers)
            self.assertEqual("x-amz-request-id" in answer.headers, provider not in names)
            self.assertEqual(answer.xml().find("EC") is not None, provider == "oss")
            self.assertEqual(answer.xml().find("TraceId") is not None, provider == "cos")
            self.assertIn("date", answer.headers)

    def test_requests_are_counted(self):
        self.bucket("s3")
        before = self.control("/_requests/s3").get("HEAD HeadObject", 0)
        self.send("s3", "HEAD", self._testMethodName, b"a")
        self.assertEqual(self.control("/_requests/s3")["HEAD HeadObject"], before + 1)

    # One provider.

    def test_oss_and_cos_want_virtual_hosts_and_no_checksums(self):
        for provider, code, header in (
                ("oss", "SecondLevelDomainForbidden", "x-oss-hash-crc64ecma"),
                ("cos", "PathStyleDomainForbidden", "x-cos-hash-crc64ecma")):
            bucket = self.bucket(provider)
            path = self.send(provider, "GET", bucket, path_style=True)
            self.assertEqual((path.status, path.code()), (403, code))
            for name in ("x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm"):
                put = self.send(provider, "PUT", bucket, b"a", headers={name: "x"})
                self.assertEqual((put.status, put.code()), (400, "InvalidArgument"))
            for method in ("PUT", "HEAD"):
                answer = self.send(provider, method, bucket, b"a",
                                   body=b"123456789" if method == "PUT" else b"")
                self.assertEqual(answer.headers[header], str(0x995DC9BBDF1939FA))
            parts, _, done = self.upload(provider, bucket, b"k", [b"123456789"])
            self.assertEqual({one.headers[header] for one in (*parts, done)},
                             {str(0x995DC9BBDF1939FA)})

    def test_keys_are_refused_by_each_providers_rules(self):
        for provider, key, code in (
                ("oss", b"/a", "InvalidObjectName"), ("oss", b"a" * 1024, "InvalidObjectName"),
                ("cos", b"a" * 851, "KeyTooLong"), ("kodo", b"a" * 751, "KeyTooLong"),
                ("gcs", b"a\nb", "InvalidArgument"), ("gcs", b"..", "InvalidArgument"),
                ("minio", b"a//b", "XMinioInvalidObjectName"),
                ("minio", b"a/../b", "XMinioInvalidObjectName"),
                ("aws", b"a" * 1025, "KeyTooLongError")):
            if self.send(provider, "HEAD", "keys").status == 404:
                self.send(provider, "PUT", "keys")
            put = self.send(provider, "PUT", "keys", key)
            self.assertEqual((put.status, put.code()), (400, code), (provider, key[:9]))

    def test_gcs_decompresses_unless_asked_not_to(self):
        bucket = self.bucket("gcs")
        stored = gzip.compress(b"plain")
        self.send("gcs", "PUT", bucket, b"a", headers={"content-encoding": "gzip"}, body=stored)
        plain = self.send("gcs", "GET", bucket, b"a", headers={"range": "bytes=0-0"})
        self.assertEqual((plain.status, plain.body), (200, b"plain"))
        self.assertNotIn("content-length", plain.headers)
        self.assertNotIn("content-encoding", plain.headers)
        self.assertEqual(plain.headers["x-goog-stored-content-length"], str(len(stored)))
        self.assertNotIn("content-length", self.send("gcs", "HEAD", bucket, b"a").headers)
        raw = self.send("gcs", "GET", bucket, b"a", after_signing={"accept-encoding": "gzip"})
        self.assertEqual((raw.body, raw.headers["content-encoding"]), (stored, "gzip"))
        signed = self.send("gcs", "GET", bucket, b"a", headers={"accept-encoding": "gzip"})
        self.assertEqual(signed.code(), "SignatureDoesNotMatch")

    def test_gcs_says_crc32c_and_md5(self):
        bucket = self.bucket("gcs")
        put = self.send("gcs", "PUT", bucket, b"a", body=b"123456789")
        self.assertEqual(put.headers["x-goog-hash"], "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==")
        parts, _, done = self.upload("gcs", bucket, b"k", [b"123456789"])
        self.assertIn("md5=", parts[0].headers["x-goog-hash"])
        self.assertNotIn("x-goog-hash", done.headers)
        self.assertEqual(self.send("gcs", "HEAD", bucket, b"k").headers["x-goog-hash"],
                         "crc32c=4waSgw==")

    def test_r2_wants_equal_parts(self):
        bucket = self.bucket("r2")
        for sizes, status in (((5, 5, 1), 200), ((5, 6, 1), 400), ((5, 6), 400)):
            _, _, done = self.upload("r2", bucket, b"k", [bytes(size * MIB) for size in sizes])
            self.assertEqual(done.status, status, sizes)
        copied = self.send("r2", "PUT", bucket, b"to", headers={
            "x-amz-copy-source": f"{bucket}/k", "x-amz-tagging-directive": "COPY"})
        self.assertEqual(copied.status, 501)

    def test_aws_checks_and_says_checksums(self):
        bucket = self.bucket("aws")
        for name, text in (("crc32", "y/Q5Jg=="), ("crc32c", "4waSgw=="),
                           ("crc64nvme", "rosUhgp5mIg=")):
            header = "x-amz-checksum-" + name
            put = self.send("aws", "PUT", bucket, b"a", headers={header: text}, body=b"123456789")
            self.assertEqual((put.status, put.headers[header]), (200, text))
            wrong = self.send("aws", "PUT", bucket, b"a", headers={header: text}, body=b"other")
            self.assertEqual(wrong.code(), "BadDigest")
            head = self.send("aws", "HEAD", bucket, b"a", headers={
                "x-amz-checksum-mode": "ENABLED"})
            self.assertEqual((head.headers[header], head.headers["x-amz-checksum-type"]),
                             (text, "FULL_OBJECT"))
        for asks in ({}, {"x-amz-checksum-algorithm": "CRC64NVME",
                          "x-amz-checksum-type": "FULL_OBJECT"}):
            _, _, done = self.upload("aws", bucket, b"k", [b"123456789"], asks)
            self.assertEqual(done.xml().findtext("ChecksumCRC64NVME"), "rosUhgp5mIg=")
        _, _, done = self.upload("aws", bucket, b"k", [b"12"], complete_headers={
            "x-amz-mp-object-size": "3"})
        self.assertEqual(done.code(), "InvalidRequest")

    def test_aws_archives_encrypts_locks_and_asks_who_owns_and_pays(self):
        bucket = self.bucket("aws", **{"x-amz-bucket-object-lock-enabled": "true"})
        self.send("aws", "PUT", bucket, b"cold", headers={"x-amz-storage-class": "GLACIER"})
        self.assertEqual(self.send("aws", "GET", bucket, b"cold").code(), "InvalidObjectState")
        body = b"<RestoreRequest><Days>1</Days></RestoreRequest>"
        restore = lambda: self.send("aws", "POST", bucket, b"cold", "restore",  # noqa: E731
                                    body=body).status
        self.assertEqual([restore(), restore()], [202, 409])
        told = lambda **headers: self.send("aws", "GET", bucket, query="list-type=2",  # noqa: E731
                                           headers=headers).xml().find("Contents/RestoreStatus")
        asked = {"x-amz-optional-object-attributes": "RestoreStatus"}
        self.assertEqual(told(**asked).findtext("IsRestoreInProgress"), "true")
        self.assertIsNone(told(**asked).find("RestoreExpiryDate"))
        self.control(f"/_restored/aws/{bucket}?key=cold", "POST")
        self.assertEqual(restore(), 200)
        self.assertIsNotNone(told(**asked).find("RestoreExpiryDate"))
        self.assertIsNone(told())
        self.assertEqual(self.send("aws", "GET", bucket, b"cold").status, 200)
        kms = self.send("aws", "PUT", bucket, b"a", body=b"1",
                        headers={"x-amz-server-side-encryption": "aws:kms"})
        self.assertEqual(kms.headers["x-amz-server-side-encryption"], "aws:kms")
        self.assertNotEqual(kms.etag(), hashlib.md5(b"1").hexdigest())
        lock = {"x-amz-object-lock-legal-hold": "ON"}
        self.assertEqual(self.send("aws", "PUT", bucket, b"l", headers=lock).code(),
                         "InvalidRequest")
        lock["content-md5"] = base64.b64encode(hashlib.md5().digest()).decode()
        self.assertEqual(self.send("aws", "PUT", bucket, b"l", headers=lock).status, 200)
        other = self.send("aws", "GET", bucket, b"a",
                          headers={"x-amz-expected-bucket-owner": "444455556666"})
        self.assertEqual(other.status, 403)
        body = (b"<RequestPaymentConfiguration><Payer>Requester</Payer>"
                b"</RequestPaymentConfiguration>")
        self.send("aws", "PUT", bucket, query="requestPayment", body=body)
        self.assertEqual(self.send("aws", "GET", bucket, b"a").status, 403)
        paid = self.send("aws", "GET", bucket, b"a", headers={"x-amz-request-payer": "requester"})
        self.assertEqual(paid.headers["x-amz-request-charged"], "requester")


class CrcTest(unittest.TestCase):
    def test_check_values(self):
        for check, value in ((crc.crc32c, 0xE3069283), (crc.crc64ecma, 0x995DC9BBDF1939FA),
                             (crc.crc64nvme, 0xAE8B14860A799888)):
            self.assertEqual(check(b"123456789"), value)

    def test_long_messages_agree_with_zlib(self):
        check = crc.Crc(32, 0x04C11DB7).of
        for size in (0, 1, 2048, 2049, 4096, 70_001):
            message = os.urandom(size)
            self.assertEqual(check(message), crc.crc32(message), size)


if __name__ == "__main__":
    unittest.main()
