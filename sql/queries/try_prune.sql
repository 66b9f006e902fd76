-- One process at a time; others need not. One row: mine. Until the end of the transaction.
select pg_try_advisory_xact_lock(hashtextextended('bucketferry.prune', 0)) as mine
