#!/usr/bin/python3
"""What a scrape costs beside a large database: made-up rows, a real exporter, one table.

Called by bench/run, which has built what is needed. Nothing is copied and no store is contacted: the
rows are written by SQL, in the schema that `bucketferry migrate` has made.
"""
import argparse
import contextlib
import os
import pathlib
import re
import signal
import sys
import threading
import time
import urllib.request

from bench import MIB, Bench, print_machine
from ferry import Ferry
from programs import SIGNALS, CannotMeasure, leave, say
from table import Goal, Row, print_table

TASKS = 100
LEDGER_ROWS = 10_000_000
OPEN_JOBS, CLOSED_JOBS = 500_000, 500_000  # of one open run a task, and of its twenty last closed ones
CLOSED_RUNS = 300  # a task: twelve days of an hourly schedule
AT_ONCE = 50

ROWS = """
set synchronous_commit = off;
insert into bucketferry.task (name, source_store, source_bucket, source_prefix, destination_store,
  destination_bucket, destination_prefix)
select 'task-' || lpad(i::text, 3, '0'), 'far', 'bucket-' || i, 'in/', 'near', 'copy-' || i, 'out/'
from generate_series(1, {tasks}) as i;
insert into bucketferry.worker (host, process_id, leased_until)
select 'host-' || i, i, now() + interval '1 day' from generate_series(1, 20) as i;

-- Runs in turn over tasks, an hour apart; the last one of each goes on.
insert into bucketferry.run (run_id, task_id, task_name, kind, state, planner_id, started_at, planned_at,
  finished_at, source_objects, planned, done, bytes_planned, bytes_done, dead)
select n * {tasks} + t.task_id, t.task_id, t.name, 'scheduled', s.state, 1, at, at + interval '1 min',
       case when s.state <> 'copying' then at + interval '20 min' end,
       case when s.state <> 'copying' then 100000 else 0 end, 0, 0, 0, 0, 0
from bucketferry.task t
cross join generate_series(0, {closed_runs}) as n
cross join lateral (select now() - (1 + {closed_runs} - n) * interval '1 hour' as at) a
cross join lateral (select case when n = {closed_runs} then 'copying' when n % 50 = 7 then 'failed'
                                when n % 10 = 3 then 'incomplete' else 'complete' end as state) s;
select count(bucketferry.ensure_partitions(run_id)) from bucketferry.run;

-- Of an open run's jobs a half is done, fifty are large ones of a hundred parts each.
insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes, source_etag,
  source_modified_at, worker_id, finished_at, proof, destination_etag, upload_id, part_bytes, parts_left)
select {closed_runs} * {tasks} + t, i, ('in/media/2026/' || md5(i::text))::bytea, 'copy', 'missing', s,
       case when s = 'in_flight' then 1677721600 else 1048576 end, md5(i::text), now(), null,
       case when s = 'done' then now() end, case when s = 'done' then 'etag_md5' end,
       case when s = 'done' then md5(i::text) end, case when s = 'in_flight' then 'upload' end,
       case when s = 'in_flight' then 16777216 end, case when s = 'in_flight' then 40 end
from generate_series(1, {tasks}) as t
cross join lateral (
  select i, case when i <= {open_jobs} / {tasks} / 2 then 'done'
                 when i <= {open_jobs} / {tasks} / 2 + 50 then 'in_flight' else 'pending' end as s
  from generate_series(1, {open_jobs} / {tasks}) as i) j;
insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes, state, etag, md5)
select j.run_id, j.job_id, n, (n - 1) * 16777216::bigint, 16777216,
       case when n <= 60 then 'done' else 'pending' end, case when n <= 60 then 'e' end,
       case when n <= 60 then decode(md5('x'), 'hex') end
from bucketferry.job j cross join generate_series(1, 100) as n where j.state = 'in_flight';
insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes, source_etag,
  source_modified_at, finished_at, proof, destination_etag, error)
select r.run_id, i, ('in/media/2026/' || md5(i::text))::bytea, 'copy', 'missing', s, 1048576,
       md5(i::text), now(), now(), case when s = 'done' then 'etag_md5' end,
       case when s = 'done' then md5(i::text) end, case when s = 'dead' then 'HTTP 403' end
from bucketferry.run r
cross join lateral (
  select i, case when i % 50 = 0 then 'dead' else 'done' end as s
  from generate_series(1, {closed_jobs} / {tasks} / 20) as i) j
where r.run_id > ({closed_runs} - 20) * {tasks} and r.state <> 'copying';
update bucketferry.run r set planned = c.jobs, done = c.done, dead = c.dead, bytes_planned = c.bytes,
  bytes_done = c.bytes
from (select run_id, count(*) as jobs, count(*) filter (where state = 'done') as done,
             count(*) filter (where state = 'dead') as dead, sum(size_bytes) as bytes
      from bucketferry.job group by run_id) c
where r.run_id = c.run_id and r.state <> 'copying';

-- Three workers at each open run for an hour.
insert into bucketferry.tally (run_id, worker_id, slot, planned, pending, in_flight, done, bytes_planned,
  bytes_pending, bytes_in_flight, bytes_done, parts_pending, parts_done, advanced_at)
select {closed_runs} * {tasks} + t, 1 + (t + w) % 20, slot, 280, 137, 3, 140, 1677721600, 143654912,
       83886080, 146800640, 10, 100, now()
from generate_series(1, {tasks}) as t, generate_series(1, 3) as w, generate_series(1, 6) as slot;

insert into bucketferry.ledger (task_id, key, run_id, size_bytes, source_modified_at, source_etag,
  destination_etag, proof)
select 1 + i % {tasks}, ('in/media/2026/' || lpad((i / {tasks})::text, 12, '0'))::bytea, 1, 1048576, now(),
       e, e, 'etag_md5'
from generate_series(0, {ledger_rows} - 1) as i cross join lateral (select md5(i::text) as e) x;

-- What all processes of the past counted, two that live, and one that was killed.
insert into bucketferry.request_total (task_name, process, side, operation, requests, errors, microseconds,
  buckets)
select t.name, p, s, o, 100000, 10, 4200000000, '{{50000,40000,9000,900,50,40,9,1}}'
from bucketferry.task t, unnest(array['', 'a', 'b', 'c']) as p,
     unnest(array['source', 'destination']) as s,
     unnest(array['list', 'get', 'head', 'put', 'create_upload', 'upload_part', 'complete_upload']) as o;
insert into bucketferry.retry_total (task_name, process, reason, retries)
select t.name, p, r, 10 from bucketferry.task t, unnest(array['', 'a', 'b', 'c']) as p,
     unnest(array['throttle', 'timeout', 'server', 'network', 'checksum', 'changed', 'other']) as r;
insert into bucketferry.credential (task_name, side, accepted_at, expires_at)
select t.name, s, now(), now() + interval '1 day'
from bucketferry.task t, unnest(array['source', 'destination']) as s;
insert into bucketferry.refresh (task_name, target, required_run_id, required_seq)
select name, 'gateway', 7, 1 from bucketferry.task;
insert into bucketferry.upload (nonce, task_id, key, run_id, job_id, upload_id, part_bytes, size_bytes,
  source_etag, source_modified_at, source_version)
select j.run_id || '-' || j.job_id, r.task_id, j.key, j.run_id, j.job_id, 'upload', 16777216, j.size_bytes,
       'e', now(), '' from bucketferry.job j join bucketferry.run r using (run_id)
where j.state = 'in_flight';
analyze;
"""


class Fleet(Ferry):
    """A hundred tasks, their rows, and an exporter that reads them."""

    def __init__(self, bench):
        super().__init__(bench, ((("http://127.0.0.1:1", "key", "secret")),) * 2, ("in", "out"))
        text = self.config.read_text(encoding="utf-8").split("tasks:\n", 1)[0]
        text += "refresh_targets:\n  gateway: {type: webhook, url: \"http://127.0.0.1:1\"}\ntasks:\n"
        for number in range(1, TASKS + 1):
            text += (f"  - {{name: task-{number:03}, interval: 1h, refresh: [gateway],\n"
                     f"     source: {{store: src, bucket: bucket-{number}}},\n"
                     f"     destination: {{store: dst, bucket: copy-{number}}}}}\n")
        self.config.write_text(text, encoding="utf-8")

    def scrape(self):
        """Seconds that one scrape took; all groups of metrics were read."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/metrics",
                                         headers={"X-Prometheus-Scrape-Timeout-Seconds": "30"})
        began = time.monotonic()
        with opener.open(request, timeout=60) as answer:
            page = answer.read().decode("utf-8")
        seconds = time.monotonic() - began
        read = re.findall(r"^bucketferry_scrape_collector_success\{.*\} (\d)$", page, re.M)
        tasks = len(re.findall(r"^bucketferry_task_info\{", page, re.M))
        if not read or "0" in read or tasks != TASKS:
            raise CannotMeasure(f"a scrape read {read} and {tasks} tasks:\n{page[:1500]}")
        self.page = page
        return seconds

    def memory(self, field):
        """MiB of the exporter now (VmRSS), or at its most (VmHWM)."""
        status = pathlib.Path(f"/proc/{self.exporter.pid}/status").read_text(encoding="utf-8")
        return int(re.search(rf"^{field}:\s+(\d+) kB$", status, re.M)[1]) / 1024

    def sequential_scans(self):
        time.sleep(1.5)  # sessions tell their counts when they end, and once a second at most
        query = ("select coalesce(sum(seq_scan), 0) from pg_stat_user_tables"
                 " where schemaname = 'bucketferry' and relname ~ '^(job|part|ledger)'")
        return int(self.sql(query, timeout=60))


def at_once(fleet):
    """Seconds of each of many scrapes that begin together."""
    seconds, problems = [], []

    def one():
        try:
            seconds.append(fleet.scrape())
        except Exception as problem:  # pylint: disable=broad-except
            problems.append(problem)

    threads = [threading.Thread(target=one) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise CannotMeasure(f"{len(problems)} of {AT_ONCE} scrapes at once failed: {problems[0]}")
    return seconds


def measure(bench):
    with Fleet(bench) as fleet:
        # The batch owns its tables; the exporter that holds the database up has read nothing yet.
        began = time.monotonic()
        fleet.sql(ROWS.format(tasks=TASKS, ledger_rows=LEDGER_ROWS, open_jobs=OPEN_JOBS,
                              closed_jobs=CLOSED_JOBS, closed_runs=CLOSED_RUNS))
        size = int(fleet.sql("select pg_database_size(current_database())", timeout=60))
        say(f"scrape: {size / 1e9:.1f} GB of rows written in {time.monotonic() - began:.0f} s")
        before = fleet.sequential_scans()
        first = fleet.scrape()
        say(f"scrape: the first took {first:.3f} s, {len(fleet.page) / MIB:.1f} MiB in "
            f"{fleet.page.count(chr(10)):,} lines")
        each = [fleet.scrape() for _ in range(10 * bench.runs)]
        one_at_a_time = fleet.memory("VmHWM")
        together = [at_once(fleet) for _ in range(bench.runs)]
        scans = fleet.sequential_scans() - before
        work = f"{TASKS} tasks, {LEDGER_ROWS:,} ledger rows, {OPEN_JOBS + CLOSED_JOBS:,} jobs"
        many = f"the same, {AT_ONCE} scrapes at once"
        return [Row(work, "scrape s", each, goal=Goal(most=1)),
                Row(work, "peak memory MiB", [one_at_a_time], goal=Goal(most=30)),
                Row(many, "first answer s", [min(seconds) for seconds in together]),
                Row(many, "last answer s", [max(seconds) for seconds in together], goal=Goal(most=10)),
                Row(many, "peak memory MiB", [fleet.memory("VmHWM")], goal=Goal(most=30)),
                Row(work, "sequential scans of job, part, ledger", [scans], goal=Goal(most=0))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, leave)
    rows, load = [], os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        bench = Bench(arguments.build, arguments.runs, stack)
        try:
            rows = measure(bench)
        except CannotMeasure as problem:
            say(f"could not measure: {problem}")
            return 3
        print_machine(bench, load)
        print_table(rows)
    return 1 if any(row.met() is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
