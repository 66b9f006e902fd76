-- In the transaction that closes a run, and in each that records what came after its close. An id that
-- was acknowledged is not acted on again: what comes late to a run that is required already is the
-- next close's to require. What was required while the run went on is not what its end requires.
-- $1 run_id, $2 whether the destination was changed after the close.
insert into bucketferry.refresh as f (task_name, target, required_run_id, required_seq, required_at)
select r.task_name, target, r.run_id, 1, clock_timestamp()
from bucketferry.run r join bucketferry.task t using (task_id),
     unnest(t.refresh_targets) as target
where r.run_id = $1
  and (r.changed_destination
       or exists (select from bucketferry.refresh x
                  where x.task_name = r.task_name and x.target = target and x.changed_late))
on conflict (task_name, target) do update
  set required_run_id = greatest(f.required_run_id, excluded.required_run_id),
      required_seq = f.required_seq
        + (excluded.required_run_id > f.required_run_id or f.interim)::int,
      required_at = case when excluded.required_run_id > f.required_run_id or f.interim
                         then excluded.required_at else f.required_at end,
      interim = f.interim and excluded.required_run_id < f.required_run_id,
      changed_late = case when excluded.required_run_id > f.required_run_id then false
                          else f.changed_late or $2 end
