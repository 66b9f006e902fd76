"""Rows as runs leave them, by SQL."""


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def key_literal(key):
    return f"decode('{key.hex()}', 'hex')"


class Rows:
    """Ids count from 1 in each test: clear() first."""

    def __init__(self, sql):
        self._sql = sql
        self._sql("create table if not exists bucketferry.job_all partition of bucketferry.job default;"
                  "create table if not exists bucketferry.part_all partition of bucketferry.part default")

    def clear(self):
        self._sql("truncate bucketferry.task, bucketferry.run, bucketferry.worker, bucketferry.tally, bucketferry.job,"
                  " bucketferry.part, bucketferry.upload, bucketferry.refresh, bucketferry.notification"
                  " restart identity cascade")

    def task(self, name):
        """Returns its id."""
        return self._sql(
            "insert into bucketferry.task (name, source_store, source_bucket, source_prefix, destination_store,"
            f" destination_bucket, destination_prefix, created_at) values ({quoted(name)}, 's', 'b', '', 'd', 'b', '',"
            " now() - interval '30 days') returning task_id")

    def worker(self, host, pid=7, age="20 min"):
        return self._sql(
            "insert into bucketferry.worker (host, process_id, started_at, leased_until)"
            f" values ({quoted(host)}, {pid}, now() - interval {quoted(age)}, now() + interval '1 day')"
            " returning worker_id")

    def run(self, run, task, state, ago="10 min", took="2 min", plan_took="10 s", **columns):
        """Of the task with the name. `ago`: when it ended, or began, for one that goes on."""
        is_open = state in ("planning", "copying")
        began = f"now() - interval '{ago}'" + ("" if is_open else f" - interval '{took}'")
        values = {
            "run_id": run, "task_id": f"(select max(task_id) from bucketferry.task where name = {quoted(task)})",
            "task_name": quoted(task), "kind": "'scheduled'", "state": quoted(state), "started_at": began,
            "planned_at": "null" if state == "planning" else f"{began} + interval '{plan_took}'",
            "finished_at": "null" if is_open else f"now() - interval '{ago}'"}
        values.update({name: quoted(value) if isinstance(value, str) else value for name, value in columns.items()})
        self._sql(f"insert into bucketferry.run ({', '.join(values)}) values ({', '.join(map(str, values.values()))})")

    def tally(self, run, worker, **columns):
        """Adds to what the worker did in the run."""
        values = {"run_id": run, "worker_id": worker, "advanced_at": "now()", **columns}
        changes = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in columns) or "slot = t.slot"
        self._sql(f"insert into bucketferry.tally as t ({', '.join(values)}) values ({', '.join(map(str, values.values()))})"
                  f" on conflict (run_id, worker_id, slot) do update set advanced_at = now(), {changes}")

    def jobs(self, run, state, objects, first=1, **columns):
        """objects: [(key as bytes, error or None)]."""
        final = state in ("dead", "vanished", "done")
        names = ", ".join(columns)
        rest = ", ".join(map(str, columns.values()))
        rows = [f"({run}, {first + i}, {key_literal(key)}, 'copy', 'missing', {quoted(state)}, {5000 + i}, 'e', now(),"
                f" {'now()' if final else 'null'}, {'null' if error is None else quoted(error)}, 5"
                f"{', ' + rest if rest else ''})" for i, (key, error) in enumerate(objects)]
        self._sql("insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes, source_etag,"
                  f" source_modified_at, finished_at, error, attempts{', ' + names if names else ''}) values "
                  + ", ".join(rows))

    def large_object(self, run, job, key, worker, parts, parts_left, in_flight, size=1 << 30):
        part = size // parts
        self._sql(
            "insert into bucketferry.job (run_id, job_id, key, action, reason, state, size_bytes, source_etag,"
            " source_modified_at, upload_id, part_bytes, parts_left) values"
            f" ({run}, {job}, {key_literal(key)}, 'copy', 'missing', 'in_flight', {size}, 'e', now(), 'u{job}', {part},"
            f" {parts_left});"
            "insert into bucketferry.upload (nonce, task_id, key, run_id, job_id, upload_id, part_bytes, size_bytes,"
            " source_etag, source_modified_at, source_version)"
            f" select 'n{run}-{job}', task_id, {key_literal(key)}, {run}, {job}, 'u{job}', {part}, {size}, 'e', now(), ''"
            f" from bucketferry.run where run_id = {run};"
            "insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes, state, worker_id)"
            f" select {run}, {job}, i, (i - 1) * {part}::bigint, {part}, 'in_flight', {worker}"
            f" from generate_series(1, {in_flight}) as i")

    def finish_parts(self, run, job, count):
        self._sql(f"update bucketferry.job set parts_left = parts_left - {count} where run_id = {run} and job_id = {job}")

    def refresh(self, task, target, required, acknowledged, outcome="accepted", tries=0, error=None, ago="1 min"):
        due = required > acknowledged
        self._sql(
            "insert into bucketferry.refresh (task_name, target, required_run_id, acknowledged_run_id, required_seq,"
            " acknowledged_seq, required_at, acknowledged_at, outcome, tries, next_try_at, error) values"
            f" ({quoted(task)}, {quoted(target)}, {required}, {acknowledged}, 2, {1 if due else 2},"
            f" now() - interval '{ago}', {'null' if acknowledged == 0 else f'''now() - interval '{ago}' '''},"
            f" {'null' if acknowledged == 0 else quoted(outcome)}, {tries}, {'now()' if tries else 'null'},"
            f" {'null' if error is None else quoted(error)})")

    def notification(self, run, task, event, target, state, tries=0, error=None):
        self._sql(
            "insert into bucketferry.notification (run_id, event, target, task_name, state, tries, finished_at, error)"
            f" values ({run}, {quoted(event)}, {quoted(target)}, {quoted(task)}, {quoted(state)}, {tries},"
            f" {'null' if state == 'waiting' else 'now()'}, {'null' if error is None else quoted(error)})")
