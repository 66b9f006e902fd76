-- Messages about events that could not be understood, until they are pruned. No parameters. One row.
select count(*) as messages from bucketferry.event_aside
