-- First in the transaction that acknowledges: of two that acknowledge the last two targets of a task
-- one must see nothing left. Until the transaction ends. $1 task name. One row.
select pg_advisory_xact_lock(hashtextextended('bucketferry.refresh ' || $1::text, 0))::text as locked
