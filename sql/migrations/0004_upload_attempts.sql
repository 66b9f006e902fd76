-- breaking: yes
--
-- A row for each Create that was sent, and not one a key: of two attempts at an object both may have
-- left an upload, and each of them must be found again.
--
--   upload_id null       intended: Create is about to be sent, or was and nobody heard the answer
--   abandoned_at null    in use, of a key at most one
--   abandoned_at         nobody goes on with it: it is aborted at the store first, and forgotten then

alter table bucketferry.upload drop constraint upload_pkey;
-- Made up by who sends Create, so that writing the row twice writes it once. Where ETags say nothing
-- it travels with the object's metadata, and tells whose Complete it was.
alter table bucketferry.upload add column nonce text not null default gen_random_uuid()::text;
alter table bucketferry.upload alter column nonce drop default;
alter table bucketferry.upload add primary key (nonce);
alter table bucketferry.upload add column abandoned_at timestamptz;

create index upload_of_key on bucketferry.upload (task_id, key);
create unique index upload_in_use on bucketferry.upload (task_id, key)
  where upload_id is not null and abandoned_at is null;
