-- Nothing undone is left of a closed run. $1 run_id.
update bucketferry.run set leftovers = false where run_id = $1
