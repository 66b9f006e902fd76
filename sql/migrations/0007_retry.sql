-- breaking: no
--
-- `retry` takes the dead jobs of the latest scheduled run that came to its end, and of all runs
-- since: one that failed or was interrupted does not settle what was dead before it.

-- As before, but partitions with dead jobs stay until a later scheduled run has come to its end.
create or replace function bucketferry.drop_old_partition(history_ms bigint) returns text language plpgsql as $$
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
