#!/usr/bin/python3
"""Fills a bucket with what real buckets hold: many small objects, some large ones, awkward keys and metadata.

The content is the same for the same arguments. What arrived is listed and compared: a key that the
client or the server changed on the way ends with exit 1.
"""
import argparse
import concurrent.futures
import random
import sys
import time

from independent_s3 import add_arguments, connect, list_keys, raw_headers, shown

MIB = 1 << 20

AWKWARD = [
    "a", "a/b", "a//b", "a/./b", "a/../b", "../x", "./x", "/leading", "trailing/", "dir/", "dir/inside",
    "//", ".", "..", "+ %25 & 日本", "a+b", "a b", " lead and trail ", "%2F", "%", "?query=1&b=2#fragment",
    "semi;colon,comma=equals@at:colon$", "~tilde*star!bang(paren)[bracket]{brace}^`|",
    "quote'single", 'quote"double', "back\\slash", "<xml>&amp;", "]]>", "control-\x01-\x1f-\x7f",
    "tab\there", "newline\nhere", "return\rhere", "crlf\r\nhere",
    "nfc-\u00e9", "nfd-e\u0301", "emoji-\U0001f680", "bom-\ufeff", "rtl-\u202e", "surrogate-order-\uffee",
    "nbsp-\u00a0", "nel-\u0085", "line-separator-\u2028",
    "long/" + "k" * 1019, "long-utf8/" + "\u00e9" * 507,
]

METADATA = {
    "meta/headers": dict(ContentType="text/plain; charset=utf-8", ContentEncoding="gzip",
                         ContentDisposition='attachment; filename="a b.txt"', ContentLanguage="de, en",
                         CacheControl="max-age=60, public", Expires="Thu, 01 Dec 2033 16:00:00 GMT"),
    "meta/no-type": {},
    "meta/redirect": dict(WebsiteRedirectLocation="/meta/headers"),
    "meta/user": dict(Metadata={"plain": "value", "spaces": "two  spaces inside", "empty": "",
                                "mixed-case": "MiXed", "punctuation": "a=b; c,d \"e\" 'f' %20+"}),
    "meta/tags": dict(Tagging="project=ferry&empty=&sp%20ace=a%2Bb%26c&unicode=%C3%A9"),
    "meta/tags-and-user": dict(Tagging="a=1", Metadata={"k": "v"}, ContentType="image/png"),
}
# Sent as bytes after signing: legal on the wire, refused by boto3.
RAW = {
    "meta/expires-text": {"Expires": b"soon, perhaps"},
    "meta/user-non-ascii": {"x-amz-meta-city": "Zürich 東京".encode()},
    "meta/user-latin1": {"x-amz-meta-city": "Zürich".encode("latin-1")},
}


def body_of(name, size):
    """Random bytes, each MiB stamped with its number: swapped or repeated parts differ."""
    generator = random.Random(name)
    if size <= MIB:
        return generator.randbytes(size)
    block = generator.randbytes(MIB - 8)
    blocks = (size + MIB - 1) // MIB
    return b"".join(n.to_bytes(8, "big") + block for n in range(blocks))[:size]


def put_multipart(client, bucket, key, body, part_size):
    upload = client.create_multipart_upload(Bucket=bucket, Key=key, ContentType="video/mp4",
                                            Metadata={"parts": "yes"})["UploadId"]
    parts = []
    for number, start in enumerate(range(0, len(body), part_size), 1):
        answer = client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number,
                                    Body=body[start:start + part_size])
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    client.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
    # RGW 16.2 drops x-amz-tagging when an upload is created.
    client.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": "size", "Value": "large"}]})


def large(text):
    multipart = text.endswith("m")
    return int(text.rstrip("m")), multipart


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bucket")
    add_arguments(parser, "", "SRC")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--small", type=int, default=3000, metavar="N", help="objects of about 1 KiB")
    parser.add_argument("--small-size", type=int, metavar="BYTES", help="exact size of each (default varies)")
    parser.add_argument("--prefixes", type=int, default=20, metavar="N", help="the small ones are spread over")
    parser.add_argument("--large", nargs="*", type=large, default=[(40, False), (100, True), (33, False)],
                        metavar="MIB[m]", help="'m' uploads in parts (default: 40 100m 33)")
    parser.add_argument("--no-awkward", action="store_true", help="neither awkward keys nor metadata")
    parser.add_argument("--threads", type=int, default=8)
    arguments = parser.parse_args()
    client = connect(arguments, "", arguments.threads)
    bucket, began = arguments.bucket, time.monotonic()
    if bucket not in (b["Name"] for b in client.list_buckets()["Buckets"]):
        client.create_bucket(Bucket=bucket)

    expected, todo = {}, []

    def put(key, body, raw=None, **headers):
        key = arguments.prefix + key
        expected[key] = len(body)

        def send():
            with raw_headers(raw or {}):
                client.put_object(Bucket=bucket, Key=key, Body=body, **headers)
        todo.append((key, send))

    # Large ones first: the others fill the time beside them.
    for number, (mib, multipart) in enumerate(arguments.large):
        key, body = f"large/{number}-{mib}MiB.bin", body_of(f"large{number}", mib * MIB)
        if multipart:
            key = arguments.prefix + key
            expected[key] = len(body)
            todo.append((key, lambda k=key, b=body: put_multipart(client, bucket, k, b, 8 * MIB)))
        else:
            put(key, body, ContentType="video/mp4")
    if not arguments.no_awkward:
        for key in AWKWARD:
            put(key, b"content of " + key.encode())
        put("zero-byte", b"")
        put("zero-byte-folder/", b"")
        for key, headers in METADATA.items():
            put(key, body_of(key, 500), **headers)
        for key, headers in RAW.items():
            put(key, body_of(key, 500), raw=headers)
    for number in range(arguments.small):
        size = arguments.small_size
        if size is None:
            size = random.Random(number).randrange(1, 2048)
        put(f"p{number % arguments.prefixes:02d}/object-{number:07d}.dat", body_of(f"small{number}", size),
            ContentType="application/octet-stream")

    refused = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.threads) as pool:
        waiting = {pool.submit(send): key for key, send in todo}
        for done in concurrent.futures.as_completed(waiting):
            if done.exception() is not None:
                refused += 1
                print(f"refused: {shown(waiting[done])[:100]}: {done.exception()}", file=sys.stderr)
    arrived = list_keys(client, bucket, arguments.prefix)
    wrong = [f"not listed: {shown(k)[:100]}" for k in expected if k not in arrived]
    wrong += [f"listed as {arrived[k][0]} bytes, sent {size}: {shown(k)[:100]}"
              for k, size in expected.items() if k in arrived and arrived[k][0] != size]
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    print(f"filled {bucket}: {len(expected)} objects, {sum(expected.values()) / MIB:.0f} MiB, "
          f"{time.monotonic() - began:.1f} s")
    return 1 if wrong or refused else 0


if __name__ == "__main__":
    sys.exit(main())
