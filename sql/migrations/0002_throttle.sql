-- breaking: no
--
-- Stores that throttle, as workers tell each other with their heartbeats: how many requests all of
-- them together may have under way at one side of one bucket. It grows with time from throttled_at
-- on, so a row that is old says nothing any more, and none needs to be deleted.
create table bucketferry.throttle (
  endpoint     text not null,
  bucket       text not null,
  side         text not null,
  requests_max double precision not null,
  throttled_at timestamptz not null,
  paused_until timestamptz not null,
  primary key (endpoint, bucket, side),

  constraint throttle_side check (side in ('source', 'destination')),
  constraint throttle_lets_something_through check (requests_max >= 1)
) with (fillfactor = 50);
