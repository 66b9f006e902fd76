-- While a run goes on and has changed the destination: everything refreshed, once in so long, unless
-- nothing came forward since. Of
-- workers that ask at the same time the row lets one raise it.
-- $1 run_id, $2 every so many milliseconds.
insert into bucketferry.refresh as f (task_name, target, required_run_id, required_seq, required_at,
                                      interim)
select r.task_name, target, r.run_id, 1, clock_timestamp(), true
from bucketferry.run r join bucketferry.task t using (task_id),
     unnest(t.refresh_targets) as target,
     lateral (select sum(y.done + y.deleted + y.destination_bytes_written) > 0 as changed,
                     max(y.advanced_at) as advanced_at
              from bucketferry.tally y where y.run_id = r.run_id) s
where r.run_id = $1 and r.finished_at is null and s.changed
  and s.advanced_at > coalesce((select x.required_at from bucketferry.refresh x
                                where x.task_name = r.task_name and x.target = target), '-infinity')
  and greatest(r.started_at,
               (select x.required_at from bucketferry.refresh x
                where x.task_name = r.task_name and x.target = target))
      < clock_timestamp() - $2 * interval '1 millisecond'
on conflict (task_name, target) do update
  set required_run_id = excluded.required_run_id, required_seq = f.required_seq + 1,
      required_at = excluded.required_at, interim = true, changed_late = false
  where excluded.required_run_id >= f.required_run_id
    and greatest(f.required_at, (select x.started_at from bucketferry.run x where x.run_id = $1))
        < clock_timestamp() - $2 * interval '1 millisecond'
returning target
