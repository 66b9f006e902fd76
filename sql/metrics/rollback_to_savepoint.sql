-- After a group that could not be read. No rows.
rollback to savepoint collector
