-- First statement of each transaction that writes on behalf of a worker. No row: the term is over.
-- breaking: the highest migration that older programs must not work on. $1 worker_id.
--
-- No lock: what a worker whose term ends meanwhile still writes is held to its own rows by each
-- statement, and a lock would make the renewal wait for whatever this transaction waits for.
select w.worker_id,
       (select coalesce(max(m.id), 0) from bucketferry.migration m where m.breaking) as breaking
from bucketferry.worker w
where w.worker_id = $1 and w.released_at is null and w.leased_until > clock_timestamp()
