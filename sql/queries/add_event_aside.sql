-- A message that cannot be understood, once. $1 source, $2 its id there or empty, $3 why, $4 body.
insert into bucketferry.event_aside (source, message_id, reason, body) values ($1, $2, $3, $4)
on conflict do nothing
