-- The parts of one object; those with an ETag are there already. Repeating it changes nothing.
-- $1 run_id, $2 job_id, arrays: $3 numbers, $4 first bytes, $5 sizes, $6 ETags or null, $7 MD5s or null.
insert into bucketferry.part (run_id, job_id, number, first_byte, size_bytes, etag, md5, state)
select $1, $2, number, first_byte, size_bytes, etag, md5,
       case when etag is null then 'pending' else 'done' end
from unnest($3::int[], $4::bigint[], $5::bigint[], $6::text[], $7::bytea[])
  as p(number, first_byte, size_bytes, etag, md5)
on conflict do nothing
