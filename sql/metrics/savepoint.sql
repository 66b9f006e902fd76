-- One group of metrics that cannot be read must not take the others along. No rows.
savepoint collector
