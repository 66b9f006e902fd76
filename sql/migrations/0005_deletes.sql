-- breaking: yes
--
-- Deletes at the destination: a third kind of job, the objects that it may come to, and what a task
-- selected when it was last planned. Breaking: an older worker would take such a job for a copy.

-- Partitions made apart and attached have the constraint as their own: it goes there too.
do $$
declare
  part regclass;
begin
  alter table bucketferry.job drop constraint job_action;
  for part in select inhrelid::regclass from pg_inherits where inhparent = 'bucketferry.job'::regclass
  loop
    execute format('alter table %s drop constraint if exists job_action', part);
  end loop;
end
$$;

-- What a delete may remove: the destination as it was listed. Such a job moves no bytes (size_bytes
-- is 0); its source columns are what the ledger says was brought, empty where it knows nothing.
alter table bucketferry.job
  add column destination_size_bytes bigint,
  add column destination_modified_at timestamptz,
  add constraint job_action check (action in ('copy', 'verify', 'delete')),
  add constraint job_delete_says_what check
    (action <> 'delete' or (destination_etag is not null and destination_size_bytes is not null
                            and destination_modified_at is not null and size_bytes = 0));

-- Objects at the destination that the source does not have, while their run is being planned: no
-- worker sees them before both listings are complete and the guards have passed. They become jobs,
-- or go.
create table bucketferry.extra (
  run_id                  bigint not null,
  number                  bigint not null,
  key                     bytea not null,
  reason                  text not null,
  source_etag             text not null,
  source_modified_at      timestamptz not null,
  destination_etag        text not null,
  destination_size_bytes  bigint not null,
  destination_modified_at timestamptz not null,
  primary key (run_id, number),

  constraint extra_reason check (reason in ('extra', 'extra_foreign'))
);

-- Digest of what the last planned run of the pair selected (filter and endpoints); null: none yet.
alter table bucketferry.task add column selection text;
