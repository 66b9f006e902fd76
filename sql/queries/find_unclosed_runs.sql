-- Runs of a task that are not closed, oldest first. $1 task name.
select r.run_id, r.task_id, r.state, r.kind = 'event' as of_events,
       r.active, coalesce(x.planner_id, 0) as planner_id,
       x.planner_id is not null
         and exists (select from bucketferry.worker w where w.worker_id = x.planner_id
                     and w.released_at is null and w.leased_until > clock_timestamp())
         as planner_alive,
       r.planned_at is not null as planned, r.pending + r.in_flight + r.retry_wait as jobs_left
from bucketferry.run_total r join bucketferry.run x using (run_id)
where r.task_name = $1 and (r.state in ('planning', 'copying')
      or (r.state = 'interrupted' and r.finished_at is null))
order by r.run_id
