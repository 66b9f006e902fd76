-- Parts that nobody will send, of those of these objects that are dead. $1 run_id, $2 job ids.
delete from bucketferry.part p using bucketferry.job j
where p.run_id = $1 and p.job_id = any($2::bigint[]) and p.state = 'pending'
  and j.run_id = $1 and j.job_id = p.job_id and j.state = 'dead'
returning p.number
