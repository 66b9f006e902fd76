-- For each task what the clock on the wall of its time zone shows, in milliseconds since Monday at
-- 00:00, and how many live workers share it: those that have, or had, something of an open run of it
-- in hand, its planner among them.
-- $1 task names, $2 the zone of each, known (see find_unknown_zones), $3 the worker that asks, which
-- counts in any case; 0: it is none.
select n.task,
       ((extract(isodow from l.at) - 1) * 86400000
         + extract(epoch from l.at::time) * 1000)::bigint as of_week_ms,
       (select count(*) from bucketferry.worker w
        where w.released_at is null and w.leased_until > clock_timestamp()
          and (w.worker_id = $3 or exists (
            select from bucketferry.run r join bucketferry.tally t using (run_id)
            where r.task_name = n.task and r.state in ('planning', 'copying')
              and t.worker_id = w.worker_id)))::int as workers
from unnest($1::text[], $2::text[]) as n (task, zone),
     lateral (select clock_timestamp() at time zone n.zone as at) l
