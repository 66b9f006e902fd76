-- This worker was throttled. $1 endpoints, $2 buckets, $3 sides, $4 its limits, $5 milliseconds to
-- pause, $6 growth a second of what is known. Two workers that met one burst say the same, and it
-- counts once.
insert into bucketferry.throttle as t
  (endpoint, bucket, side, requests_max, throttled_at, paused_until)
select r.endpoint, r.bucket, r.side, r.requests_max * greatest(w.live, 1), clock_timestamp(),
       clock_timestamp() + r.pause_ms * interval '1 millisecond'
from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::bigint[])
       as r (endpoint, bucket, side, requests_max, pause_ms),
     (select count(*) as live from bucketferry.worker
      where released_at is null and leased_until > clock_timestamp()) w
order by r.endpoint, r.bucket, r.side
on conflict (endpoint, bucket, side) do update set
  requests_max = least(excluded.requests_max,
    t.requests_max
      + $6::float8 * greatest(extract(epoch from excluded.throttled_at - t.throttled_at), 0)),
  throttled_at = excluded.throttled_at,
  paused_until = greatest(t.paused_until, excluded.paused_until)
