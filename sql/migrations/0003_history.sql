-- breaking: yes
--
-- History has an end: whole partitions of jobs and parts go, then the rows of their runs. What a
-- closed run left undone is nobody's any more. And the rows that are written most often stay quick
-- to find while somebody holds an old snapshot.

-- A worker writes its differences into another row every ten minutes (add_tally). Each update leaves
-- a dead version behind, and as long as a snapshot keeps those, whoever looks for the row by its key
-- steps over all of them: over those of ten minutes now, not over those of the whole run.
alter table bucketferry.tally add column slot bigint not null default 0;
alter table bucketferry.tally drop constraint tally_pkey;
alter table bucketferry.tally add primary key (run_id, worker_id, slot);
-- prune_workers asks before it deletes; a foreign key would read the whole tally for each worker.
alter table bucketferry.tally drop constraint tally_worker_id_fkey;

-- Whether the run was closed with jobs that nobody will do, and that are still there.
alter table bucketferry.run add column leftovers boolean not null default false;
update bucketferry.run set leftovers = true
where state in ('failed', 'interrupted') and finished_at is not null;

create index run_left on bucketferry.run (run_id) where leftovers;
create index run_finished on bucketferry.run (finished_at) where state <> 'skipped';
create index run_skipped on bucketferry.run (finished_at) where state = 'skipped';
-- The latest runs that did something: hundreds may be skipped while one goes on.
create index run_real on bucketferry.run (task_name, run_id) where state <> 'skipped';
create index run_planner on bucketferry.run (planner_id);
create index upload_of_run on bucketferry.upload (run_id);

-- As before, but for two things: a worker counts once however many rows it has, and a closed run has
-- no levels: what comes late only moves totals.
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
         max(y.progress_at) as progress_at,
         count(distinct y.worker_id)
           filter (where w.released_at is null and w.leased_until > clock_timestamp())
           as live_workers
  from bucketferry.tally y join bucketferry.worker w using (worker_id)
  where y.run_id = r.run_id
) t on true;


-- As before, without what a closed run left undone.
create or replace view bucketferry.object_history as
select r.task_name as task, j.run_id as run, j.job_id as job, j.key, j.action, j.reason, j.state,
       j.attempts, j.error, j.size_bytes, j.source_etag, j.source_modified_at, j.source_version,
       j.destination_etag, j.proof, j.planned_at, j.retry_at, j.finished_at
from bucketferry.job j join bucketferry.run r using (run_id)
where r.finished_at is null or j.state in ('done', 'dead', 'vanished', 'archived');

-- Drops the oldest partition of `job` or `part` that is past: later runs have others, all its runs
-- ended longer ago than history_ms, and nobody needs a row of it. Of the latest closed run of a task
-- `retry` needs the dead jobs; of an open upload the next run needs the parts.
-- Returns its name, or null. It locks the parent against everybody until the transaction ends, and
-- whoever waits for such a lock makes all others wait behind him: so not long (55P03), and one
-- transaction for each.
create function bucketferry.drop_old_partition(history_ms bigint) returns text language plpgsql as $$
declare
  width constant bigint := 256;
  newest constant bigint := (select max(run_id) from bucketferry.run);
  found text;
begin
  select c.relname into found
  from (values ('job'), ('part')) as p (parent)
  join pg_inherits i on i.inhparent = to_regclass('bucketferry.' || p.parent)
  join pg_class c on c.oid = i.inhrelid and c.relname ~ ('^' || p.parent || '_[0-9]+$')
  cross join lateral (select substring(c.relname from length(p.parent) + 2)::bigint as low) x
  where x.low + width <= newest
    and not exists (
      select from bucketferry.run r
      where r.run_id >= x.low and r.run_id < x.low + width
        and (r.finished_at is null
             or r.finished_at > clock_timestamp() - history_ms * interval '1 millisecond'))
    and case p.parent
        when 'part' then not exists (
          select from bucketferry.upload u where u.run_id >= x.low and u.run_id < x.low + width)
        else not exists (
          select from bucketferry.run r
          where r.run_id >= x.low and r.run_id < x.low + width and r.dead > 0
            and not exists (
              select from bucketferry.run n
              where n.task_name = r.task_name and n.task_id = r.task_id and n.run_id > r.run_id
                and n.state <> 'skipped' and n.finished_at is not null))
        end
  order by x.low, p.parent limit 1;
  if found is not null then
    perform set_config('lock_timeout', '1s', true);
    execute format('drop table if exists bucketferry.%I', found);
  end if;
  return found;
end
$$;
