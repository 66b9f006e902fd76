#include "batch/queue/upload_table.h"

#include "batch/queue/worker_lease.h"

namespace ferry {

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

}  // namespace ferry
