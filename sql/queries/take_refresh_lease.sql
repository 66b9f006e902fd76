-- The right to refresh something: one holder at a time. Taking it again as its holder renews it.
-- $1 what is refreshed, $2 holder, $3 milliseconds. No row: another one has it.
insert into bucketferry.refresh_lease as l (target, holder, leased_until)
values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
on conflict (target) do update
  set holder = excluded.holder, leased_until = excluded.leased_until
  where l.holder = excluded.holder or l.leased_until < clock_timestamp()
returning target
