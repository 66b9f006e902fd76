-- What its planner asks of a run of events. $1 run_id. One row: whether it is still to be planned,
-- whether another run waits for its end, and how old it is.
select r.state = 'planning' as planning,
       coalesce((select bool_or(t.run_wanted_until > clock_timestamp())
                 from bucketferry.task t where t.name = r.task_name), false) as run_wanted,
       (extract(epoch from clock_timestamp() - r.started_at) * 1000)::bigint as age_ms
from bucketferry.run r where r.run_id = $1
