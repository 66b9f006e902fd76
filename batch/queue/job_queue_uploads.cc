// Multipart uploads of the queue: found, intended, split into parts, dropped.
#include <algorithm>

#include "batch/base/error.h"
#include "batch/queue/job_queue.h"
#include "batch/queue/part_rows.h"
#include "batch/queue/upload_table.h"

namespace ferry {
namespace {

// Whether the object is this worker's to go on with.
bool HoldJob(pg::Transaction& tx, std::int64_t worker_id, const Job& job) {
  return !tx.Execute("queries/hold_job", job.run_id, worker_id, job.job_id).empty() &&
         !tx.Execute("queries/hold_run", job.run_id).empty();
}

}  // namespace

// Counted by what was deleted, not before and after: others claim parts meanwhile.
void DeleteParts(pg::Transaction& tx, std::int64_t run_id, std::int64_t job_id, Tally& tally) {
  for (const pg::Row row : tx.Execute("queries/delete_parts", run_id, job_id)) {
    const auto state = row.Get<std::string>("state");
    tally.parts_pending -= state == "pending" ? 1 : 0;
    tally.parts_in_flight -= state == "in_flight" ? 1 : 0;
  }
}

std::vector<KnownUpload> JobQueue::FindUploads(std::int64_t task_id, const std::vector<Key>& keys) {
  return ferry::FindUploads(session_, task_id, keys);
}

std::vector<StoredPart> JobQueue::ReadDoneParts(std::int64_t run_id, std::int64_t job_id) {
  return session_.Transact([&](pg::Transaction& tx) {
    std::vector<StoredPart> parts;
    for (const pg::Row row : tx.Execute("queries/read_done_parts", run_id, job_id)) {
      parts.push_back({static_cast<std::uint32_t>(row.Get<int>("number")),
                       row.Get<std::string>("etag"), row.Get<pg::Bytes>("md5").bytes,
                       row.Get<std::uint64_t>("size_bytes"), row.Get<std::string>("checksum")});
    }
    return parts;
  });
}

void JobQueue::IntendUpload(std::int64_t task_id, const Job& job, std::uint64_t part_bytes,
                            const std::string& nonce) {
  Write([&](pg::Transaction& tx) {
    tx.Execute("queries/intend_upload", nonce, task_id, job.key, job.run_id, job.job_id, part_bytes,
               job.source.size_bytes, job.source.etag, job.source.modified_ms, job.source.version);
    return true;
  });
}

bool JobQueue::Split(std::int64_t task_id, const Job& job, const std::string& upload_id,
                     std::uint64_t part_bytes, const SourceIdentity& source,
                     const std::vector<FinishedPart>& done_parts,
                     const std::vector<std::int64_t>& lost_parts, const std::string& nonce) try {
  std::vector<std::int64_t> numbers, firsts, sizes;
  std::vector<std::optional<std::string>> etags, checksums;
  std::vector<std::optional<pg::Bytes>> md5s;
  for (const Part& part : PlanParts(source.size_bytes, part_bytes)) {
    numbers.push_back(part.number);
    firsts.push_back(static_cast<std::int64_t>(part.first_byte));
    sizes.push_back(static_cast<std::int64_t>(part.size_bytes));
    etags.emplace_back();
    md5s.emplace_back();
    checksums.emplace_back();
  }
  for (const FinishedPart& part : done_parts) {
    if (part.number < 1 || part.number > numbers.size()) continue;
    etags[part.number - 1] = part.etag;
    md5s[part.number - 1] = pg::Bytes{part.md5};
    if (!part.checksum.empty()) checksums[part.number - 1] = part.checksum;
  }
  Held& held = held_[job.run_id];
  held.jobs.erase(job.job_id);
  held.first_job = std::min(held.first_job, job.job_id);
  return Write([&](pg::Transaction& tx) {
    if (!HoldJob(tx, worker_id_, job)) {
      tx.Execute("queries/record_stray_upload", nonce, task_id, job.key, job.run_id, job.job_id,
                 upload_id, part_bytes, source.etag, source.modified_ms, source.version,
                 source.size_bytes);
      return false;
    }
    Tally tally;
    // Parts of another upload are worth nothing to this one.
    if (job.upload_id != upload_id) DeleteParts(tx, job.run_id, job.job_id, tally);
    for (const pg::Row row : tx.Execute("queries/insert_parts", job.run_id, job.job_id, numbers,
                                        firsts, sizes, etags, md5s, lost_parts, checksums)) {
      tally.parts_pending += row.Get<std::string>("state") == "pending" ? 1 : 0;
    }
    tx.Execute("queries/split_job", job.run_id, worker_id_, job.job_id, upload_id, part_bytes,
               source.etag, source.modified_ms, source.version, source.size_bytes);
    tx.Execute("queries/replace_upload", task_id, job.key, upload_id);
    tx.Execute("queries/record_upload", nonce, task_id, job.key, job.run_id, job.job_id, upload_id,
               part_bytes, source.etag, source.modified_ms, source.version, source.size_bytes);
    tally.bytes_planned = static_cast<std::int64_t>(source.size_bytes) -
                          static_cast<std::int64_t>(job.source.size_bytes);
    tally.bytes_in_flight = tally.bytes_planned;
    AddTally(tx, job.run_id, worker_id_, tally);
    return true;
  });
} catch (const Error& error) {
  // Somebody else brought an upload of the object into use at the same moment (upload_in_use).
  if (error.code() != "23505") throw;
  throw Error(ErrorKind::kUnavailable, error.what(), error.code());
}

void JobQueue::DropUpload(std::int64_t task_id, const Job& job) {
  Write([&](pg::Transaction& tx) {
    if (!HoldJob(tx, worker_id_, job)) return false;
    tx.Execute("queries/drop_upload_of_job", job.run_id, worker_id_, job.job_id);
    Tally tally;
    DeleteParts(tx, job.run_id, job.job_id, tally);
    AddTally(tx, job.run_id, worker_id_, tally);
    tx.Execute("queries/abandon_upload", task_id, job.key, job.upload_id);
    return true;
  });
}

}  // namespace ferry
