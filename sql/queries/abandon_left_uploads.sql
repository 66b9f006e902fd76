-- Uploads that no run will go on with: of a run that was pruned, of one that ended long ago (but not
-- while a later one is open, which may be about to go on), or older than a run that brought
-- everything there was. $1 task_id, $2 how long ago, in ms.
update bucketferry.upload x set abandoned_at = clock_timestamp()
where x.task_id = $1 and x.abandoned_at is null
  and (not exists (select from bucketferry.run r where r.run_id = x.run_id)
       or exists (select from bucketferry.run r where r.run_id = x.run_id
                  and r.finished_at < clock_timestamp() - $2 * interval '1 millisecond')
          and not exists (select from bucketferry.run r where r.task_id = $1
                          and r.run_id > x.run_id and r.finished_at is null)
       or exists (select from bucketferry.run r where r.task_id = $1 and r.run_id >= x.run_id
                  and r.kind = 'scheduled' and r.state = 'complete'))
