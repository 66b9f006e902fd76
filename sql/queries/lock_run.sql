-- The parent row, locked: two transactions that each make "the last" job final see each other.
-- $1 run_id.
select state, planned_at is not null as planned, finished_at is not null as finished,
       error is not null as refused, error, task_id, task_name, planner_id,
       kind = 'event' as of_events
from bucketferry.run where run_id = $1 for update
