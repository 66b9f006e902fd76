-- The parts of one object; those with an ETag are there already. One that was done and that the store
-- has lost is sent again; what others hold, or finished meanwhile, stays.
-- $1 run_id, $2 job_id, arrays: $3 numbers, $4 first bytes, $5 sizes, $6 ETags or null, $7 MD5s or
-- null; $8 the numbers that the store has lost; $9 checksums or null. Rows: those written.
insert into bucketferry.part as p
  (run_id, job_id, number, first_byte, size_bytes, etag, md5, checksum, state)
select $1, $2, number, first_byte, size_bytes, etag, md5, checksum,
       case when etag is null then 'pending' else 'done' end
from unnest($3::int[], $4::bigint[], $5::bigint[], $6::text[], $7::bytea[], $9::text[])
  as o(number, first_byte, size_bytes, etag, md5, checksum)
on conflict (run_id, job_id, number) do update
  set state = excluded.state, etag = excluded.etag, md5 = excluded.md5, checksum = excluded.checksum
  where p.state = 'done' and p.number = any($8::int[])
returning state
