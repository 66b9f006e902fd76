-- Whether this one is staged. $1 run_id, $2 number.
select number from bucketferry.extra where run_id = $1 and number = $2
