-- Adds the tallies of a closed run to its own row and to the lifetime totals of its task, and removes
-- them. Once when it is closed, and again when work that was under way then is recorded.
--
-- What is still in somebody's hands, or waits for another try, may have been written; so may what was
-- sent and ended badly. Nobody knows, so the destination counts as changed.
-- Run after lock_run. $1 run_id. One row: run_id; changed: by these tallies.
with gone as (
  delete from bucketferry.tally where run_id = $1 returning *
), s as (
  select coalesce(sum(source_objects), 0)::bigint as source_objects,
         coalesce(sum(planned), 0)::bigint as planned,
         coalesce(sum(done), 0)::bigint as done,
         coalesce(sum(adopted), 0)::bigint as adopted,
         coalesce(sum(deleted), 0)::bigint as deleted,
         coalesce(sum(dead), 0)::bigint as dead,
         coalesce(sum(vanished), 0)::bigint as vanished,
         coalesce(sum(archived), 0)::bigint as archived,
         coalesce(sum(bytes_planned), 0)::bigint as bytes_planned,
         coalesce(sum(bytes_done), 0)::bigint as bytes_done,
         coalesce(sum(parts_done), 0)::bigint as parts_done,
         coalesce(sum(source_bytes_read), 0)::bigint as source_bytes_read,
         coalesce(sum(destination_bytes_written), 0)::bigint as destination_bytes_written,
         coalesce(sum(retries), 0)::bigint as retries,
         coalesce(sum(requests_source), 0)::bigint as requests_source,
         coalesce(sum(requests_destination), 0)::bigint as requests_destination,
         coalesce(sum(done + deleted) > 0 or sum(in_flight + retry_wait) > 0
                  or sum(destination_bytes_written) > 0, false) as changed
  from gone
), r as (
  update bucketferry.run x set
    source_objects = x.source_objects + s.source_objects,
    planned = x.planned + s.planned,
    done = x.done + s.done,
    adopted = x.adopted + s.adopted,
    deleted = x.deleted + s.deleted,
    dead = x.dead + s.dead,
    vanished = x.vanished + s.vanished,
    archived = x.archived + s.archived,
    bytes_planned = x.bytes_planned + s.bytes_planned,
    bytes_done = x.bytes_done + s.bytes_done,
    parts_done = x.parts_done + s.parts_done,
    source_bytes_read = x.source_bytes_read + s.source_bytes_read,
    destination_bytes_written = x.destination_bytes_written + s.destination_bytes_written,
    retries = x.retries + s.retries,
    requests_source = x.requests_source + s.requests_source,
    requests_destination = x.requests_destination + s.requests_destination,
    changed_destination = x.changed_destination or s.changed
  from s where x.run_id = $1
  returning x.*
)
update bucketferry.task t set
  objects_copied = t.objects_copied + s.done,
  objects_dead = t.objects_dead + s.dead,
  objects_vanished = t.objects_vanished + s.vanished,
  parts_copied = t.parts_copied + s.parts_done,
  bytes_copied = t.bytes_copied + s.bytes_done,
  source_bytes_read = t.source_bytes_read + s.source_bytes_read,
  destination_bytes_written = t.destination_bytes_written + s.destination_bytes_written,
  retries = t.retries + s.retries
from r, s where t.task_id = r.task_id
returning r.run_id, s.changed
