"""From a request to the operation it means, and to its answer."""
import json
from urllib.parse import quote

import attributes
import chunked
import listings
import objects
import signature
import uploads
from answers import (Answer, S3Error, element, error_answer, iso_date, refused, request_id_headers,
                     xml_answer)
from bucket import Bucket, Memory, Provider
from habits import NOT_IMPLEMENTED, PROVIDERS

_NOT_SERVED = ("accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption",
               "inventory", "legal-hold", "lifecycle", "logging", "metrics", "notification",
               "object-lock", "ownershipControls", "policy", "publicAccessBlock", "replication",
               "retention", "select", "torrent", "website")


def _operation(request):
    """The name of the operation in S3's API reference."""
    def asked(name):
        return request.param(name) is not None

    method = request.method
    if request.bucket is None:
        return "ListBuckets" if method == "GET" else "Unknown"
    if any(asked(name) for name in _NOT_SERVED):
        return "NotServed"
    if not request.key:
        if method in ("GET", "PUT"):
            for name, operation in (("versioning", "BucketVersioning"),
                                    ("requestPayment", "BucketRequestPayment")):
                if asked(name):
                    return method.capitalize() + operation
        if method == "GET":
            return ("ListObjectVersions" if asked("versions") else
                    "ListMultipartUploads" if asked("uploads") else
                    "GetBucketLocation" if asked("location") else
                    "ListObjectsV2" if request.param("list-type") == b"2" else "ListObjects")
        return {"PUT": "CreateBucket", "HEAD": "HeadBucket",
                "DELETE": "DeleteBucket"}.get(method, "Unknown")
    if asked("tagging") and method in ("GET", "PUT", "DELETE"):
        return method.capitalize() + "ObjectTagging"
    copies = request.has_header("x-amz-copy-source")
    if asked("uploadId"):
        return {"GET": "ListParts", "PUT": "UploadPartCopy" if copies else "UploadPart",
                "POST": "CompleteMultipartUpload",
                "DELETE": "AbortMultipartUpload"}.get(method, "Unknown")
    if method == "POST":
        return ("CreateMultipartUpload" if asked("uploads") else
                "RestoreObject" if asked("restore") else "Unknown")
    return {"GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject",
            "PUT": "CopyObject" if copies else "PutObject"}.get(method, "Unknown")


_ON_BUCKETS = {
    "ListObjects": listings.objects, "ListObjectsV2": listings.objects,
    "ListObjectVersions": listings.versions, "ListMultipartUploads": listings.uploads,
    "PutObject": objects.put, "GetObject": objects.get, "HeadObject": objects.get,
    "DeleteObject": objects.delete, "GetObjectTagging": objects.get_tags,
    "PutObjectTagging": objects.put_tags, "DeleteObjectTagging": objects.delete_tags,
    "RestoreObject": objects.restore, "CreateMultipartUpload": uploads.create,
    "UploadPart": uploads.put_part, "ListParts": uploads.list_parts,
    "CompleteMultipartUpload": uploads.complete, "AbortMultipartUpload": uploads.abort,
}
_COPIES = {"CopyObject": objects.copy, "UploadPartCopy": uploads.copy_part}


class Service:
    def __init__(self):
        memory = Memory()
        self.providers = {name: Provider(habits, memory) for name, habits in PROVIDERS.items()}

    def is_control(self, request):
        return not request.virtual_host and request.path.startswith((b"/_inspect/", b"/_requests/",
                                                                     b"/_restored/"))

    def before_body(self, request):
        """What is known to be wrong before the body is read, or None."""
        if self.is_control(request):
            return None
        if request.habits is None:
            return Answer(400, [("content-type", "text/plain")],
                          b"the Host header names none of the providers: "
                          b"[BUCKET.]PROVIDER.localhost:PORT\n", close=True)
        request.operation = _operation(request)
        provider = self.providers[request.habits.name]
        with provider.lock:
            name = f"{request.method} {request.operation}"
            provider.requests[name] = provider.requests.get(name, 0) + 1
        return self._try(request, lambda: self._check(request))

    def answer(self, request):
        if self.is_control(request):
            return self._control(request)
        return self._try(request, lambda: self._serve(request))

    def _try(self, request, work):
        """The answer of work, or of what it raises, as the provider words it."""
        id_headers = request_id_headers(request.habits)
        try:
            answer = work()
        except S3Error as error:
            resource = quote(request.path, safe="/")
            answer = error_answer(request.habits, error, id_headers, resource)
            if request.method == "HEAD":
                answer.length, answer.body = len(answer.body), b""
        if answer is not None:
            server = [("server", request.habits.name)]
            # A repeated Complete is answered by the answer of the first.
            answer = Answer(answer.status, id_headers + server + answer.headers, answer.body,
                            answer.length, answer.chunked, answer.close)
        return answer

    def _check(self, request):
        habits = request.habits
        if habits.path_style_refusal and request.bucket and not request.virtual_host:
            raise refused(habits.path_style_refusal)
        signature.check(request)
        if habits.checks_owner:
            for name in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
                if request.header(name, habits.owner_id) != habits.owner_id:
                    raise S3Error(403, "AccessDenied", "Access Denied")
        attributes.check_refused_headers(request)

    def _serve(self, request):
        chunked.decode(request)
        signature.check_payload(request)
        provider = self.providers[request.habits.name]
        with provider.lock:
            if request.operation == "ListBuckets":
                return self._list_buckets(provider)
            if request.operation in ("NotServed", "Unknown"):
                raise refused(NOT_IMPLEMENTED)
            if request.operation == "CreateBucket":
                return self._create_bucket(provider, request)
            bucket = provider.buckets.get(request.bucket)
            if bucket is None:
                raise S3Error(404, "NoSuchBucket", "The specified bucket does not exist",
                              [("BucketName", request.bucket)])
            return self._on_bucket(provider, request, bucket)

    def _on_bucket(self, provider, request, bucket):
        payer = request.header("x-amz-request-payer") == "requester"
        if bucket.requester_pays and not payer and request.key:
            raise S3Error(403, "AccessDenied", "Access Denied")
        if request.operation in _COPIES:
            answer = _COPIES[request.operation](request, bucket, provider.buckets)
        elif request.operation in _ON_BUCKETS:
            answer = _ON_BUCKETS[request.operation](request, bucket)
        else:
            answer = self._bucket_itself(provider, request, bucket)
        if bucket.requester_pays and payer:
            answer.headers.append(("x-amz-request-charged", "requester"))
        return answer

    def _list_buckets(self, provider):
        buckets = [element("Bucket", [element("Name", bucket.name),
                                      element("CreationDate", iso_date(bucket.created))])
                   for bucket in provider.buckets.values()]
        return xml_answer("ListAllMyBucketsResult",
                          [element("Owner", [element("ID", provider.habits.owner_id)]),
                           element("Buckets", buckets)])

    def _create_bucket(self, provider, request):
        if request.bucket in provider.buckets:
            raise S3Error(409, "BucketAlreadyOwnedByYou", "Your previous request to create the "
                          "named bucket succeeded and you already own it.")
        locked = request.header("x-amz-bucket-object-lock-enabled").lower() == "true"
        provider.buckets[request.bucket] = Bucket(request.bucket, provider.memory,
                                                  locked and provider.habits.object_lock)
        return Answer(200, [("location", "/" + request.bucket)])

    def _bucket_itself(self, provider, request, bucket):
        habits, operation = provider.habits, request.operation
        if operation == "HeadBucket":
            return Answer(200, [("x-amz-bucket-region", habits.region)])
        if operation == "DeleteBucket":
            if bucket.keys or bucket.uploads:
                raise S3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
            del provider.buckets[bucket.name]
            return Answer(204)
        if operation == "GetBucketLocation":
            region = "" if habits.region == "us-east-1" else habits.region
            return xml_answer("LocationConstraint", [region.encode()])
        if operation.endswith("BucketVersioning"):
            return self._versioning(request, bucket)
        if operation.endswith("BucketRequestPayment") and habits.requester_pays:
            if request.method == "PUT":
                payer = objects.parse_xml(request.body).findtext("Payer")
                bucket.requester_pays = payer == "Requester"
                return Answer(200)
            payer = "Requester" if bucket.requester_pays else "BucketOwner"
            return xml_answer("RequestPaymentConfiguration", [element("Payer", payer)])
        raise refused(NOT_IMPLEMENTED)

    def _versioning(self, request, bucket):
        if request.habits.versions_refusal:
            raise refused(request.habits.versions_refusal)
        if request.method == "PUT":
            status = objects.parse_xml(request.body).findtext("Status")
            if status not in ("Enabled", "Suspended"):
                raise S3Error(400, "IllegalVersioningConfigurationException",
                              "The Versioning element must be specified")
            bucket.versioning = status
            return Answer(200)
        content = [element("Status", bucket.versioning)] if bucket.versioning else []
        return xml_answer("VersioningConfiguration", content)

    def _control(self, request):
        what, _, rest = request.path[2:].decode("latin-1").partition("/")
        name, _, bucket_name = rest.partition("/")
        provider = self.providers.get(name)
        if provider is None:
            return _json(404, {"error": "no such provider"})
        with provider.lock:
            if what == "requests":
                return _json(200, provider.requests)
            bucket = provider.buckets.get(bucket_name)
            if bucket is None:
                return _json(404, {"error": "no such bucket"})
            key, version_id = request.param("key"), request.param("versionId")
            if key is None:
                return _json(200, {"keys": [one.decode("utf-8", "backslashreplace")
                                            for one in bucket.keys],
                                   "uploads": len(bucket.uploads)})
            stored = (bucket.latest(key) if version_id is None
                      else bucket.version(key, version_id.decode("latin-1")))
            if stored is None:
                return _json(404, {"error": "no such object"})
            if what == "restored":
                stored.restore = "done"
            return _json(200, _described(stored))


def _described(stored):
    about = stored.attributes
    return {"headers": dict(about.headers), "tags": dict(about.tags),
            "storage_class": about.storage_class, "sse": about.sse, "acl": about.acl,
            "lock": about.lock, "size": len(stored.body), "md5": stored.digest("md5").hex(),
            "etag": stored.etag, "version_id": stored.version_id,
            "delete_marker": stored.delete_marker, "multipart": stored.multipart,
            "checksum": list(stored.checksum), "restore": stored.restore}


def _json(status, value):
    body = json.dumps(value).encode() + b"\n"
    return Answer(status, [("content-type", "application/json")], body)
