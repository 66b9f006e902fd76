-- What the janitor has to end, the longest untried first. $1 task_id, $2 limit.
select nonce, key, upload_id,
       (extract(epoch from clock_timestamp() - created_at) * 1000)::bigint as age_ms
from bucketferry.upload where task_id = $1 and abandoned_at is not null
order by abandoned_at limit $2
