-- What stores said to the credentials of this process. A row is written only where that is news: a
-- process of which all is well writes none. Of two processes of which one is accepted and the other
-- refused, the word of each stands for ten minutes at least, so that whoever watches sees both.
-- Arrays of one length: $1 task names, $2 sides, $3 whether refused, $4 until when the credentials are
-- good, Unix ms or null, $5 whether this process says it for the first time.
with o as (
  select o.*, c.expires_at as known_expiry,
         case when c.task_name is null then null
              else coalesce(c.refused_at > c.accepted_at, c.refused_at is not null) end as known_refused,
         greatest(c.accepted_at, c.refused_at) as known_since,
         to_timestamp(o.expires_ms / 1000.0) as expires_at
  from unnest($1::text[], $2::text[], $3::bool[], $4::bigint[], $5::bool[])
    as o (task_name, side, refused, expires_ms, news)
  left join bucketferry.credential c using (task_name, side)
)
insert into bucketferry.credential as c (task_name, side, accepted_at, refused_at, expires_at)
select task_name, side, case when not refused then clock_timestamp() end,
       case when refused then clock_timestamp() end, expires_at
from o
where known_refused is distinct from refused
        and (news or known_since < clock_timestamp() - interval '10 minutes')
   or news and known_expiry is distinct from expires_at
order by task_name, side
on conflict (task_name, side) do update set
  accepted_at = coalesce(excluded.accepted_at, c.accepted_at),
  refused_at = coalesce(excluded.refused_at, c.refused_at),
  expires_at = excluded.expires_at
returning c.task_name, c.side
