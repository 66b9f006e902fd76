-- The next keys that wait, in the order of their telling. $1 task name, $2 above this number, $3 how
-- many.
select number, key from bucketferry.event
where task = $1 and number > $2
order by number limit $3
