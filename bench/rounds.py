"""Ours and the peer in turn, over the same content."""
from ferry import Ferry
from programs import CannotMeasure, say


def in_turn(bench, name, **runs):
    """The samples of each. Who goes first changes from round to round, so that nobody always finds the
    warmer machine."""
    samples = {who: [] for who in runs}
    for number in range(bench.runs):
        order = list(runs.items())
        for who, run in order if number % 2 == 0 else reversed(order):
            sample = run()
            samples[who].append(sample)
            say(f"{name}: round {number + 1} of {bench.runs}, {who}: {sample.wall:.2f} s, "
                f"CPU {sample.cpu:.2f} s, {sample.memory:.0f} MiB")
    return list(samples.values())


def copy_rounds(bench, name, objects, size, transfer, rclone_options, **others):
    """Samples of ours, the peer, and the others."""
    def peer():
        bench.fresh_destination()
        sample = bench.rclone("copy", *rclone_options)
        bench.expect_destination(objects, objects * size)
        return sample

    return in_turn(bench, name, ours=lambda: copied(bench, objects, size, transfer), peer=peer, **others)


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
