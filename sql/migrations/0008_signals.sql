-- breaking: yes
--
-- Signals: what tells people and programs that a run started, how far it is, that it is done, and
-- that everything downstream of it knows. Breaking: an older program would close runs without
-- raising what refreshes are counted by.

-- When something of the run came forward: an object or a part ended, or was planned. Not when it was
-- claimed or asked for: who tries for ever does not come forward. Null: nothing in this row did.
alter table bucketferry.tally add column advanced_at timestamptz;
update bucketferry.tally set advanced_at = progress_at;

create or replace view bucketferry.run_total as
select r.run_id, r.task_id, r.task_name, r.kind, r.state, r.started_at, r.planned_at, r.finished_at,
       r.error, r.changed_destination,
       r.source_objects + coalesce(t.source_objects, 0) as source_objects,
       r.planned + coalesce(t.planned, 0) as planned,
       case when r.finished_at is null then coalesce(t.pending, 0) else 0 end
         as pending,
       case when r.finished_at is null then coalesce(t.in_flight, 0) else 0 end
         as in_flight,
       case when r.finished_at is null then coalesce(t.retry_wait, 0) else 0 end
         as retry_wait,
       r.done + coalesce(t.done, 0) as done,
       r.adopted + coalesce(t.adopted, 0) as adopted,
       r.deleted + coalesce(t.deleted, 0) as deleted,
       r.dead + coalesce(t.dead, 0) as dead,
       r.vanished + coalesce(t.vanished, 0) as vanished,
       r.archived + coalesce(t.archived, 0) as archived,
       r.bytes_planned + coalesce(t.bytes_planned, 0) as bytes_planned,
       case when r.finished_at is null then coalesce(t.bytes_pending, 0) else 0 end
         as bytes_pending,
       case when r.finished_at is null then coalesce(t.bytes_in_flight, 0) else 0 end
         as bytes_in_flight,
       r.bytes_done + coalesce(t.bytes_done, 0) as bytes_done,
       case when r.finished_at is null then coalesce(t.parts_pending, 0) else 0 end
         as parts_pending,
       case when r.finished_at is null then coalesce(t.parts_in_flight, 0) else 0 end
         as parts_in_flight,
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
         max(y.advanced_at) as progress_at,
         count(distinct y.worker_id)
           filter (where w.released_at is null and w.leased_until > clock_timestamp())
           as live_workers
  from bucketferry.tally y join bucketferry.worker w using (worker_id)
  where y.run_id = r.run_id
) t on true;

-- A run that did not begin because another one went on: when that was last.
alter table bucketferry.task add column skipped_at timestamptz;

-- Requests to the stores of a task, since ever. A process writes its own rows, as the sums since it
-- started: writing them twice is writing them once. When it ends, or was not heard of for long, its
-- rows are added to those of process ''. So the sum over processes never goes down. All are whole
-- numbers: a sum of floats depends on its order, and folding would now and then lower it.
create table bucketferry.request_total (
  task_name    text not null,
  process      text not null,
  side         text not null,
  operation    text not null,
  requests     bigint not null,
  errors       bigint not null,
  microseconds bigint not null,
  -- How many took how long, each counted once: one more than there are bounds
  -- (kRequestSecondsBounds), the last one without.
  buckets      bigint[] not null,
  updated_at   timestamptz not null default clock_timestamp(),
  primary key (task_name, process, side, operation),

  constraint request_total_side check (side in ('source', 'destination'))
) with (fillfactor = 50);

-- Requests, parts and objects that were tried again, by what went wrong; as request_total.
create table bucketferry.retry_total (
  task_name  text not null,
  process    text not null,
  reason     text not null,
  retries    bigint not null,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (task_name, process, reason)
) with (fillfactor = 50);

-- What the stores of a task say to its credentials: when they were last known to be accepted, or
-- refused, after they had not been; and until when they are good.
create table bucketferry.credential (
  task_name   text not null,
  side        text not null,
  accepted_at timestamptz,
  refused_at  timestamptz,
  expires_at  timestamptz,
  primary key (task_name, side),

  constraint credential_side check (side in ('source', 'destination'))
);

-- Large objects on their way, or waiting for another try, with parts that may have come over: few,
-- among millions of jobs, and what tells how far a run is within them.
create index job_in_parts on bucketferry.job (run_id, job_id)
  where state in ('in_flight', 'retry_wait') and parts_left is not null;

-- Every time something has to be told, required_seq is raised; whoever acts reads it first and
-- acknowledges what he read. Run ids alone cannot say it: a long run requires several refreshes.
--
--   requested_seq     somebody answers for it: it will be done, whoever asked
--   interim           required by a run that still goes on; its end requires another one
--   outcome           of the last acknowledged one: done, or accepted by somebody who will do it
alter table bucketferry.refresh
  add column required_seq     bigint not null default 0,
  add column requested_seq    bigint not null default 0,
  add column acknowledged_seq bigint not null default 0,
  add column interim          boolean not null default false,
  add column outcome          text,
  add column requested_at     timestamptz,
  add column tries            int not null default 0,
  add column next_try_at      timestamptz,
  add column error            text,
  add constraint refresh_outcome check (outcome in ('done', 'accepted'));
update bucketferry.refresh set required_seq = (required_run_id > 0)::int,
  acknowledged_seq = (required_run_id > 0 and acknowledged_run_id >= required_run_id)::int;

-- One refresh of a target at a time, whichever task and process wants it.
create table bucketferry.refresh_lease (
  target       text primary key,
  holder       text not null,
  leased_until timestamptz not null
);

-- What people are told: once for each run, event and target.
create table bucketferry.notification (
  run_id       bigint not null references bucketferry.run on delete cascade,
  event        text not null,
  target       text not null,
  task_name    text not null,
  state        text not null default 'waiting',
  created_at   timestamptz not null default clock_timestamp(),
  finished_at  timestamptz,
  tries        int not null default 0,
  next_try_at  timestamptz not null default clock_timestamp(),
  holder       text,
  leased_until timestamptz,
  error        text,
  primary key (run_id, event, target),

  constraint notification_event check (event in ('started', 'ended', 'refreshed')),
  constraint notification_state check (state in ('waiting', 'sent', 'dropped', 'given_up')),
  constraint notification_finished check ((finished_at is null) = (state = 'waiting'))
);
create index notification_waiting on bucketferry.notification (next_try_at) where state = 'waiting';

create table bucketferry.notify_total (
  target   text primary key,
  requests bigint not null default 0,
  failures bigint not null default 0
);

-- Objects that were gone when their turn came, for whoever looks for them; as job_dead.
create index job_vanished on bucketferry.job (run_id, job_id) where state = 'vanished';
