-- The moment of this snapshot, and whether there is a schema yet: before the first run there is
-- none, and every task is at zero. No parameters. One row.
select extract(epoch from clock_timestamp())::float8 as now,
       to_regclass('bucketferry.migration') is not null
         and to_regclass('bucketferry.task') is not null as has_schema
