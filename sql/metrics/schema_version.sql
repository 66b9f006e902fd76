-- The highest migration that was applied. No parameters. One row.
select coalesce(max(id), 0) as version from bucketferry.migration
