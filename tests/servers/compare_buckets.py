#!/usr/bin/python3
"""Compares two buckets through boto3: keys, sizes, bytes, headers, user metadata, tags.

One line for each difference, at most 20; exit 1 if there is any.
"""
import argparse
import concurrent.futures
import hashlib
import random
import sys

from independent_s3 import add_arguments, connect, list_keys, shown

HEADERS = ("content-type", "content-encoding", "content-disposition", "content-language", "cache-control",
           "expires", "x-amz-website-redirect-location")


def seen(client, bucket, key, with_tags):
    answer = client.get_object(Bucket=bucket, Key=key)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    facts = {name: headers.get(name) for name in HEADERS}
    facts.update((name, value) for name, value in headers.items() if name.startswith("x-amz-meta-"))
    facts["size"] = int(headers["content-length"])
    digest, length = hashlib.sha256(), 0
    while chunk := answer["Body"].read(1 << 20):
        digest.update(chunk)
        length += len(chunk)
    facts["sha256"], facts["bytes read"] = digest.hexdigest(), length
    # No tagging count in the answer means no tags, but for servers that never send one.
    if with_tags or "x-amz-tagging-count" in headers:
        tags = client.get_object_tagging(Bucket=bucket, Key=key).get("TagSet", [])
        facts["tags"] = sorted((tag["Key"], tag["Value"]) for tag in tags)
    return facts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source_bucket")
    parser.add_argument("destination_bucket")
    add_arguments(parser, "source", "SRC")
    add_arguments(parser, "destination", "DST")
    parser.add_argument("--source-prefix", default="")
    parser.add_argument("--destination-prefix", default="")
    parser.add_argument("--sample", type=int, metavar="N",
                        help="read N small objects at random, besides all large and awkward ones "
                             "(default: read all)")
    parser.add_argument("--extra-ok", action="store_true", help="the destination may hold other keys")
    parser.add_argument("--keys-only", action="store_true", help="keys and sizes from the listings")
    parser.add_argument("--threads", type=int, default=8)
    arguments = parser.parse_args()
    source = connect(arguments, "source", arguments.threads)
    destination = connect(arguments, "destination", arguments.threads)

    here = list_keys(source, arguments.source_bucket, arguments.source_prefix)
    there = list_keys(destination, arguments.destination_bucket, arguments.destination_prefix)

    def mapped(key):
        return arguments.destination_prefix + key[len(arguments.source_prefix):]

    differences = []
    wanted = {mapped(key) for key in here}
    differences += [f"missing: {shown(key)}" for key in here if mapped(key) not in there]
    if not arguments.extra_ok:
        differences += [f"not in the source: {shown(key)}" for key in there if key not in wanted]
    both = [key for key in here if mapped(key) in there]
    differences += [f"size {here[key][0]} became {there[mapped(key)][0]}: {shown(key)}"
                    for key in both if here[key][0] != there[mapped(key)][0]]

    read = []
    if not arguments.keys_only:
        read = both
        if arguments.sample is not None:
            plain = [key for key in both if key.endswith(".dat") and here[key][0] < 1 << 20]
            chosen = set(random.sample(plain, min(arguments.sample, len(plain))))
            read = sorted(set(both) - set(plain) | chosen)

    def compare(key):
        a = seen(source, arguments.source_bucket, key, False)
        b = seen(destination, arguments.destination_bucket, mapped(key), "tags" in a)
        a.setdefault("tags", [])
        b.setdefault("tags", [])
        return [f"{name} {a.get(name)!r} became {b.get(name)!r}: {shown(key)}"
                for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]

    with concurrent.futures.ThreadPoolExecutor(arguments.threads) as pool:
        for found in pool.map(compare, read):
            differences += found
    for line in differences[:20]:
        print(line[:300])
    if len(differences) > 20:
        print(f"... {len(differences)} differences")
    print(f"compared {len(here)} keys, read {len(read)} on both sides: "
          f"{'equal' if not differences else str(len(differences)) + ' differences'}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
