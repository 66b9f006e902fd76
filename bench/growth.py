"""What a plan costs as buckets grow: the synthetic server, a full ledger, and little or nothing to do."""
from ferry import Ferry
from programs import CannotMeasure, say, size, stop
from rounds import expect_nothing_planned
from table import Goal, Row, rows_of

KEYS_MAX = size("KEYS", 10_000_000)
SIZES = [keys for keys in (10_000, 100_000, 1_000_000, 10_000_000) if keys <= KEYS_MAX]
BESIDE = 100_000  # what it takes to start weighs little here
TIME_A_KEY, MEMORY_MIB = 1.5, 96
CHANGED_PERCENT, KEYS_A_SECOND = 1, 300_000


def idle_rounds(bench, name, keys):
    server = bench.synthetic(keys)
    with Ferry(bench, [(server[1], "access", "secret")] * 2, ("left", "right")) as ferry:
        first, _ = ferry.run()
        say(f"{name}: {keys:,} keys: adopted in {first.wall:.1f} s")
        samples = []
        for _ in range(bench.runs):
            sample, counts = ferry.run()
            expect_nothing_planned(counts)
            samples.append(sample)
            say(f"{name}: {keys:,} keys: {sample.wall:.2f} s, CPU {sample.cpu:.2f} s, {sample.memory:.1f} MiB")
    stop(server[0])
    return samples


def microseconds_a_key(samples, keys, field):
    return [getattr(sample, field) * 1e6 / keys for sample in samples]


def growth(bench):
    samples = {keys: idle_rounds(bench, "growth", keys) for keys in SIZES}
    rows = []
    for keys in SIZES:
        last = keys == SIZES[-1]
        work = f"idle, {keys:,} keys" + (f" (beside: {BESIDE:,})" if last else "")
        beside = samples.get(BESIDE, []) if last else []
        for measure, field, goal in (("wall us a key", "wall", Goal(ratio_most=TIME_A_KEY)),
                                     ("CPU us a key", "cpu", Goal(ratio_most=TIME_A_KEY))):
            rows.append(Row(work, measure, microseconds_a_key(samples[keys], keys, field),
                            microseconds_a_key(beside, BESIDE, field), goal if beside else Goal()))
        rows.append(Row(work, "peak memory MiB", [sample.memory for sample in samples[keys]],
                        [sample.memory for sample in beside], Goal(most=MEMORY_MIB)))
    return rows


def inventory(bench):
    """What a plan costs whose source is not listed: a report in many files, sorted here."""
    keys = SIZES[-1]
    source, destination = bench.synthetic(keys, "--inventory", "left", patience=120), bench.synthetic(keys)
    stores = [(endpoint, "access", "secret") for _, endpoint in (source, destination)]
    samples = []
    by_report = '    list: {inventory: {bucket: reports, manifest: "inventory/manifest.json"}}\n'
    with Ferry(bench, stores, ("left", "right"), by_report) as ferry:
        first, _ = ferry.run()
        say(f"inventory: {keys:,} keys: adopted in {first.wall:.1f} s, {first.memory:.1f} MiB")
        for _ in range(bench.runs):
            sample, counts = ferry.run()
            expect_nothing_planned(counts)
            samples.append(sample)
            say(f"inventory: {keys:,} keys: {sample.wall:.2f} s, CPU {sample.cpu:.2f} s, {sample.memory:.1f} MiB")
    stop(source[0])
    stop(destination[0])
    work = f"idle, {keys:,} keys of an inventory"
    return rows_of(work, samples, [], {"peak memory MiB": Goal(most=MEMORY_MIB)})


def expect_planned(counts, keys):
    if (counts["source"], counts["planned"]) != (keys, keys * CHANGED_PERCENT // 100):
        raise CannotMeasure(f"of {keys} objects the plan saw {counts['source']} and planned {counts['planned']}")


def plan(bench):
    """The source changes behind a full ledger, and is planned anew; nobody copies what is planned."""
    keys = SIZES[-1]
    source, destination = bench.synthetic(keys), bench.synthetic(keys)
    stores = [(endpoint, "access", "secret") for _, endpoint in (source, destination)]
    samples = []
    with Ferry(bench, stores, ("left", "right")) as ferry:
        first, _ = ferry.run()
        say(f"plan: {keys:,} keys: adopted in {first.wall:.1f} s")
        stop(source[0])
        source = bench.synthetic(keys, "--changed", CHANGED_PERCENT, endpoint=source[1])
        for _ in range(bench.runs):
            sample, counts = ferry.run("plan")
            expect_planned(counts, keys)
            samples.append(sample)
            say(f"plan: {keys:,} keys: {sample.wall:.2f} s, CPU {sample.cpu:.2f} s, {sample.memory:.1f} MiB")
    stop(source[0])
    stop(destination[0])
    work = f"plan of {keys:,} keys, {CHANGED_PERCENT} % changed"
    rate = Row(work, "keys/s of each side", [keys / sample.wall for sample in samples],
               goal=Goal(least=KEYS_A_SECOND))
    return [rate] + rows_of(work, samples, [], {"peak memory MiB": Goal(most=MEMORY_MIB)})
