-- Extras of a run that are none any more. $1 run_id, $2 numbers.
delete from bucketferry.extra x using unnest($2::bigint[]) as n (number)
where x.run_id = $1 and x.number = n.number
