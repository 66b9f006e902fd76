"""What the queue bears: claims and outcomes of one worker, beside an old snapshot."""
import json
import time

from ferry import Ferry
from programs import CannotMeasure, say, size, stop
from table import Goal, Row, rows_of

JOBS = size("JOBS", 5_000_000)
JOBS_A_SECOND, LAST_TENTH = 20_000, 0.9

# A run that has been planned: what `plan` leaves behind for workers.
ROWS = """
set synchronous_commit = off;
insert into bucketferry.task (name, source_store, source_bucket, source_prefix, destination_store,
  destination_bucket, destination_prefix) values ('claims', 'far', 'in', '', 'near', 'out', '');
insert into bucketferry.worker (host, process_id, leased_until, released_at) values ('planner', 1, now(), now());
insert into bucketferry.run (run_id, task_id, task_name, kind, state, planner_id, planned_at)
select nextval('bucketferry.run_id'), t.task_id, t.name, 'scheduled', 'copying', w.worker_id, now()
from bucketferry.task t, bucketferry.worker w where t.name = 'claims' and w.host = 'planner';
select bucketferry.ensure_partitions(run_id) from bucketferry.run;
insert into bucketferry.job (run_id, job_id, key, action, reason, size_bytes, source_etag, source_modified_at)
select run_id, i, ('in/media/2026/' || lpad(i::text, 12, '0'))::bytea, 'copy', 'missing', 4096, md5(i::text),
       now() from bucketferry.run, generate_series(1, {jobs}) as i;
insert into bucketferry.tally (run_id, worker_id, slot, source_objects, planned, pending, bytes_planned,
  bytes_pending)
select run_id, planner_id, 0, {jobs}, {jobs}, {jobs}, {jobs} * 4096::bigint, {jobs} * 4096::bigint
from bucketferry.run;
analyze;
checkpoint;
"""

# Rows as they were when it began are kept for it, and every index entry that leads to one.
SNAPSHOT = ("begin isolation level repeatable read", "select count(*) from bucketferry.run",
            "select pg_sleep(86400)")


def hold_snapshot(bench, ferry):
    commands = [word for statement in SNAPSHOT for word in ("-c", statement)]
    process, _ = bench.background(*ferry.psql(), *commands)
    for _ in range(100):
        if snapshot_age(ferry) is not None:
            return process
        time.sleep(0.1)
    raise CannotMeasure("the session that should hold a snapshot does not")


def snapshot_age(ferry):
    """How many transactions began since; None: nobody holds it."""
    found = ferry.sql("select age(backend_xmin) from pg_stat_activity where query ~ '^select pg_sleep'",
                      timeout=60).strip()
    return int(found) if found else None


def drain(bench, ferry):
    cpu = ferry.database_cpu()
    sample = bench.timed(bench.build / "claim_bench", "--uri", ferry.database_uri(), "--task", "claims",
                         "--jobs", JOBS)
    sample.database_cpu = ferry.database_cpu() - cpu
    return sample, json.loads(sample.log.read_text(encoding="utf-8").strip().splitlines()[-1])["tenths"]


def expect_all_done(ferry):
    found = ferry.sql("select r.state, r.done, (select count(*) from bucketferry.ledger) from bucketferry.run r",
                      timeout=600).strip()
    if found != f"complete|{JOBS}|{JOBS}":
        raise CannotMeasure(f"the run with {JOBS} jobs is left as {found} (state, done, ledger)")


def one_round(bench):
    """(sample, seconds of each tenth)"""
    with Ferry(bench, [("http://127.0.0.1:1", "key", "secret")] * 2, ("left", "right")) as ferry:
        began = time.monotonic()
        ferry.sql(ROWS.format(jobs=JOBS))
        say(f"claims: {JOBS:,} jobs written in {time.monotonic() - began:.0f} s")
        holder = hold_snapshot(bench, ferry)
        sample, tenths = drain(bench, ferry)
        age = snapshot_age(ferry)
        if age is None:
            raise CannotMeasure("the snapshot was not held to the end")
        stop(holder)
        rates = " ".join(f"{JOBS / 10 / seconds:,.0f}" for seconds in tenths)
        say(f"claims: {sample.wall:.1f} s, {age:,} transactions; jobs/s of each tenth: {rates}")
        expect_all_done(ferry)
    return sample, tenths


def claims(bench):
    rounds = [one_round(bench) for _ in range(bench.runs)]
    work = f"{JOBS:,} jobs claimed and recorded, one snapshot open"
    rates = [JOBS / sample.wall for sample, _ in rounds]
    evenness = [tenths[0] / tenths[-1] for _, tenths in rounds]
    rows = [Row(work, "jobs/s", rates, goal=Goal(least=JOBS_A_SECOND)),
            Row(work, "jobs/s, last tenth to first", evenness, goal=Goal(least=LAST_TENTH))]
    return rows + rows_of(work, [sample for sample, _ in rounds], [])
