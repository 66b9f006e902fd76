"""Ours and the peer in turn, over the same content."""
from ferry import Ferry
from programs import CannotMeasure, say


def in_turn(bench, name, ours, peer):
    """Who goes first changes from round to round, so that neither always finds the warmer machine."""
    samples = {"ours": [], "peer": []}
    for number in range(bench.runs):
        order = [("ours", ours), ("peer", peer)]
        for who, run in order if number % 2 == 0 else reversed(order):
            sample = run()
            samples[who].append(sample)
            say(f"{name}: round {number + 1} of {bench.runs}, {who}: {sample.wall:.2f} s, "
                f"CPU {sample.cpu:.2f} s, {sample.memory:.0f} MiB")
    return samples["ours"], samples["peer"]


def copy_rounds(bench, name, objects, size, transfer, rclone_options):
    def peer():
        bench.fresh_destination()
        sample = bench.rclone("copy", *rclone_options)
        bench.expect_destination(objects, objects * size)
        return sample

    return in_turn(bench, name, lambda: copied(bench, objects, size, transfer), peer)


def copied(bench, objects, size, transfer):
    """One timed run of ours that brings all objects into an empty bucket."""
    bench.fresh_destination()
    with Ferry(bench, (bench.store("src"), bench.store("dst")), ("bench", "bench"), transfer) as ferry:
        sample, counts = ferry.run()
    if counts["done"] != objects:
        raise CannotMeasure(f"the run counts {counts['done']} objects done, not {objects}")
    bench.expect_destination(objects, objects * size)
    return sample


def expect_nothing_planned(counts):
    if counts["planned"] != 0:
        raise CannotMeasure(f"an idle run planned {counts['planned']} objects")
