-- breaking: no
--
-- How often a worker was lost while it held the object. Such a loss is no failure of the object and
-- costs no attempt; but one at which every worker dies must come to an end too.
alter table bucketferry.job add column lost int not null default 0;
