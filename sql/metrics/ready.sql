-- Whether the database answers. One row.
select 1 as one
