#include "batch/queue/upload_table.h"

#include "batch/queue/worker_lease.h"

namespace ferry {

std::vector<KnownUpload> FindUploads(pg::Session& session, std::int64_t task_id,
                                     const std::vector<Key>& keys) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<KnownUpload> uploads;
    for (const pg::Row row : tx.Execute("queries/find_uploads", task_id, keys)) {
      KnownUpload upload;
      upload.key = row.Get<Key>("key");
      upload.run_id = row.Get<std::int64_t>("run_id");
      upload.job_id = row.Get<std::int64_t>("job_id");
      upload.upload_id = row.Get<std::optional<std::string>>("upload_id").value_or("");
      upload.part_bytes = row.Get<std::uint64_t>("part_bytes");
      upload.source.size_bytes = row.Get<std::uint64_t>("size_bytes");
      upload.source.etag = row.Get<std::string>("source_etag");
      upload.source.modified_ms = row.Get<std::int64_t>("source_modified_ms");
      upload.source.version = row.Get<std::string>("source_version");
      upload.nonce = row.Get<std::string>("nonce");
      upload.abandoned = row.Get<bool>("abandoned");
      upload.age = std::chrono::milliseconds(row.Get<std::int64_t>("age_ms"));
      uploads.push_back(std::move(upload));
    }
    return uploads;
  });
}

void AbandonLeftUploads(pg::Session& session, std::int64_t worker_id, std::int64_t task_id,
                        std::chrono::milliseconds abandoned_after) {
  session.Transact([&](pg::Transaction& tx) {
    CheckWorker(tx, worker_id);
    tx.Execute("queries/abandon_left_uploads", task_id, abandoned_after.count());
  });
}

std::vector<AbandonedUpload> ListAbandonedUploads(pg::Session& session, std::int64_t task_id,
                                                  std::int64_t limit) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<AbandonedUpload> uploads;
    for (const pg::Row row : tx.Execute("queries/list_abandoned_uploads", task_id, limit)) {
      AbandonedUpload upload;
      upload.nonce = row.Get<std::string>("nonce");
      upload.key = row.Get<Key>("key");
      upload.upload_id = row.Get<std::optional<std::string>>("upload_id").value_or("");
      upload.age = std::chrono::milliseconds(row.Get<std::int64_t>("age_ms"));
      uploads.push_back(std::move(upload));
    }
    return uploads;
  });
}

void RecordTidied(pg::Session& session, std::int64_t worker_id,
                  const std::vector<std::string>& gone, const std::vector<std::string>& left) {
  session.Transact([&](pg::Transaction& tx) {
    CheckWorker(tx, worker_id);
    tx.Execute("queries/forget_uploads", gone);
    tx.Execute("queries/postpone_uploads", left);
  });
}

bool IntendProbe(pg::Session& session, std::int64_t worker_id, const std::string& nonce,
                 const std::string& beside) {
  return session.Transact([&](pg::Transaction& tx) {
    CheckWorker(tx, worker_id);
    return !tx.Execute("queries/intend_probe", nonce, beside).empty();
  });
}

}  // namespace ferry
