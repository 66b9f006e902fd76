-- The destination is not what it was, whoever counted it: whoever is downstream must look.
-- Run after lock_run. $1 run_id.
update bucketferry.run set changed_destination = true where run_id = $1 and not changed_destination
