-- Drops what a closed run left undone, within a range of jobs. What a live worker still has in its
-- hands stays: it may be done yet, and then counts. Parts stay: an open upload goes on from them.
-- Whose a job is, is asked of the row that is deleted: it may have been claimed a moment ago.
-- $1 run_id, $2 above this job_id, $3 up to this one. One row: dropped, kept.
with undone as (
  select job_id from bucketferry.job
  where run_id = $1 and job_id > $2 and job_id <= $3
    and state in ('pending', 'in_flight', 'retry_wait')
), gone as (
  delete from bucketferry.job j
  where j.run_id = $1 and j.job_id > $2 and j.job_id <= $3
    and j.state in ('pending', 'in_flight', 'retry_wait')
    and not (j.state = 'in_flight' and exists (
               select from bucketferry.worker w where w.worker_id = j.worker_id
               and w.released_at is null and w.leased_until > clock_timestamp()))
  returning j.job_id
)
select (select count(*) from gone) as dropped,
       (select count(*) from undone) - (select count(*) from gone) as kept
