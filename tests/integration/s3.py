#!/usr/bin/python3
"""What tests do to buckets besides filling and comparing them, through boto3.

    s3.py ASK ANSWER

Reads from the pipe ASK lines of JSON and writes for each a line to the pipe ANSWER: what was printed, as
a JSON text, or an object with the error. A line is a list:

    src|dst make BUCKET...            drop BUCKET...
            put BUCKET KEY=BYTES...   delete BUCKET KEY...
            keys BUCKET               uploads BUCKET
            put_marked BUCKET KEY BYTES MARK   with the mark as metadata and tag
            mark_again BUCKET KEY MARK         the same bytes
            describe BUCKET KEY [VERSION]      bytes, metadata and tags
            versioning BUCKET Enabled|Suspended
            version BUCKET KEY                 the id of the current one
            delete_version BUCKET KEY VERSION  for good
            put_parts BUCKET KEY BYTES BYTES   an upload in parts of the second size
            etags BUCKET
            begin BUCKET KEY...       replace_part BUCKET KEY NUMBER
            acl BUCKET ACL [KEY...]   of the bucket, or of these objects in it
            flip BUCKET KEY BYTE      that byte becomes another one
            meta BUCKET KEY NAME=VALUE...   its only x-amz-meta-*; content_type too
            tag BUCKET KEY NAME=VALUE...    its only tags
"""
import contextlib
import hashlib
import io
import json
import random
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "servers"))
from independent_s3 import connect, list_keys, shown  # noqa: E402

MIB = 1 << 20


def make(client, *buckets):
    for bucket in buckets:
        client.create_bucket(Bucket=bucket)


def drop(client, *buckets):
    for bucket in buckets:
        try:
            keys = list(list_keys(client, bucket))
        except client.exceptions.NoSuchBucket:
            continue
        for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        for key in keys:
            client.delete_object(Bucket=bucket, Key=key)
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", []) + page.get("DeleteMarkers", []):
                client.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
        client.delete_bucket(Bucket=bucket)


def put(client, bucket, *sizes):
    """Other bytes at each call."""
    for text in sizes:
        key, size = text.rsplit("=", 1)
        client.put_object(Bucket=bucket, Key=key, Body=random.randbytes(int(size)))


def put_parts(client, bucket, key, size, part_size):
    """As another program uploads it."""
    upload = client.create_multipart_upload(Bucket=bucket, Key=key, Metadata={"by": "parts"})["UploadId"]
    parts, left = [], int(size)
    while left > 0:
        length, number = min(left, int(part_size)), len(parts) + 1
        answer = client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number,
                                    Body=random.randbytes(length))
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        left -= length
    client.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})


def etags(client, bucket):
    for key, (_, etag) in list_keys(client, bucket).items():
        print(shown(key), etag)


def delete(client, bucket, *keys):
    for key in keys:
        client.delete_object(Bucket=bucket, Key=key)


def versioning(client, bucket, status):
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def version(client, bucket, key):
    print(client.head_object(Bucket=bucket, Key=key)["VersionId"], end="")


def delete_version(client, bucket, key, version_id):
    client.delete_object(Bucket=bucket, Key=key, VersionId=version_id)


def put_marked(client, bucket, key, size, mark, body=None):
    client.put_object(Bucket=bucket, Key=key, Body=body or random.randbytes(int(size)),
                      Metadata={"mark": mark}, Tagging=f"mark={mark}")


def mark_again(client, bucket, key, mark):
    """The same bytes, another mark."""
    put_marked(client, bucket, key, 0, mark, client.get_object(Bucket=bucket, Key=key)["Body"].read())


def describe(client, bucket, key, *version_id):
    """Everything of an object that is copied."""
    which = {"Bucket": bucket, "Key": key} | {"VersionId": one for one in version_id}
    found = client.get_object(**which)
    print(hashlib.md5(found["Body"].read()).hexdigest(), found["Metadata"], found["ContentType"],
          client.get_object_tagging(**which)["TagSet"])


def keys(client, bucket):
    for key in list_keys(client, bucket):
        print(shown(key))


def uploads(client, bucket):
    for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        print(shown(upload["Key"]))


def begin(client, bucket, *keys):
    """An upload of each, as another program would begin it."""
    for key in keys:
        upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"theirs")


def replace_part(client, bucket, key, number):
    """Other bytes as this part of the only upload of the key."""
    [upload] = client.list_multipart_uploads(Bucket=bucket, Prefix=key)["Uploads"]
    client.upload_part(Bucket=bucket, Key=key, UploadId=upload["UploadId"], PartNumber=int(number),
                       Body=random.randbytes(5 * MIB))


def acl(client, bucket, value, *keys):
    if not keys:
        client.put_bucket_acl(Bucket=bucket, ACL=value)
    for key in keys:
        client.put_object_acl(Bucket=bucket, Key=key, ACL=value)


def flip(client, bucket, key, byte):
    answer = client.get_object(Bucket=bucket, Key=key)
    body = bytearray(answer["Body"].read())
    body[int(byte)] ^= 1
    client.put_object(Bucket=bucket, Key=key, Body=bytes(body), Metadata=answer["Metadata"],
                      ContentType=answer["ContentType"])


def meta(client, bucket, key, *pairs):
    """As a copy onto itself: the bytes and their ETag stay."""
    values = dict(pair.split("=", 1) for pair in pairs)
    content_type = values.pop("content_type", "binary/octet-stream")
    client.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": key}, Metadata=values,
                       ContentType=content_type, MetadataDirective="REPLACE")


def tag(client, bucket, key, *pairs):
    tags = [dict(zip(("Key", "Value"), pair.split("=", 1))) for pair in pairs]
    client.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": tags})


ACTIONS = {f.__name__: f for f in (make, drop, put, delete, keys, uploads, acl, flip, meta, tag, versioning, version,
                                   delete_version, put_marked, mark_again, describe, begin, replace_part, put_parts, etags)}


def answer(clients, store, action, *arguments):
    if store not in clients:
        clients[store] = connect(
            SimpleNamespace(store=store, endpoint=None, access_key=None, secret_key=None), "")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        ACTIONS[action](clients[store], *arguments)
    return printed.getvalue()


def main():
    clients = {}
    with open(sys.argv[1]) as ask, open(sys.argv[2], "w") as tell:
        for line in ask:
            try:
                result = answer(clients, *json.loads(line))
            except Exception as error:  # whatever it is, the test reports it
                result = {"error": repr(error)}
            print(json.dumps(result), file=tell, flush=True)


if __name__ == "__main__":
    main()
