-- Messages that were set aside long ago. $1 how long ago, in ms, $2 how many at most.
with old as (
  select aside_id from bucketferry.event_aside
  where set_aside_at < statement_timestamp() - $1 * interval '1 millisecond'
  order by set_aside_at limit $2
)
delete from bucketferry.event_aside a using old where a.aside_id = old.aside_id
returning a.aside_id
