-- All objects of which something is written, locked before: object before part and by id, so that two
-- who write of the same objects never wait for each other.
-- $1 run_id, $2 job ids.
select job_id from bucketferry.job
where run_id = $1 and job_id = any($2::bigint[])
order by job_id for update
