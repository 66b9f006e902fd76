-- Objects found equal, or verdicts: what needs no job.
-- $1 task_id, $2 run_id, arrays: $3 keys, $4 sizes, $5 source ETags, $6 times in ms,
-- $7 destination ETags or null, $8 proofs or null, $9 verdicts or null, $10 source versions or ''.
-- What was proven stays proven by what it was, as long as both ETags are the same.
insert into bucketferry.ledger as l (task_id, key, run_id, size_bytes, source_etag,
  source_modified_at, source_version, destination_etag, proof, verdict)
select $1, key, $2, size_bytes, source_etag, to_timestamp(modified_ms / 1000.0), source_version,
       destination_etag, proof, verdict
from unnest($3::bytea[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[],
            $10::text[])
  as o(key, size_bytes, source_etag, modified_ms, destination_etag, proof, verdict, source_version)
on conflict (task_id, key) do update
  set run_id = excluded.run_id, size_bytes = excluded.size_bytes,
      source_etag = excluded.source_etag, source_modified_at = excluded.source_modified_at,
      source_version = excluded.source_version, destination_etag = excluded.destination_etag,
      proof = case when l.source_etag = excluded.source_etag
                        and l.destination_etag = excluded.destination_etag
                   then l.proof else excluded.proof end,
      verdict = excluded.verdict, recorded_at = clock_timestamp()
