-- Finished objects of one worker, and what the destination now holds. Rows that are not this
-- worker's any more stay as they are and are not returned.
-- coalesce() keeps the planner from the index on what a worker holds: by id, whatever it held before.
-- $1 run_id, $2 worker_id, $3 task_id, then arrays of one length: $4 job ids, $5 destination ETags,
-- $6 proofs, and the source as it was read: $7 ETags, $8 sizes, $9 times in ms, $10 versions.
with o as (
  select * from unnest($4::bigint[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                       $9::bigint[], $10::text[])
    as o(job_id, destination_etag, proof, source_etag, size_bytes, modified_ms, source_version)
), u as (
  update bucketferry.job j
  set state = 'done', worker_id = null, error = null, finished_at = clock_timestamp(),
      destination_etag = o.destination_etag, proof = o.proof, source_etag = o.source_etag,
      size_bytes = o.size_bytes, source_version = o.source_version,
      source_modified_at = to_timestamp(o.modified_ms / 1000.0),
      upload_id = null, part_bytes = null, parts_left = null
  from o join bucketferry.job b on b.run_id = $1 and b.job_id = o.job_id
  where j.run_id = $1 and j.job_id = o.job_id
    and coalesce(j.state = 'in_flight' and j.worker_id = $2, false)
  returning j.job_id, j.key, j.size_bytes, j.source_etag, j.source_modified_at, j.source_version,
            j.destination_etag, j.proof, b.upload_id as completed
), l as (
  insert into bucketferry.ledger as l (task_id, key, run_id, size_bytes, source_etag,
    source_modified_at, source_version, destination_etag, proof)
  select $3, key, $1, size_bytes, source_etag, source_modified_at, source_version,
         destination_etag, proof from u
  on conflict (task_id, key) do update
    set run_id = excluded.run_id, size_bytes = excluded.size_bytes,
        source_etag = excluded.source_etag, source_modified_at = excluded.source_modified_at,
        source_version = excluded.source_version, destination_etag = excluded.destination_etag,
        proof = excluded.proof, verdict = null, recorded_at = clock_timestamp()
), g as (  -- what was completed is no upload any more
  delete from bucketferry.upload x using u
  where x.task_id = $3 and x.key = u.key and x.upload_id = u.completed
), a as (  -- any other of the object is of no use, but to a later run
  update bucketferry.upload x set abandoned_at = clock_timestamp() from u
  where x.task_id = $3 and x.key = u.key and x.abandoned_at is null and x.run_id <= $1
    and (x.upload_id is null or x.upload_id is distinct from u.completed)
)
select job_id from u
