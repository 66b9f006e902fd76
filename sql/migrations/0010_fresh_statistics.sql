-- breaking: no
--
-- Statistics of the jobs of a run while it is planned. A partition has none until autovacuum comes
-- round, up to a minute later, and until then a batch of claims or outcomes is planned as if it had a
-- few rows: by reading all of them. Another one that is at it is not waited for.
create function bucketferry.analyze_jobs(run bigint) returns void language plpgsql as $$
declare
  width constant bigint := 256;  -- as in ensure_partitions
begin
  execute format('analyze (skip_locked) bucketferry.%I', 'job_' || (run - run % width));
end
$$;
