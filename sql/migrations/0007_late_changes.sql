-- breaking: no
--
-- What comes late is not lost: a worker that held an object without a row of its own in the tally,
-- and a destination that was written after its run was closed.

-- Written or deleted after the run was closed that was required last: the next close requires
-- another refresh, whatever that run did itself.
alter table bucketferry.refresh add column changed_late boolean not null default false;

-- When the run was last looked at for what it left, and something of it was still in somebody's
-- hands: others first, next time.
alter table bucketferry.run add column left_seen_at timestamptz;

-- Who takes back what lost workers hold finds them by their tally. A claim of objects to complete
-- wrote none; what was claimed so and is still held has no other way back.
insert into bucketferry.tally (run_id, worker_id)
select distinct j.run_id, j.worker_id
from bucketferry.run r join bucketferry.job j using (run_id)
where r.finished_at is null and j.state = 'in_flight' and j.worker_id is not null
on conflict do nothing;

-- As before, but only parts of uploads that are in use are needed by a later run: an intent has none,
-- and nobody goes on with what is abandoned. And dead jobs stay until a later scheduled run has come
-- to its end: `retry` takes those of the latest one that did, and of all runs since.
create or replace function bucketferry.drop_old_partition(history_ms bigint) returns text
language plpgsql as $$
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
          select from bucketferry.upload u
          where u.run_id >= x.low and u.run_id < x.low + width
            and u.upload_id is not null and u.abandoned_at is null)
        else not exists (
          select from bucketferry.run r
          where r.run_id >= x.low and r.run_id < x.low + width and r.dead > 0
            and not exists (
              select from bucketferry.run n
              where n.task_name = r.task_name and n.task_id = r.task_id and n.run_id > r.run_id
                and n.kind = 'scheduled' and n.state in ('complete', 'incomplete')))
        end
  order by x.low, p.parent limit 1;
  if found is not null then
    perform set_config('lock_timeout', '1s', true);
    execute format('drop table if exists bucketferry.%I', found);
  end if;
  return found;
end
$$;
