"""Scenes: rows of a site on a good day and on a bad one."""

AWKWARD = [
    (b'<img src=x onerror="document.title=1">', 'AccessDenied: <script>alert(1)</script> & "quotes"'),
    (b"line\nbreak\ttab\x00nul\x1b[31mred\x7f", "the store answered 500 five times"),
    (b"not utf-8 \xff\xfe\x80", "the store answered 500 five times"),
    ("grüße/日本語/😀.mov".encode(), "refused by the bucket"),
    ("right-to-left \u202egnp.exe".encode(), "refused by the bucket"),
    (b"back\\slash", "refused by the bucket"),
    (b"a" * 1024, "the key is too long for this store"),
]


def history(rows, task, first, states, newest="35 min", large=1):
    """Hourly runs; the last of `states` is the newest."""
    for i, state in enumerate(states):
        hours = len(states) - 1 - i
        amount = (i * 7919) % 13 * large
        counts = dict(source_objects=20000, planned=amount * 30, done=amount * 30, bytes_planned=amount << 28,
                      bytes_done=amount << 28, requests_source=40 + amount, requests_destination=32 + amount)
        if state == "incomplete":
            counts.update(planned=amount * 30 + 3, dead=3, done=amount * 30)
        if state == "failed":
            counts.update(done=0, bytes_done=0,
                          error=f"the list of {task}-src at overseas cannot be read: AccessDenied (s3:ListBucket)")
        if state == "skipped":
            counts = dict(error=f"run {first} of this task is still going")
        rows.run(first + i, task, state, ago=f"{hours} hours {newest}", took=f"{20 + amount * 25} s", **counts)


def running(rows, task, run, worker, planned=1000, final=412, size=10 << 30, dead=0):
    done = size * final // planned
    waiting = planned - final - 40 - 3
    each = size // planned
    rows.run(run, task, "copying", ago="3 min 20 s")
    rows.tally(run, worker, source_objects=20000, planned=planned, pending=waiting, in_flight=40, retry_wait=3,
               done=final - dead, dead=dead, bytes_planned=size, bytes_done=done, bytes_in_flight=40 * each,
               bytes_pending=size - done - 40 * each, requests_source=1200, requests_destination=1180, retries=5,
               parts_in_flight=6, parts_pending=20)


def good_day(rows):
    for name in ("media", "archive", "nightly-reports"):
        rows.task(name)
    worker = rows.worker("ferry-node-1")
    rows.worker("ferry-node-2", pid=41, age="2 min")
    history(rows, "media", 1795000000, ["complete"] * 11)
    running(rows, "media", 1795000100, worker)
    rows.jobs(1795000100, "in_flight", [(f"in/2026/11/27/take-{i:02}.mov".encode(), None) for i in range(7)],
              worker_id=worker)
    rows.large_object(1795000100, 900, b"in/masters/reel-0042.mxf", worker, parts=64, parts_left=24, in_flight=6)
    history(rows, "archive", 1795001000, ["complete"] * 6 + ["skipped"] + ["complete"] * 8, newest="12 min", large=40)
    history(rows, "nightly-reports", 1795002000, ["complete"] * 3, newest="20 min", large=0)
    rows.refresh("media", "gateway", 1795000010, 1795000010)
    rows.refresh("media", "cdn", 1795000010, 1795000010, outcome="done")
    rows.refresh("archive", "gateway", 1795001014, 1795001014, ago="11 min")


def bad_day(rows):
    good_day(rows)
    for name in ("dailies", "partners", "vault", "sound"):
        rows.task(name)
    worker = rows.worker("ferry-node-3", pid=99)
    history(rows, "dailies", 1795003000, ["complete"] * 5 + ["failed"], newest="12 min")
    history(rows, "partners", 1795004000, ["complete", "complete", "interrupted", "complete", "incomplete"])
    rows.jobs(1795004004, "dead", AWKWARD[:3])
    rows._sql("update bucketferry.run set vanished = 2 where run_id = 1795004004")
    rows.jobs(1795004004, "vanished", [(b"in/gone-1.tmp", "gone before it was read"),
                                       (b"in/gone-2.tmp", "gone before it was read")], first=50)
    history(rows, "vault", 1795005000, ["complete"] * 4, newest="240 min")
    history(rows, "sound", 1795006000, ["complete"] * 4)
    running(rows, "sound", 1795006100, worker, final=100, dead=1)
    rows._sql("update bucketferry.run set started_at = now() - interval '2 hours', planned_at = now() - interval '119 min'"
              " where run_id = 1795006100;"
              "update bucketferry.tally set advanced_at = now() - interval '40 min' where run_id = 1795006100")
    rows.refresh("partners", "gateway", 1795004004, 1795004003, tries=7, ago="33 min",
                 error="the gateway answered 503 Service Unavailable")
    rows.notification(1795003005, "dailies", "ended", "team", "given_up", tries=12, error="no route to host")
    rows.notification(1795004004, "partners", "ended", "team", "waiting", tries=2, error="status 502")
