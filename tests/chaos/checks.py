"""What must be true, while it goes on and at the end."""
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

from sources import MIB, listed, shown
from world import DatabaseAway

SERVERS = Path(__file__).resolve().parent.parent / "servers"
CLOSED = ("complete", "incomplete", "failed", "skipped")
EXIT_OF = {"complete": 0, "incomplete": 1, "failed": 3, "skipped": 4, "interrupted": 5}

TOTALS = """
select t.name, t.runs, t.runs_failed, t.runs_skipped, t.objects_copied + coalesce(u.done, 0),
       t.objects_dead + coalesce(u.dead, 0), t.objects_vanished + coalesce(u.vanished, 0),
       t.parts_copied + coalesce(u.parts_done, 0), t.bytes_copied + coalesce(u.bytes_done, 0),
       t.source_bytes_read + coalesce(u.source_bytes_read, 0),
       t.destination_bytes_written + coalesce(u.destination_bytes_written, 0)
from bucketferry.task t left join (
  select r.task_id, sum(y.done) as done, sum(y.dead) as dead, sum(y.vanished) as vanished,
         sum(y.parts_done) as parts_done, sum(y.bytes_done) as bytes_done,
         sum(y.source_bytes_read) as source_bytes_read,
         sum(y.destination_bytes_written) as destination_bytes_written
  from bucketferry.tally y join bucketferry.run r using (run_id) group by r.task_id) u using (task_id)
"""
TOTAL_NAMES = ("runs", "runs_failed", "runs_skipped", "objects_copied", "objects_dead", "objects_vanished",
               "parts_copied", "bytes_copied", "source_bytes_read", "destination_bytes_written")

# A row for each thing that is not so. While it goes on a run may change under a statement's eyes, but
# each statement has one snapshot.
LIES = {
    "a closed run has no finished_at":
        "select run_id, state from bucketferry.run where state in "
        "('complete', 'incomplete', 'failed', 'skipped') and finished_at is null",
    "a complete run has dead objects, or an incomplete one none":
        "select run_id, state, dead from bucketferry.run_total "
        "where (state = 'complete' and dead > 0) or (state = 'incomplete' and dead = 0)",
    "a run ended well and objects of it wait":
        "select r.run_id, r.state, j.state, count(*) from bucketferry.run r join bucketferry.job j "
        "using (run_id) where r.state in ('complete', 'incomplete') "
        "and j.state in ('pending', 'in_flight', 'retry_wait') group by 1, 2, 3",
    "counts of a run that ended well do not add up to what was planned":
        "select run_id, state, planned, done, adopted, dead, vanished, archived from bucketferry.run_total r "
        "where state in ('complete', 'incomplete') and planned <> done + dead + vanished + archived + "
        "(select count(*) from bucketferry.job j where j.run_id = r.run_id and j.proof = 'adopted')",
    "a level is negative":
        "select run_id, state, pending, in_flight, retry_wait, parts_pending, parts_in_flight, bytes_pending, "
        "bytes_in_flight from bucketferry.run_total where state in ('planning', 'copying') and "
        "least(pending, in_flight, retry_wait, parts_pending, parts_in_flight, bytes_pending, "
        "bytes_in_flight) < 0",
    "levels of an open run are not those of its rows":
        "select r.run_id, r.state, r.pending, j.pending, r.in_flight, j.in_flight, r.retry_wait, j.waiting, "
        "r.planned, j.planned from bucketferry.run_total r left join lateral (select "
        "count(*) filter (where state = 'pending') as pending, "
        "count(*) filter (where state = 'in_flight') as in_flight, "
        "count(*) filter (where state = 'retry_wait') as waiting, count(*) as planned "
        "from bucketferry.job j where j.run_id = r.run_id) j on true where r.state = 'copying' and "
        "(r.pending, r.in_flight, r.retry_wait, r.planned) <> (j.pending, j.in_flight, j.waiting, j.planned)",
    "done objects of a closed run are not those of its rows":
        "select r.run_id, r.state, r.done, j.done, r.dead, j.dead, r.vanished, j.vanished, r.planned, j.planned "
        "from bucketferry.run_total r join lateral (select "
        "count(*) filter (where state = 'done' and proof <> 'adopted') as done, "
        "count(*) filter (where state = 'dead') as dead, "
        "count(*) filter (where state = 'vanished') as vanished, count(*) as planned "
        "from bucketferry.job j where j.run_id = r.run_id) j on true "
        "where (r.state in ('complete', 'incomplete', 'failed') and "
        "(r.done, r.dead, r.vanished) <> (j.done, j.dead, j.vanished)) or "  # what was left undone is dropped
        "(r.state in ('complete', 'incomplete') and r.planned <> j.planned)",
    "a part is done and its object's count of parts says otherwise":
        "select j.run_id, j.job_id, j.parts_left, p.open from bucketferry.job j join lateral (select "
        "count(*) filter (where state <> 'done') as open from bucketferry.part p "
        "where p.run_id = j.run_id and p.job_id = j.job_id) p on true "
        "where j.state = 'in_flight' and j.parts_left <> p.open",
}


class Checks:
    def __init__(self, postgres, source, clients, buckets, prefixes, events):
        self._postgres, self._source, self._clients = postgres, source, clients
        self._buckets, self._prefixes, self._events = buckets, prefixes, events
        self._totals, self._counters = {}, {}
        self.failures, self.polls, self.judged_runs = [], 0, 0

    def fail(self, text):
        if len(self.failures) < 200:
            self.failures.append(text)
        self._events.say(f"FAILURE {text}")

    # --- again and again

    def poll(self, exporter_port):
        """What may be asked at any time. The database may be away."""
        try:
            self._check_totals()
            self._check_lies()
            self.polls += 1
        except (DatabaseAway, subprocess.TimeoutExpired):
            pass
        self._check_exporter(exporter_port)

    def _check_totals(self):
        for name, *values in self._postgres.psql(TOTALS):
            now = dict(zip(TOTAL_NAMES, map(int, values)))
            for total, before in self._totals.get(name, {}).items():
                if now[total] < before:
                    self.fail(f"total {total} of {name} went from {before} to {now[total]}")
            self._totals[name] = now

    def _check_lies(self):
        for what, sql in LIES.items():
            for row in self._postgres.psql(sql)[:3]:
                if (what, row[0]) not in self._counters:
                    self._counters[what, row[0]] = True
                    self.fail(f"{what}: {row}")

    def _check_exporter(self, port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
                text = answer.read().decode()
        except OSError as error:
            self.fail(f"the exporter does not answer: {error}")
            return
        for line in text.splitlines():
            match = re.fullmatch(r"(\w+_total(?:\{.*\})?) (\S+)", line)
            if not match:
                continue
            series, value = match.group(1), float(match.group(2))
            if value < self._counters.get(series, 0):
                self.fail(f"metric {series} went from {self._counters[series]} to {value}")
            self._counters[series] = value

    # --- when a `run` has ended

    def judge_run(self, child, tasks, disturbed):
        """Its exit code, what it said, the rows, and what is at the destination."""
        said = re.findall(r"^(\S+): run (\d+) (\w+): (\d+) of (\d+) planned", child.out, re.M)
        code = child.code
        if child.was_ended_by_us():
            return
        if code not in (0, 1, 3, 4, 5):
            self.fail(f"{child.name} ended with {code}")
            return
        if code == 3 and not disturbed:
            self.fail(f"{child.name} ended with 3 and nothing was disturbed")
        if code == 5 and not child.signals and "--for" not in child.words and not disturbed:
            self.fail(f"{child.name} ended with 5 and nobody stopped it")
        states = [state for _, _, state, _, _ in said]
        for task, run, state, _, planned in said:
            row = self._postgres.psql(f"select state, planned, dead from bucketferry.run_total where run_id = {run}")
            self.judged_runs += 1
            closed = state in CLOSED
            if not row or (closed and row[0][0] != state) or (not closed and code in (0, 1)):
                self.fail(f"{child.name} said {task} run {run} {state}, exit {code}; the row says {row}")
        known = {EXIT_OF.get(state, 5) for state in states}
        if code in (0, 1) and ("plan" not in child.words):
            expected = next((one for one in (3, 1, 5, 4, 0) if one in known), None)
            if expected != code or len(said) != len(tasks):
                self.fail(f"{child.name} ended with {code}, having said {said} of tasks {tasks}")
        if code == 0 and "plan" not in child.words:
            self._check_nothing_missing(child, tasks)

    def _check_nothing_missing(self, child, tasks):
        """Exit 0: what stood still since before the run began is there."""
        standing = self._source.standing(since=child.began)
        here = listed(self._clients["dst"], self._buckets["dst"])
        missing = []
        for key, version in standing.items():
            task = key.partition("/")[0]
            if task not in tasks or self._source.changed_after(key, version):
                continue
            there = here.get(self._prefixes[task] + key[len(task) + 1:])
            if there not in version.destination_etags:
                missing.append(f"{shown(key)[:60]} is {there}, not {version.destination_etags}")
        for text in missing[:5]:
            self.fail(f"{child.name} ended with 0, but {text}")
        self._events.say(f"{child.name} exit 0: {len(standing)} standing keys, {len(missing)} missing")

    # --- at the end

    def check_claims(self):
        """Each done row and ledger row names a content that the key really had, whole."""
        claims = self._postgres.psql(
            "select 'job of run ' || run_id, encode(key, 'hex'), source_etag, destination_etag, size_bytes "
            "from bucketferry.job where state = 'done' union all "
            "select 'ledger', encode(key, 'hex'), source_etag, destination_etag, size_bytes "
            "from bucketferry.ledger where verdict is null")
        for whose, key, source_etag, destination_etag, size in claims:
            key = bytes.fromhex(key).decode()
            match = [one for one in self._source.versions(key)
                     if one is not None and one.source_etag == source_etag.strip('"')]
            if not match:
                self.fail(f"{whose}: {shown(key)[:60]} never had the ETag {source_etag}")
            elif not any(destination_etag.strip('"') in one.destination_etags and one.size == int(size)
                         for one in match):
                self.fail(f"{whose}: {shown(key)[:60]} {source_etag} is not {destination_etag} of {size} bytes")
        return len(claims)

    def check_ledger_is_there(self):
        here = listed(self._clients["dst"], self._buckets["dst"])
        source = listed(self._clients["src"], self._buckets["src"])
        rows = self._postgres.psql("select encode(key, 'hex'), destination_etag from bucketferry.ledger "
                                   "where verdict is null")
        for key, etag in rows:
            key = bytes.fromhex(key).decode()
            task = key.partition("/")[0]
            if key in source and here.get(self._prefixes[task] + key[len(task) + 1:]) != etag.strip('"'):
                self.fail(f"the ledger holds {etag} of {shown(key)[:60]}, the destination does not")
        if len({row[0] for row in rows} & {key.encode().hex() for key in source}) != len(source):
            self.fail("not every source object has its ledger row")

    def check_uploads(self):
        """After a clean run nothing of ours is open, at the destination or in rows."""
        found = self._clients["dst"].list_multipart_uploads(Bucket=self._buckets["dst"]).get("Uploads", [])
        rows = {row[0] for row in self._postgres.psql(
            "select coalesce(upload_id, '-') from bucketferry.upload")}
        for upload in found:
            known = "with" if upload["UploadId"] in rows else "without"
            self.fail(f"an upload is left open {known} a row: {shown(upload['Key'])[:60]} {upload['UploadId']}")
        return len(found), len(rows)

    def check_buckets(self, environment, rclone_config, log):
        """Byte by byte by rclone; with metadata and tags, and keys that rclone cannot name, by boto3."""
        for task, prefix in self._prefixes.items():
            ends = [f"src:{self._buckets['src']}/{task}/", f"dst:{self._buckets['dst']}/{prefix}"]
            words = ["rclone", "--config", str(rclone_config), "check", "--download", "--one-way",
                     "--checkers", "4", "--s3-list-version", "2", *RCLONE_LEAVES_OUT, *ends]
            with open(log, "ab") as out:
                done = subprocess.run(words, stdout=out, stderr=subprocess.STDOUT, env=environment,
                                      timeout=900)
            if done.returncode != 0:
                self.fail(f"rclone check of {task} found a difference, see {log}")
            compare = [sys.executable, str(SERVERS / "compare_buckets.py"), self._buckets["src"],
                       self._buckets["dst"], "--source-prefix", task + "/", "--destination-prefix", prefix,
                       "--extra-ok"]
            done = subprocess.run(compare, capture_output=True, text=True, env=environment, timeout=900)
            self._events.say(f"compare {task}: {done.stdout.strip().splitlines()[-1:]}")
            if done.returncode != 0:
                for line in done.stdout.splitlines()[:20] or [done.stderr[-500:]]:
                    self.fail(f"compare_buckets of {task}: {line}")

    def check_logs(self, directory, secrets):
        for path in sorted(Path(directory).glob("*.log")):
            text = path.read_text(errors="replace")
            for bad in ("runtime error:", "Sanitizer", "FERRY_CHECK", "terminate called", "assertion"):
                if bad in text and path.name not in ("postgres.log", "network.log", "events.log"):
                    self.fail(f"{path.name} says '{bad}'")
            if any(secret in text for secret in secrets):
                self.fail(f"{path.name} holds a secret")

    def check_idle_requests(self, before, after):
        """Nothing changed: nothing but listings."""
        for side in ("src", "dst"):
            for operation, row in after[side].items():
                new = row["passed"] - before[side].get(operation, {"passed": 0})["passed"]
                if operation not in ("list", "list_uploads") and new > 0:
                    self.fail(f"the idle run sent {new} {operation} requests to {side}")

    def check_bounds(self, stats, disturbances):
        """What was sent is what changed, a few times over at most, and what faults spoilt."""
        written = self._source.written_bytes
        sent = sum(stats["dst"].get(one, {"sent": 0})["sent"] for one in ("put", "upload_part"))
        good = sum(stats["dst"].get(one, {"good": 0})["good"] for one in ("put", "upload_part"))
        allowed = 2 * written + disturbances * 64 * MIB
        if good > allowed:
            self.fail(f"{good} bytes were sent and answered for {written} bytes that changed")
        creates = stats["dst"].get("create_upload", {"passed": 0})["passed"]
        return {"changed_MiB": written >> 20, "sent_MiB": sent >> 20, "answered_MiB": good >> 20,
                "creates": creates,
                "requests": {side: sum(row["passed"] for row in stats[side].values()) for side in ("src", "dst")},
                "spoilt": {side: sum(row["spoilt"] for row in stats[side].values()) for side in ("src", "dst")}}


# rclone writes a segment `.` as this one, but asks for it by that name below a prefix, too.
RCLONE_LEAVES_OUT = ["--exclude", "**\uff0e**"]
