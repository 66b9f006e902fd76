-- While a run is planned. $1 run_id.
select bucketferry.analyze_jobs($1) is null as done
