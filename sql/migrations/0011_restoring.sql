-- breaking: yes
--
-- Archived objects whose restoring was asked for: a verdict of its own, so that each run looks at them
-- again and knows how many there are. Breaking: an older planner would take it for a refused key.
alter table bucketferry.ledger
  drop constraint ledger_verdict,
  add constraint ledger_verdict check (verdict in ('archived', 'being_restored', 'key_refused'));

create index ledger_being_restored on bucketferry.ledger (task_id, recorded_at)
  where verdict = 'being_restored';

-- For those who watch, and may not read the ledger: never more rows than the tasks may restore. One that
-- no run has looked at for a week was deleted since, or is no longer wanted.
create view bucketferry.being_restored as
select task_id, key, recorded_at from bucketferry.ledger
where verdict = 'being_restored' and recorded_at > clock_timestamp() - interval '7 days';
