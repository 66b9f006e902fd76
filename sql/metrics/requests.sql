-- Requests to the stores of tasks, since ever: of processes that live, of those that died not long
-- ago, and of all others in one row. $1 task names. A row for each side and operation that was ever
-- asked for, with one column for each bucket of kRequestSecondsBounds.
select task_name as task, side, operation, sum(requests)::bigint as requests,
       sum(errors)::bigint as errors, sum(microseconds)::bigint as microseconds,
       sum(buckets[1])::bigint as bucket_1, sum(buckets[2])::bigint as bucket_2,
       sum(buckets[3])::bigint as bucket_3, sum(buckets[4])::bigint as bucket_4,
       sum(buckets[5])::bigint as bucket_5, sum(buckets[6])::bigint as bucket_6,
       sum(buckets[7])::bigint as bucket_7, sum(buckets[8])::bigint as bucket_8
from bucketferry.request_total
where task_name = any($1::text[])
group by task_name, side, operation
order by task_name, side, operation
