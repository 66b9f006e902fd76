-- What each worker may have under way where a store throttled, and how long it is to be left alone.
-- $1 growth a second.
select t.endpoint, t.bucket, t.side,
       greatest((t.requests_max
         + $1::float8 * greatest(extract(epoch from clock_timestamp() - t.throttled_at), 0))
         / greatest(w.live, 1), 1)::float8 as share,
       greatest(extract(epoch from t.paused_until - clock_timestamp()) * 1000, 0)::bigint as pause_ms
from bucketferry.throttle t,
     (select count(*) as live from bucketferry.worker
      where released_at is null and leased_until > clock_timestamp()) w
order by t.endpoint, t.bucket, t.side
