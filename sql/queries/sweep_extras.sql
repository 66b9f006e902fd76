-- By ranges of the key: a search from the front would step over all that was deleted before.
-- $1 run_id, $2 above this number, $3 up to this one.
delete from bucketferry.extra where run_id = $1 and number > $2 and number <= $3
