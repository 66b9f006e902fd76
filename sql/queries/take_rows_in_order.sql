-- Until the end of the transaction: where an index has the order that is asked for, rows come by it. Of
-- a table that grew since it was analyzed, or never was, statistics tell of few rows where there are
-- millions: for each page all that are left would be read and sorted.
select pg_catalog.set_config('enable_sort', 'off', true)
