-- Lifetime totals of tasks, all generations of a name together. $1 task names.
-- A row for every name that was ever run.
--
-- A task's row holds what ended. A run that goes on, or was interrupted and not closed since, has
-- tally rows; closing it adds them to the task and deletes them in one statement. So the sum of
-- both never goes down. The tally is small (workers x open runs), and is where this begins.
with unfolded as (
  select r.task_name, sum(y.done) as done, sum(y.dead) as dead, sum(y.vanished) as vanished,
         sum(y.parts_done) as parts_done, sum(y.bytes_done) as bytes_done,
         sum(y.source_bytes_read) as source_bytes_read,
         sum(y.destination_bytes_written) as destination_bytes_written
  from bucketferry.tally y join bucketferry.run r using (run_id)
  where r.task_name = any($1::text[])
  group by r.task_name
), folded as (
  select name, min(extract(epoch from created_at)) as created, sum(runs) as runs,
         sum(runs_failed) as runs_failed, sum(runs_skipped) as runs_skipped,
         max(extract(epoch from skipped_at)) as skipped,
         sum(objects_copied) as objects_copied, sum(objects_dead) as objects_dead,
         sum(objects_vanished) as objects_vanished, sum(parts_copied) as parts_copied,
         sum(bytes_copied) as bytes_copied, sum(source_bytes_read) as source_bytes_read,
         sum(destination_bytes_written) as destination_bytes_written
  from bucketferry.task where name = any($1::text[])
  group by name
)
select f.name as task, f.created::float8 as created, f.runs::bigint as runs,
       f.runs_failed::bigint as runs_failed, f.runs_skipped::bigint as runs_skipped,
       f.skipped::float8 as skipped,
       (f.objects_copied + coalesce(u.done, 0))::bigint as objects_copied,
       (f.objects_dead + coalesce(u.dead, 0))::bigint as objects_failed,
       (f.objects_vanished + coalesce(u.vanished, 0))::bigint as objects_vanished,
       (f.parts_copied + coalesce(u.parts_done, 0))::bigint as parts_copied,
       (f.bytes_copied + coalesce(u.bytes_done, 0))::bigint as bytes_copied,
       (f.source_bytes_read + coalesce(u.source_bytes_read, 0))::bigint as source_bytes_read,
       (f.destination_bytes_written + coalesce(u.destination_bytes_written, 0))::bigint
         as destination_bytes_written
from folded f left join unfolded u on u.task_name = f.name
