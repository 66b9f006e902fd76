-- Runs with extras that will become nothing: this one, and those that are not being planned any
-- more. $1 run_id. Rows: run_id, the highest number.
select x.run_id, max(x.number) as upto from bucketferry.extra x
where x.run_id = $1
   or not exists (select from bucketferry.run r where r.run_id = x.run_id and r.state = 'planning')
group by x.run_id
