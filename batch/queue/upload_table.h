// Multipart uploads at destinations that are ours: which of them nobody goes on with, so that they
// are ended at the store, and forgotten only then. A row is never deleted before.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "batch/base/key.h"
#include "batch/pg/session.h"
#include "batch/queue/work_queue.h"

namespace ferry {

struct AbandonedUpload {
  std::string nonce;
  Key key;                           // at the source
  std::string upload_id;             // empty: Create was sent, and nobody heard the answer
  std::chrono::milliseconds age{0};  // since before Create was sent, by the database's clock
};

// All of some keys, also intended and abandoned ones; the oldest first.
std::vector<KnownUpload> FindUploads(pg::Session& session, std::int64_t task_id,
                                     const std::vector<Key>& keys);

// Abandons those of a task that no run will go on with: their run ended `abandoned_after` ago, was
// pruned, or was followed by one that brought everything. All writing functions here are part of a
// transaction that begins with CheckWorker, and may be repeated.
void AbandonLeftUploads(pg::Session& session, std::int64_t worker_id, std::int64_t task_id,
                        std::chrono::milliseconds abandoned_after);

// Of this task, those first that were not tried for longest.
std::vector<AbandonedUpload> ListAbandonedUploads(pg::Session& session, std::int64_t task_id,
                                                  std::int64_t limit);

// Before an upload is begun only to see what the destination calls us; it is of the same key as the
// one called `beside`. False: that one is no more, or it was written before.
bool IntendProbe(pg::Session& session, std::int64_t worker_id, const std::string& nonce,
                 const std::string& beside);

// `gone` are forgotten; `left` come after the others next time.
void RecordTidied(pg::Session& session, std::int64_t worker_id,
                  const std::vector<std::string>& gone, const std::vector<std::string>& left);

}  // namespace ferry
