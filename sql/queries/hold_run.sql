-- Whether a run is still open; it stays so until the transaction ends. What is done for a closed run
-- must not touch what a later one does with the same objects. After the jobs, as everybody locks.
-- $1 run_id.
select run_id from bucketferry.run where run_id = $1 and finished_at is null for share
