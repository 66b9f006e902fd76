-- A new term. $1 host, $2 process id, $3 lease in milliseconds. One row: worker_id.
insert into bucketferry.worker (host, process_id, leased_until)
values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
returning worker_id
