-- Keys that somebody said had changed. One that waits already counts as told of last. In the order of
-- their keys: of two that tell of the same ones, one waits for the other.
-- $1 task names, $2 keys, of one length.
insert into bucketferry.event (task, key)
select distinct task, key from unnest($1::text[], $2::bytea[]) as x (task, key)
order by task, key
on conflict (task, key) do update set number = excluded.number
