"""The limit of this machine and its servers: a GET and a PUT of each piece, and nothing else."""
import json

from programs import call, clean_environment


def pieces(objects, piece_bytes):
    """Lines for bare_copy: no object in pieces of more than `piece_bytes`. `objects`: (key, size)"""
    return "".join(f"{first} {min(piece_bytes, size - first)} {key}\n"
                   for key, size in objects for first in range(0, size, piece_bytes))


def bare_copy(bench, piece_bytes, *options):
    """One timed copy of the source into an empty bucket. Each piece becomes an object."""
    bench.fresh_destination()
    listed = json.loads(call("rclone", "lsjson", "-R", "--files-only", "--no-modtime", "--no-mimetype",
                             "src:bench", env=bench.rclone_environment()))
    lines = pieces([(entry["Path"], entry["Size"]) for entry in listed], piece_bytes)
    names = ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY")
    environment = {f"{name.upper()}_{what}": value for name in ("src", "dst")
                   for what, value in zip(names, bench.store(name))}
    path = bench.work / (bench.new_name("pieces") + ".txt")
    path.write_text(lines, encoding="utf-8")
    with open(path, encoding="utf-8") as stdin:
        sample = bench.timed(bench.build / "bare_copy", *options, "bench", "bench", stdin=stdin,
                             env=clean_environment(**environment))
    bench.expect_destination(lines.count("\n"), sum(entry["Size"] for entry in listed))
    return sample
