"""What a link of the far side of the world lets through: bench/wan, the destination at its far end."""
from bench import MIB
from ferry import Ferry
from programs import say, stop
from rounds import copied, copy_rounds, expect_nothing_planned
from table import Goal, Row, rows_of
from wan.long_link import LinkOptions

LINK = LinkOptions()
CEILING_STREAMS, CEILING_SECONDS = 16, 15

# MiB in all -> the share of the link's rate that is to be reached. The more there is to
# send, the less the first round trips weigh.
LARGE_MIB = {512: 0.75, 2048: 0.85}
LARGE_OBJECTS = (1, 16)
# On stock TCP the loss bounds the peer's rate, and not how much there is to send; more of it would only
# take longer.
PEER_MIB, PEER_SECONDS, PEER_STREAMS = 128, 120, 16

SYSTEM_MIB, SYSTEM_MBIT = (512, 2048), 100
SYSTEM_TRANSFER = "transfer: {memory: 256MiB, congestion_control: system}\n"

SMALL_OBJECTS, SMALL_BYTES, SMALL_PREFIXES, SMALL_SECONDS = 2_000, 4096, 50, 5
KEYS, LIST_SECONDS_MAX = 200_000, 850


def long_large(bench):
    with bench.over(LINK) as link:
        ceiling = link.stream_mbit(CEILING_STREAMS, CEILING_SECONDS)
        say(f"long-large: {CEILING_STREAMS} plain BBR streams: {ceiling:.0f} Mbit/s")
        rows = [Row(f"the link: {LINK}", f"Mbit/s of {CEILING_STREAMS} plain BBR streams", [ceiling])]
        for objects in LARGE_OBJECTS:
            peer = peer_mbit(bench, "long-large", objects)
            for mib, share in LARGE_MIB.items():
                ours = large_rounds(bench, "long-large", objects, mib, "")
                rows += rate_rows(f"{objects} x {mib // objects} MiB over the link", mib, ours, peer,
                                  {"Mbit/s": Goal(share_least=share, ratio_least=10)}, ceiling)
    return rows


def long_system(bench):
    rows = []
    with bench.over(LINK):
        for objects in LARGE_OBJECTS:
            for mib in SYSTEM_MIB:
                ours = large_rounds(bench, "long-system", objects, mib, SYSTEM_TRANSFER)
                rows += rate_rows(f"{objects} x {mib // objects} MiB over the link, cubic, memory: 256MiB",
                                  mib, ours, [], {"Mbit/s": Goal(least=SYSTEM_MBIT)})
    return rows


def long_small(bench):
    with bench.over(LINK):
        bench.fill_source("long-small", "--small", SMALL_OBJECTS, "--small-size", SMALL_BYTES, "--prefixes",
                          SMALL_PREFIXES, "--large")
        ours, peer = copy_rounds(bench, "long-small", SMALL_OBJECTS, SMALL_BYTES, "",
                                 ("--transfers", "32", "--checkers", "16"))
    return rows_of(f"{SMALL_OBJECTS:,} x 4 KiB over the link", ours, peer, {"wall s": Goal(most=SMALL_SECONDS)})


def long_list(bench):
    """Both listings come over the link, from the far end's cubic: nothing at ours changes how it sends."""
    with bench.over(LINK):
        server, endpoint = bench.synthetic(KEYS)
        store = (endpoint, "access", "secret")
        ours = []
        with Ferry(bench, (store, store), ("left", "right")) as ferry:
            first, _ = ferry.run()
            say(f"long-list: adopted in {first.wall:.1f} s")
            for _ in range(bench.runs):
                sample, counts = ferry.run()
                expect_nothing_planned(counts)
                ours.append(sample)
                say(f"long-list: ours: {sample.wall:.1f} s")
        peer = bench.rclone("check", "--fast-list", "--size-only", stores={"src": store, "dst": store},
                            give_up_after=LIST_SECONDS_MAX)
        say(f"long-list: peer: {peer.wall:.1f} s" + ("" if peer.finished else ", not finished"))
        stop(server)
    return rows_of(f"listing {KEYS:,} keys twice over the link", ours, [peer],
                   {"wall s": Goal(ratio_most=1 / 15)})


def fill_large(bench, objects, mib):
    bench.fill_source(f"long {objects} x {mib}", "--small", 0, "--threads", 1,
                      "--large", *[mib // objects] * objects)


def large_rounds(bench, name, objects, mib, transfer):
    fill_large(bench, objects, mib)
    samples = []
    for number in range(bench.runs):
        sample = copied(bench, objects, mib // objects * MIB, transfer)
        samples.append(sample)
        say(f"{name}: {objects} x {mib // objects} MiB: round {number + 1} of {bench.runs}: {sample.wall:.1f} s, "
            f"{mbit(mib, sample):.0f} Mbit/s, CPU {sample.cpu:.2f} s, wan_link {sample.link_cpu:.2f} s")
    return samples


def peer_mbit(bench, name, objects):
    """Once: where it does not end in time, its rate is what came in at the far end, headers and all."""
    fill_large(bench, objects, PEER_MIB)
    bench.fresh_destination()
    sample = bench.rclone("copy", "--transfers", PEER_STREAMS, "--s3-upload-cutoff", "8M", "--s3-chunk-size", "8M",
                          "--s3-upload-concurrency", PEER_STREAMS, give_up_after=PEER_SECONDS)
    rate = mbit(PEER_MIB, sample) if sample.finished else sample.received * 8 / 1e6 / sample.wall
    say(f"{name}: {objects} x {PEER_MIB // objects} MiB: peer: {sample.wall:.1f} s"
        f"{'' if sample.finished else ', not finished'}, {rate:.1f} Mbit/s")
    return [rate]


def mbit(mib, sample):
    return mib * MIB * 8 / 1e6 / sample.wall


def rate_rows(work, mib, ours, peer, goals, ceiling=None):
    rates = [mbit(mib, sample) for sample in ours]
    rows = [Row(work, "Mbit/s", rates, peer, goals.get("Mbit/s", Goal()), [LINK.rate_mbit])]
    if ceiling:
        rows.append(Row(work, "Mbit/s, of plain BBR streams", rates, limit=[ceiling]))
    return rows + rows_of(work, ours, [], goals)


BENCHES = {"long-large": long_large, "long-system": long_system, "long-small": long_small, "long-list": long_list}
