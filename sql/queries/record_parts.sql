-- Finished parts. The parent row is updated, hence locked: of two transactions that finish the last
-- two parts one sees zero left. What was sent to another upload than the one that is open now, long
-- ago, is no part of this one. coalesce() as in record_done.
-- $1 run_id, $2 worker_id, arrays: $3 job ids, $4 numbers, $5 ETags, $6 MD5s, $7 upload ids,
-- $8 checksums or ''.
with o as (
  select o.job_id, o.number, o.etag, o.md5, nullif(o.checksum, '') as checksum
  from unnest($3::bigint[], $4::int[], $5::text[], $6::bytea[], $7::text[], $8::text[])
    as o(job_id, number, etag, md5, upload_id, checksum)
  join bucketferry.job j on j.run_id = $1 and j.job_id = o.job_id and j.upload_id = o.upload_id
), u as (
  update bucketferry.part p set state = 'done', worker_id = null, etag = o.etag, md5 = o.md5,
         checksum = o.checksum
  from o
  where p.run_id = $1 and p.job_id = o.job_id and p.number = o.number
    and coalesce(p.state = 'in_flight' and p.worker_id = $2, false)
  returning p.job_id, p.size_bytes
), n as (
  select job_id, count(*)::int as parts, sum(size_bytes)::bigint as bytes from u group by job_id
), j as (
  update bucketferry.job j set parts_left = j.parts_left - n.parts
  from n
  where j.run_id = $1 and j.job_id = n.job_id and j.parts_left is not null
  returning j.job_id
)
select job_id, parts, bytes from n
