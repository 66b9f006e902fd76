#!/usr/bin/python3
"""Runs bucketferry and rclone in turn between the same two servers, and prints one table.

Called by bench/run, which has installed and built what is needed. What is measured, and how, is in
bench/README.md. Each timed run of a copy gets a destination server of its own, just started, so that
no run pays for what another one left behind.
"""
import argparse
import contextlib
import os
import pathlib
import signal
import sys

import over_long_link
from bare import bare_copy
from bench import MIB, Bench, print_machine
from claims import ROWS, claims
from ferry import Ferry
from growth import growth, idle_rounds, inventory, plan
from programs import SIGNALS, CannotMeasure, call, clean_environment, leave, say, size
from rounds import copy_rounds, expect_nothing_planned, in_turn
from table import Goal, print_table, rows_of
from wan.long_link import NoLink

SMALL_OBJECTS, SMALL_BYTES, SMALL_PREFIXES = size("SMALL", 20_000), 1024, 50
LARGE_OBJECTS, LARGE_MIB = 4, size("LARGE_MIB", 256)
BUDGET_MIB, BESIDE_BUDGET_MIB = 64, 32  # of `memory`, and what all else may take
FEW_KEYS, MANY_KEYS = 10_000, 1_000_000
MICRO_JOBS = 100_000


def fill_small(bench):
    bench.fill_source("small", "--small", SMALL_OBJECTS, "--small-size", SMALL_BYTES, "--prefixes",
                      SMALL_PREFIXES, "--large")


def fill_large(bench):
    sizes = [str(LARGE_MIB)] * LARGE_OBJECTS
    bench.fill_source("large", "--small", 0, "--threads", 2, "--large", *sizes)


def small(bench):
    fill_small(bench)
    ours, peer, limit = copy_rounds(bench, "small", SMALL_OBJECTS, SMALL_BYTES, "",
                                    ("--transfers", "32", "--checkers", "16"),
                                    limit=lambda: bare_copy(bench, SMALL_BYTES))
    return rows_of(f"{SMALL_OBJECTS:,} x 1 KiB", ours, peer,
                   {"wall s": Goal(ratio_most=0.8), "CPU s": Goal(ratio_most=0.4)}, limit)


def idle(bench):
    fill_small(bench)
    bench.fresh_destination()
    with Ferry(bench, (bench.store("src"), bench.store("dst")), ("bench", "bench")) as ferry:
        ferry.run()
        bench.expect_destination(SMALL_OBJECTS, SMALL_OBJECTS * SMALL_BYTES)

        def ours():
            sample, counts = ferry.run()
            expect_nothing_planned(counts)
            return sample

        ours, peer = in_turn(bench, "idle", ours=ours,
                             peer=lambda: bench.rclone("sync", "--fast-list", "--size-only"))
    return rows_of(f"{SMALL_OBJECTS:,} x 1 KiB, nothing to do", ours, peer,
                   {"wall s": Goal(ratio_most=0.4), "CPU s": Goal(ratio_most=0.25),
                    "peak memory MiB": Goal(most=64), "rows written": Goal(most=SMALL_OBJECTS / 100)})


def large(bench):
    fill_large(bench)
    ours, peer, limit = copy_rounds(bench, "large", LARGE_OBJECTS, LARGE_MIB * MIB,
                                    f"transfer: {{memory: {BUDGET_MIB}MiB}}\n",
                                    ("--transfers", str(LARGE_OBJECTS)),
                                    limit=lambda: bare_copy(bench, 16 * MIB, "--md5", "--concurrency", 8))
    return rows_of(f"{LARGE_OBJECTS} x {LARGE_MIB} MiB, memory: {BUDGET_MIB}MiB", ours, peer,
                   {"wall s": Goal(ratio_most=0.9), "CPU s": Goal(ratio_most=0.5),
                    "peak memory MiB": Goal(most=BUDGET_MIB + BESIDE_BUDGET_MIB)}, limit)


def verify(bench):
    rows = []
    for work, size, content, options, goals in (
            (f"verify --deep, {LARGE_OBJECTS} x {LARGE_MIB} MiB", LARGE_OBJECTS * LARGE_MIB * MIB,
             fill_large, ("--checkers", str(LARGE_OBJECTS)), {"peak memory MiB": Goal(most=256)}),
            (f"verify --deep, {SMALL_OBJECTS:,} x 1 KiB", SMALL_OBJECTS * SMALL_BYTES, fill_small,
             ("--checkers", "32"), {"wall s": Goal(ratio_most=1), "CPU s": Goal(ratio_most=0.5)})):
        content(bench)
        bench.fresh_destination()
        with Ferry(bench, (bench.store("src"), bench.store("dst")), ("bench", "bench")) as ferry:
            _, counts = ferry.run()
            bench.expect_destination(counts["done"], size)
            ours, peer = in_turn(bench, "verify", ours=ferry.verify,
                                 peer=lambda options=options: bench.rclone("check", "--download", *options))
        rows += rows_of(work, ours, peer, goals)
    return rows


def memory(bench):
    samples = {keys: idle_rounds(bench, "memory", keys) for keys in (FEW_KEYS, MANY_KEYS)}
    few, many = samples[FEW_KEYS], samples[MANY_KEYS]
    return rows_of(f"idle, {MANY_KEYS:,} keys (beside: {FEW_KEYS:,})", many, few,
                   {"peak memory MiB": Goal(ratio_most=1.2), "rows written": Goal(most=MANY_KEYS / 1000)})


def micro(bench):
    with Ferry(bench, [("http://127.0.0.1:1", "key", "secret")] * 2, ("left", "right")) as ferry:
        ferry.sql(ROWS.format(jobs=MICRO_JOBS))
        environment = clean_environment(BUCKETFERRY_BENCH_DATABASE=ferry.database_uri())
        print()
        print(call(bench.build / "micro_bench", "--benchmark_min_time=0.2", env=environment), end="")


# In the order in which they are run. `micro` prints a table of its own, behind that of the others.
BENCHES = {"small": small, "idle": idle, "large": large, "verify": verify, "memory": memory,
           "growth": growth, "plan": plan, "inventory": inventory, "claims": claims, **over_long_link.BENCHES}
NAMES = [*BENCHES, "micro"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{' '.join(NAMES)}, and long: all long-...")
    arguments = parser.parse_args()
    names = set(arguments.names or NAMES)
    if "long" in names:
        names = names - {"long"} | set(over_long_link.BENCHES)
    if not names <= set(NAMES) or arguments.runs < 1:
        parser.error(f"names are {' '.join(NAMES)} long, and --runs at least 1")
    for number in SIGNALS:
        signal.signal(number, leave)
    rows, problem, load = [], None, os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        bench = Bench(arguments.build, arguments.runs, stack)
        try:
            for name in [name for name in BENCHES if name in names]:
                rows += BENCHES[name](bench)
        except (CannotMeasure, NoLink) as error:
            problem = error
        if rows:
            print_machine(bench, load)
            print_table(rows)
        if problem is None and "micro" in names:
            try:
                micro(bench)
            except CannotMeasure as error:
                problem = error
    if problem is not None:
        say(f"could not measure: {problem}")
        return 3
    return 1 if any(row.met() is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
