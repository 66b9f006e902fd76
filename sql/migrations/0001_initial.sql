-- breaking: yes
--
-- The queue, the ledger and the truth. Statements name the schema `bucketferry`; the program puts
-- the configured one in its place.
--
--   job    pending -> in_flight -> done | dead | vanished | archived
--             ^          |   ^
--             |          v   |
--             +----- retry_wait        (also where jobs of a lost worker go; costs no attempt)
--
--   part   pending -> in_flight -> done   (rows exist once the upload does; the resume point)
--
-- Keys are bytes: text cannot hold every key and has a collation. Times are the database's own
-- (clock_timestamp), so that no host's clock decides anything.

-- Run ids begin at the time of creation, so that they never repeat after a lost database:
-- whoever remembers an id (a refresh target, an alert) sees only larger ones.
create sequence bucketferry.run_id as bigint;
select setval('bucketferry.run_id', extract(epoch from clock_timestamp())::bigint);

-- A configured pair. Another bucket or prefix under the same name is another row (generation):
-- the ledger of the old one does not speak for it.
create table bucketferry.task (
  task_id            bigint generated always as identity primary key,
  name               text not null,
  source_store       text not null,
  source_bucket      text not null,
  source_prefix      bytea not null,
  destination_store  text not null,
  destination_bucket text not null,
  destination_prefix bytea not null,
  refresh_targets    text[] not null default '{}',
  created_at         timestamptz not null default clock_timestamp(),

  -- Lifetime totals: folded in when a run closes, never counted from rows that may be pruned.
  runs               bigint not null default 0,
  runs_failed        bigint not null default 0,
  runs_skipped       bigint not null default 0,
  objects_copied     bigint not null default 0,
  objects_dead       bigint not null default 0,
  objects_vanished   bigint not null default 0,
  parts_copied       bigint not null default 0,
  bytes_copied       bigint not null default 0,
  source_bytes_read  bigint not null default 0,
  destination_bytes_written bigint not null default 0,
  retries            bigint not null default 0,

  constraint task_is_one_place unique (name, source_store, source_bucket, source_prefix,
    destination_store, destination_bucket, destination_prefix)
);

-- One row per worker and term: whoever lost its lease comes back as another row.
create table bucketferry.worker (
  worker_id    bigint generated always as identity primary key,
  host         text not null,
  process_id   int not null,
  started_at   timestamptz not null default clock_timestamp(),
  leased_until timestamptz not null,
  released_at  timestamptz
) with (fillfactor = 50);

create table bucketferry.run (
  run_id        bigint primary key,
  task_id       bigint not null references bucketferry.task,
  task_name     text not null,
  kind          text not null,
  state         text not null,
  planner_id    bigint references bucketferry.worker,
  started_at    timestamptz not null default clock_timestamp(),
  planned_at    timestamptz,
  finished_at   timestamptz,
  error         text,
  changed_destination boolean not null default false,

  -- Sums of the tally rows, folded in when the run closes.
  source_objects        bigint not null default 0,
  planned               bigint not null default 0,
  done                  bigint not null default 0,
  adopted               bigint not null default 0,
  deleted               bigint not null default 0,
  dead                  bigint not null default 0,
  vanished              bigint not null default 0,
  archived              bigint not null default 0,
  bytes_planned         bigint not null default 0,
  bytes_done            bigint not null default 0,
  parts_done            bigint not null default 0,
  source_bytes_read     bigint not null default 0,
  destination_bytes_written bigint not null default 0,
  retries               bigint not null default 0,
  requests_source       bigint not null default 0,
  requests_destination  bigint not null default 0,

  constraint run_kind check (kind in ('scheduled', 'retry')),
  constraint run_state check (state in
    ('planning', 'copying', 'complete', 'incomplete', 'failed', 'skipped', 'interrupted')),
  -- An interrupted run is closed by the next one: it may have ended or not.
  constraint run_finished_when_closed check
    (state = 'interrupted' or (finished_at is null) = (state in ('planning', 'copying'))),
  constraint run_planned_when_copying check (state <> 'copying' or planned_at is not null),
  constraint run_ends_after_it_starts check (finished_at >= started_at)
);

create index run_of_task on bucketferry.run (task_name, run_id);
-- The latest of each kind, also of a task that never had one.
create index run_complete on bucketferry.run (task_name, run_id) where state = 'complete';
create index run_incomplete on bucketferry.run (task_name, run_id) where state = 'incomplete';
create index run_failed on bucketferry.run (task_name, run_id) where state = 'failed';
create index run_open on bucketferry.run (run_id) where state in ('planning', 'copying');

-- What one worker added to one run: levels as differences, so that no row is hot and nothing is
-- counted. A level of a run is the sum over its rows.
create table bucketferry.tally (
  run_id                bigint not null references bucketferry.run,
  worker_id             bigint not null references bucketferry.worker,
  source_objects        bigint not null default 0,
  planned               bigint not null default 0,
  pending               bigint not null default 0,
  in_flight             bigint not null default 0,
  retry_wait            bigint not null default 0,
  done                  bigint not null default 0,
  adopted               bigint not null default 0,
  deleted               bigint not null default 0,
  dead                  bigint not null default 0,
  vanished              bigint not null default 0,
  archived              bigint not null default 0,
  bytes_planned         bigint not null default 0,
  bytes_pending         bigint not null default 0,
  bytes_in_flight       bigint not null default 0,
  bytes_done            bigint not null default 0,
  parts_pending         bigint not null default 0,
  parts_in_flight       bigint not null default 0,
  parts_done            bigint not null default 0,
  source_bytes_read     bigint not null default 0,
  destination_bytes_written bigint not null default 0,
  retries               bigint not null default 0,
  requests_source       bigint not null default 0,
  requests_destination  bigint not null default 0,
  progress_at           timestamptz not null default clock_timestamp(),
  primary key (run_id, worker_id)
) with (fillfactor = 50);

-- Partitioned by ranges of runs: forgetting old runs is dropping a table. job_id counts from 1 in
-- the order of planning, so that claims go on above the last one (a cursor) and never search from
-- the front.
create table bucketferry.job (
  run_id            bigint not null,
  job_id            bigint not null,
  key               bytea not null,
  action            text not null,
  reason            text not null,
  state             text not null default 'pending',
  size_bytes        bigint not null,
  source_etag       text not null,
  source_modified_at timestamptz not null,
  source_version    text not null default '',
  attempts          int not null default 0,
  retry_at          timestamptz,
  worker_id         bigint,
  upload_id         text,
  part_bytes        bigint,
  parts_left        int,
  destination_etag  text,
  proof             text,
  error             text,
  planned_at        timestamptz not null default clock_timestamp(),
  finished_at       timestamptz,
  primary key (run_id, job_id),

  constraint job_action check (action in ('copy', 'verify')),
  constraint job_state check (state in
    ('pending', 'in_flight', 'retry_wait', 'done', 'dead', 'vanished', 'archived')),
  constraint job_size check (size_bytes >= 0),
  constraint job_retry_has_time check ((state = 'retry_wait') = (retry_at is not null)),
  -- Without a worker an object is in flight only through its parts.
  constraint job_in_flight_is_somebodys check
    (state <> 'in_flight' or worker_id is not null or upload_id is not null),
  constraint job_upload_is_whole check (num_nulls(upload_id, part_bytes, parts_left) in (0, 3)),
  constraint job_parts_left check (parts_left >= 0),
  constraint job_finished_when_final check
    ((finished_at is not null) = (state in ('done', 'dead', 'vanished', 'archived'))),
  constraint job_done_says_by_what check
    (state <> 'done' or (proof is not null and destination_etag is not null)),
  constraint job_dead_says_why check (state <> 'dead' or error is not null)
) partition by range (run_id);

create index job_waiting on bucketferry.job (run_id, retry_at) where state = 'retry_wait';
create index job_complete_next on bucketferry.job (run_id, job_id)
  where state = 'in_flight' and parts_left = 0 and worker_id is null;
create index job_dead on bucketferry.job (run_id, job_id) where state = 'dead';
create index job_held on bucketferry.job (run_id, worker_id) where state = 'in_flight';

create table bucketferry.part (
  run_id      bigint not null,
  job_id      bigint not null,
  number      int not null,
  first_byte  bigint not null,
  size_bytes  bigint not null,
  state       text not null default 'pending',
  worker_id   bigint,
  etag        text,
  md5         bytea,
  primary key (run_id, job_id, number),

  constraint part_number check (number between 1 and 10000),
  constraint part_size check (size_bytes > 0 and first_byte >= 0),
  constraint part_state check (state in ('pending', 'in_flight', 'done')),
  constraint part_in_flight_is_somebodys check ((state = 'in_flight') = (worker_id is not null)),
  constraint part_done_is_whole check
    ((state = 'done') = (etag is not null) and (etag is null) = (md5 is null)),
  constraint part_md5 check (octet_length(md5) = 16)
) partition by range (run_id);

create index part_pending on bucketferry.part (run_id, job_id, number) where state = 'pending';
create index part_held on bucketferry.part (run_id, worker_id) where state = 'in_flight';

-- Uploads that are open at a destination: ours to go on with or to abort. The row goes in before
-- Create is sent (upload_id null), so that a lost answer leaves a trace.
create table bucketferry.upload (
  task_id            bigint not null references bucketferry.task,
  key                bytea not null,
  run_id             bigint not null,
  job_id             bigint not null,
  upload_id          text,
  part_bytes         bigint not null,
  size_bytes         bigint not null,
  source_etag        text not null,
  source_modified_at timestamptz not null,
  source_version     text not null,
  created_at         timestamptz not null default clock_timestamp(),
  primary key (task_id, key)
);

-- What the destination is known to hold, or why it holds nothing (a standing verdict).
create table bucketferry.ledger (
  task_id            bigint not null,
  key                bytea not null,
  run_id             bigint not null,
  size_bytes         bigint not null,
  source_modified_at timestamptz not null,
  recorded_at        timestamptz not null default clock_timestamp(),
  source_etag        text not null,
  source_version     text not null default '',
  destination_etag   text,
  proof              text,
  verdict            text,
  primary key (task_id, key),

  constraint ledger_holds_or_says_why check
    ((verdict is null) = (destination_etag is not null and proof is not null)),
  constraint ledger_verdict check (verdict in ('archived', 'key_refused'))
);

create table bucketferry.refresh (
  task_name           text not null,
  target              text not null,
  required_run_id     bigint not null default 0,
  acknowledged_run_id bigint not null default 0,
  required_at         timestamptz,
  acknowledged_at     timestamptz,
  requests            bigint not null default 0,
  failures            bigint not null default 0,
  primary key (task_name, target)
);

-- Hot tables: vacuumed by rows, not by share, so that a run of millions keeps its indexes small.
alter table bucketferry.tally set (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
alter table bucketferry.worker set (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- The running sum of a run, whether it is still going on or closed.
create view bucketferry.run_total as
select r.run_id, r.task_id, r.task_name, r.kind, r.state, r.started_at, r.planned_at, r.finished_at,
       r.error, r.changed_destination,
       r.source_objects + coalesce(t.source_objects, 0) as source_objects,
       r.planned + coalesce(t.planned, 0) as planned,
       coalesce(t.pending, 0) as pending,
       coalesce(t.in_flight, 0) as in_flight,
       coalesce(t.retry_wait, 0) as retry_wait,
       r.done + coalesce(t.done, 0) as done,
       r.adopted + coalesce(t.adopted, 0) as adopted,
       r.deleted + coalesce(t.deleted, 0) as deleted,
       r.dead + coalesce(t.dead, 0) as dead,
       r.vanished + coalesce(t.vanished, 0) as vanished,
       r.archived + coalesce(t.archived, 0) as archived,
       r.bytes_planned + coalesce(t.bytes_planned, 0) as bytes_planned,
       coalesce(t.bytes_pending, 0) as bytes_pending,
       coalesce(t.bytes_in_flight, 0) as bytes_in_flight,
       r.bytes_done + coalesce(t.bytes_done, 0) as bytes_done,
       coalesce(t.parts_pending, 0) as parts_pending,
       coalesce(t.parts_in_flight, 0) as parts_in_flight,
       r.parts_done + coalesce(t.parts_done, 0) as parts_done,
       r.source_bytes_read + coalesce(t.source_bytes_read, 0) as source_bytes_read,
       r.destination_bytes_written + coalesce(t.destination_bytes_written, 0)
         as destination_bytes_written,
       r.retries + coalesce(t.retries, 0) as retries,
       r.requests_source + coalesce(t.requests_source, 0) as requests_source,
       r.requests_destination + coalesce(t.requests_destination, 0) as requests_destination,
       t.progress_at,
       coalesce(t.live_workers, 0) as live_workers,
       -- A run goes on while somebody with a lease works on it; else it only looks like it.
       r.state in ('planning', 'copying') and coalesce(t.live_workers, 0) > 0 as active
from bucketferry.run r
left join lateral (
  select sum(y.source_objects)::bigint as source_objects, sum(y.planned)::bigint as planned,
         sum(y.pending)::bigint as pending, sum(y.in_flight)::bigint as in_flight,
         sum(y.retry_wait)::bigint as retry_wait, sum(y.done)::bigint as done,
         sum(y.adopted)::bigint as adopted, sum(y.deleted)::bigint as deleted,
         sum(y.dead)::bigint as dead, sum(y.vanished)::bigint as vanished,
         sum(y.archived)::bigint as archived, sum(y.bytes_planned)::bigint as bytes_planned,
         sum(y.bytes_pending)::bigint as bytes_pending,
         sum(y.bytes_in_flight)::bigint as bytes_in_flight,
         sum(y.bytes_done)::bigint as bytes_done, sum(y.parts_pending)::bigint as parts_pending,
         sum(y.parts_in_flight)::bigint as parts_in_flight,
         sum(y.parts_done)::bigint as parts_done,
         sum(y.source_bytes_read)::bigint as source_bytes_read,
         sum(y.destination_bytes_written)::bigint as destination_bytes_written,
         sum(y.retries)::bigint as retries, sum(y.requests_source)::bigint as requests_source,
         sum(y.requests_destination)::bigint as requests_destination,
         max(y.progress_at) as progress_at,
         count(*) filter (where w.released_at is null and w.leased_until > clock_timestamp())
           as live_workers
  from bucketferry.tally y join bucketferry.worker w using (worker_id)
  where y.run_id = r.run_id
) t on true;

-- For users' own SQL; these three views are stable.
create view bucketferry.run_history as
select task_name as task, run_id as run, kind,
       case when state in ('planning', 'copying') and not active then 'interrupted' else state end
         as state,
       started_at, planned_at, finished_at, error, source_objects, planned, pending, in_flight,
       retry_wait, done, adopted, deleted, dead, vanished, archived, bytes_planned, bytes_done,
       retries, requests_source, requests_destination
from bucketferry.run_total;

create view bucketferry.object_history as
select r.task_name as task, j.run_id as run, j.job_id as job, j.key, j.action, j.reason, j.state,
       j.attempts, j.error, j.size_bytes, j.source_etag, j.source_modified_at, j.source_version,
       j.destination_etag, j.proof, j.planned_at, j.retry_at, j.finished_at
from bucketferry.job j join bucketferry.run r using (run_id);

create view bucketferry.destination_object as
select t.name as task, l.key,
       t.destination_prefix || substring(l.key from octet_length(t.source_prefix) + 1)
         as destination_key,
       l.size_bytes, l.source_etag, l.source_modified_at, l.source_version, l.destination_etag,
       l.proof, l.verdict, l.run_id as run, l.recorded_at
from bucketferry.ledger l join bucketferry.task t using (task_id);

-- Makes the partitions that a run's rows go to. A function, because DDL takes no parameters.
-- Attaching instead of creating in place: the parent stays open to everybody meanwhile.
create function bucketferry.ensure_partitions(run bigint) returns void language plpgsql as $$
declare
  width constant bigint := 256;
  low constant bigint := run - run % width;
  parent text;
begin
  if to_regclass('bucketferry.job_' || low) is not null
     and to_regclass('bucketferry.part_' || low) is not null then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtext('bucketferry.ensure_partitions'));
  foreach parent in array array['job', 'part'] loop
    if to_regclass('bucketferry.' || parent || '_' || low) is null then
      execute format('create table bucketferry.%I (like bucketferry.%I including all)
                      with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05,
                            autovacuum_vacuum_cost_delay = 0)',
                     parent || '_' || low, parent);
      execute format('alter table bucketferry.%I attach partition bucketferry.%I
                      for values from (%s) to (%s)',
                     parent, parent || '_' || low, low, low + width);
    end if;
  end loop;
end
$$;
