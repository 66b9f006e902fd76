"""provider_server as a process, and requests to it that botocore signs: for tests that speak to it themselves."""
import http.client
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from urllib.parse import quote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

HERE = os.path.dirname(os.path.abspath(__file__))

ALL = ("aws", "oss", "cos", "kodo", "gcs", "r2", "minio", "s3")
VERSIONED = ("aws", "oss", "cos", "minio", "s3")
TAGGED = VERSIONED
VIRTUAL_ONLY = ("oss", "cos")
REGIONS = {"aws": "eu-west-1"}
MIB = 1 << 20
PARTS = {"oss": 100 << 10, "cos": MIB, "kodo": MIB}  # the smallest; else 5 MiB


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def xml(self):
        root = ElementTree.fromstring(self.body)
        for node in root.iter():
            node.tag = node.tag.rpartition("}")[2]
        return root

    def code(self):
        return self.xml().findtext("Code")

    def all(self, path):
        return [node.text for node in self.xml().findall(path)]

    def etag(self):
        return self.headers["etag"].strip('"')


class Signer(S3SigV4Auth):
    """botocore's, with the time and the hash of the payload that the test wants."""

    def __init__(self, keys, region, payload_hash, signed_at):
        super().__init__(keys, "s3", region)
        self._payload_hash = payload_hash
        self._signed_at = signed_at

    def _modify_request_before_signing(self, request):
        if self._signed_at:
            request.context["timestamp"] = self._signed_at.strftime("%Y%m%dT%H%M%SZ")
        super()._modify_request_before_signing(request)

    def payload(self, request):
        return self._payload_hash or super().payload(request)


class ProviderServer:
    """One process and one connection to it. close() ends both; so does our own end."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "provider_server")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.port = int(self._process.stdout.readline().split()[1])
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def close(self):
        self.connection.close()
        self._process.stdin.close()  # ends it
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def endpoint(self, provider):
        return f"http://{provider}.localhost:{self.port}"

    def send(self, provider, method, bucket="b", key=b"", query="", headers=None, body=b"",
             path_style=None, access_key=None, secret_key=None, region=None, payload_hash=None,
             signed_at=None, after_signing=None):
        path = quote(key, safe="/-_.~")
        if path_style is None:
            path_style = provider not in VIRTUAL_ONLY
        host = f"{provider}.localhost:{self.port}"
        if path_style:
            path = f"/{bucket}/{path}" if key else f"/{bucket}"
        else:
            host, path = f"{bucket}.{host}", "/" + path
        url = f"http://{host}{path}" + (f"?{query}" if query else "")
        request = AWSRequest(method, url, headers=headers or {}, data=body)
        keys = Credentials(access_key or "AK" + provider, secret_key or "SK" + provider)
        region = region or REGIONS.get(provider, "any-region")
        Signer(keys, region, payload_hash, signed_at).add_auth(request)
        self.connection.putrequest(method, url.removeprefix(f"http://{host}"), skip_host=True,
                                   skip_accept_encoding=True)
        for name, value in {"host": host, **dict(request.headers), **(after_signing or {})}.items():
            self.connection.putheader(name, value)
        self.connection.putheader("content-length", str(len(body)))
        self.connection.endheaders(body)
        return Reply(self.connection.getresponse())

    def control(self, path, method="GET"):
        self.connection.request(method, path, headers={"host": "localhost"})
        return json.loads(Reply(self.connection.getresponse()).body)

    def complete(self, provider, bucket, key, upload_id, parts, headers=None):
        body = "".join(f"<Part><PartNumber>{i}</PartNumber><ETag>{part.headers['etag']}</ETag>"
                       "</Part>" for i, part in enumerate(parts, 1))
        body = f"<CompleteMultipartUpload>{body}</CompleteMultipartUpload>".encode()
        return self.send(provider, "POST", bucket, key, f"uploadId={upload_id}", headers, body)
