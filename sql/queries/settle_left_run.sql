-- What a closed run left was looked at. $1 run_id, $2 whether something of it is left still.
update bucketferry.run set leftovers = $2, left_seen_at = clock_timestamp() where run_id = $1
