-- Adds one worker's differences to one run, in the row of these ten minutes.
-- It comes forward when an object was seen, planned or became final, or a part ended; $26: in any case.
-- $1 run_id, $2 worker_id, $3 ... $25 in the order below.
insert into bucketferry.tally as t (run_id, worker_id, slot, source_objects, planned, pending, in_flight, retry_wait, done, adopted, deleted, dead, vanished, archived, bytes_planned, bytes_pending, bytes_in_flight, bytes_done, parts_pending, parts_in_flight, parts_done, source_bytes_read, destination_bytes_written, retries, requests_source, requests_destination, advanced_at)
values ($1, $2, floor(extract(epoch from clock_timestamp()) / 600)::bigint, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
  case when $26 or $3::bigint + $4::bigint + $8::bigint + $9::bigint + $10::bigint + $11::bigint + $12::bigint + $13::bigint + $20::bigint > 0
       then clock_timestamp() end)
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
  progress_at = clock_timestamp(),
  advanced_at = coalesce(excluded.advanced_at, t.advanced_at)
