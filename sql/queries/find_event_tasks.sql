-- Tasks with keys that wait, or with a run of events that nobody plans or works on any more.
-- $1 task names.
select n.task from unnest($1::text[]) as n (task)
where exists (select from bucketferry.event e where e.task = n.task)
   or exists (
     select from bucketferry.run x join bucketferry.run_total r using (run_id)
     where x.task_name = n.task and x.kind = 'event' and x.state in ('planning', 'copying')
       and (not r.active
            or (x.state = 'planning' and not exists (
                  select from bucketferry.worker w where w.worker_id = x.planner_id
                  and w.released_at is null and w.leased_until > clock_timestamp()))))
