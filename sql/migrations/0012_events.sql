-- breaking: no
--
-- Events: keys that somebody said had changed, and the runs that look at them between those of the
-- schedule.

create sequence bucketferry.event_number as bigint;

-- A key waits once, however often it is told of; the number is that of the last telling. By the name
-- of the task: what is told before its first run waits, too.
create table bucketferry.event (
  task    text not null,
  key     bytea not null,
  number  bigint not null default nextval('bucketferry.event_number'),
  told_at timestamptz not null default clock_timestamp(),  -- first
  primary key (task, key)
);
create index event_next on bucketferry.event (task, number);
alter table bucketferry.event set (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0.1);

-- Messages that cannot be understood, for people to look at.
create table bucketferry.event_aside (
  aside_id   bigint generated always as identity primary key,
  source     text not null,
  message_id text not null,
  reason     text not null,
  body       bytea not null,
  set_aside_at timestamptz not null default clock_timestamp(),

  constraint event_aside_body check (octet_length(body) <= 262144)
);
-- A queue hands out again what it is not told to delete.
create unique index event_aside_once on bucketferry.event_aside (source, message_id)
  where message_id <> '';
create index event_aside_at on bucketferry.event_aside (set_aside_at);

alter table bucketferry.run drop constraint run_kind,
  add constraint run_kind check (kind in ('scheduled', 'retry', 'event'));

-- A run of the schedule waits for the run of events of this task to end. Until then no other of that
-- kind begins; who waits says it again and again.
alter table bucketferry.task add column run_wanted_until timestamptz;
