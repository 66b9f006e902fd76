-- Adds up what this worker did longer than an hour ago, and what others did whose lease ended so long
-- ago and that hold nothing: in one row of this worker's, or the tally of a long run would grow, and
-- with it each claim that sums it. A row that was written since stays, and with it whoever wrote it.
-- Run after lock_run: whoever folds a closed run must not miss the row that the others became.
-- $1 run_id, $2 worker_id.
with past as (
  select t.worker_id, t.slot from bucketferry.tally t
  left join bucketferry.worker w using (worker_id)
  where t.run_id = $1 and (t.worker_id <> $2 or t.slot >= 0)
    and t.progress_at < clock_timestamp() - interval '1 hour'
    and (t.worker_id = $2
         or coalesce(w.released_at, w.leased_until) < clock_timestamp() - interval '1 hour'
            and not exists (select from bucketferry.job j where j.run_id = $1
                            and j.state = 'in_flight' and j.worker_id = t.worker_id)
            and not exists (select from bucketferry.part p where p.run_id = $1
                            and p.state = 'in_flight' and p.worker_id = t.worker_id))
), gone as (
  delete from bucketferry.tally t using past
  where t.run_id = $1 and t.worker_id = past.worker_id and t.slot = past.slot
    and t.progress_at < clock_timestamp() - interval '1 hour'
  returning t.*
)
insert into bucketferry.tally as t (run_id, worker_id, slot, progress_at, advanced_at,
  source_objects, planned, pending, in_flight, retry_wait, done, adopted, deleted, dead, vanished,
  archived, bytes_planned, bytes_pending, bytes_in_flight, bytes_done, parts_pending,
  parts_in_flight, parts_done, source_bytes_read, destination_bytes_written, retries,
  requests_source, requests_destination)
select $1, $2, -1, max(progress_at), max(advanced_at),
       sum(source_objects), sum(planned), sum(pending), sum(in_flight), sum(retry_wait),
       sum(done), sum(adopted), sum(deleted), sum(dead), sum(vanished), sum(archived),
       sum(bytes_planned), sum(bytes_pending), sum(bytes_in_flight), sum(bytes_done),
       sum(parts_pending), sum(parts_in_flight), sum(parts_done), sum(source_bytes_read),
       sum(destination_bytes_written), sum(retries), sum(requests_source),
       sum(requests_destination)
from gone having count(*) > 0
on conflict (run_id, worker_id, slot) do update set
  source_objects = t.source_objects + excluded.source_objects,
  planned = t.planned + excluded.planned,
  pending = t.pending + excluded.pending,
  in_flight = t.in_flight + excluded.in_flight,
  retry_wait = t.retry_wait + excluded.retry_wait,
  done = t.done + excluded.done,
  adopted = t.adopted + excluded.adopted,
  deleted = t.deleted + excluded.deleted,
  dead = t.dead + excluded.dead,
  vanished = t.vanished + excluded.vanished,
  archived = t.archived + excluded.archived,
  bytes_planned = t.bytes_planned + excluded.bytes_planned,
  bytes_pending = t.bytes_pending + excluded.bytes_pending,
  bytes_in_flight = t.bytes_in_flight + excluded.bytes_in_flight,
  bytes_done = t.bytes_done + excluded.bytes_done,
  parts_pending = t.parts_pending + excluded.parts_pending,
  parts_in_flight = t.parts_in_flight + excluded.parts_in_flight,
  parts_done = t.parts_done + excluded.parts_done,
  source_bytes_read = t.source_bytes_read + excluded.source_bytes_read,
  destination_bytes_written = t.destination_bytes_written + excluded.destination_bytes_written,
  retries = t.retries + excluded.retries,
  requests_source = t.requests_source + excluded.requests_source,
  requests_destination = t.requests_destination + excluded.requests_destination,
  progress_at = greatest(t.progress_at, excluded.progress_at),
  advanced_at = greatest(t.advanced_at, excluded.advanced_at)
