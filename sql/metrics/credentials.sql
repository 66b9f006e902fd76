-- What the stores of tasks said last to the credentials. $1 task names. A row for each side that ever
-- said something.
select task_name as task, side,
       coalesce(refused_at > accepted_at, refused_at is not null) as refused,
       extract(epoch from expires_at)::float8 as expires
from bucketferry.credential
where task_name = any($1::text[])
