-- Which of these are no time zones of this server. $1 zone names.
-- Stricter than `at time zone`, which takes also abbreviations that mean several zones (CST), and
-- takes what is misspelt for a POSIX zone ("Berlin1").
select z.name as zone
from unnest($1::text[]) as z (name)
where not exists (select from pg_catalog.pg_timezone_names n where lower(n.name) = lower(z.name))
order by z.name
