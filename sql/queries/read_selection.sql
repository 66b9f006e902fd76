-- What the last complete plan of a pair selected; null: there was none; empty: another pair was run
-- under this name since, and what that one wrote is not known here. $1 task_id.
select case when t.selection is not null and t.task_id is distinct from (
         select r.task_id from bucketferry.run r
         where r.task_name = t.name and r.state <> 'skipped'
           and (r.task_id <> t.task_id or (r.kind = 'scheduled' and r.planned_at is not null))
         order by r.run_id desc limit 1)
       then '' else t.selection end as selection
from bucketferry.task t where t.task_id = $1
