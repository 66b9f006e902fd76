-- Processes that wrote down totals and have not done so for long: they died before they could add
-- them up. $1 how long, in ms.
select p.process
from (select process, updated_at from bucketferry.request_total
      union all
      select process, updated_at from bucketferry.retry_total) p
where p.process <> ''
group by p.process
having max(p.updated_at) < clock_timestamp() - $1 * interval '1 millisecond'
