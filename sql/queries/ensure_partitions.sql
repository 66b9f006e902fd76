-- Before the first rows of a run. $1 run_id.
select bucketferry.ensure_partitions($1) is null as made
