-- Objects that need no copying after all: vanished at the source, or archived there.
-- coalesce() keeps the planner from the index on what a worker holds: by id, whatever it held before.
-- $1 run_id, $2 worker_id, $3 task_id, arrays: $4 job ids, $5 states, $6 reasons, $7 verdicts of the
-- ledger, where the state is archived.
with o as (
  select * from unnest($4::bigint[], $5::text[], $6::text[], $7::text[])
    as o(job_id, state, reason, verdict)
), u as (
  update bucketferry.job j
  set state = o.state, error = o.reason, worker_id = null, finished_at = clock_timestamp(),
      upload_id = null, part_bytes = null, parts_left = null
  from o join bucketferry.job b on b.run_id = $1 and b.job_id = o.job_id
  where j.run_id = $1 and j.job_id = o.job_id
    and coalesce(j.state = 'in_flight' and j.worker_id = $2, false)
  returning j.job_id, j.key, j.size_bytes, j.state, j.source_etag, j.source_modified_at,
            j.source_version, o.verdict, b.upload_id is not null as split
), l as (
  insert into bucketferry.ledger (task_id, key, run_id, size_bytes, source_etag,
    source_modified_at, source_version, verdict)
  select $3, key, $1, size_bytes, source_etag, source_modified_at, source_version, verdict
  from u where state = 'archived'
  on conflict (task_id, key) do update
    set run_id = excluded.run_id, size_bytes = excluded.size_bytes,
        source_etag = excluded.source_etag, source_modified_at = excluded.source_modified_at,
        source_version = excluded.source_version, destination_etag = null, proof = null,
        verdict = excluded.verdict, recorded_at = clock_timestamp()
), a as (
  update bucketferry.upload x set abandoned_at = clock_timestamp()
  from u where x.task_id = $3 and x.key = u.key and x.abandoned_at is null and x.run_id <= $1
)
select job_id, state, size_bytes, split from u
