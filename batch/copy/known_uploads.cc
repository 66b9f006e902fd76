#include "batch/copy/known_uploads.h"

#include <utility>

namespace ferry {

std::vector<DonePart> ToDoneParts(std::vector<StoredPart> parts) {
  std::vector<DonePart> done;
  done.reserve(parts.size());
  for (StoredPart& part : parts) {
    done.push_back({part.number, std::move(part.etag), std::move(part.md5)});
  }
  return done;
}

void TakeUploads(WorkItem& item, const Key& key, const std::vector<KnownUpload>& uploads,
                 SteadyTime now,
                 const std::function<std::vector<DonePart>(std::int64_t run_id,
                                                           std::int64_t job_id)>& load_parts) {
  for (const KnownUpload& known : uploads) {
    if (known.key != key) continue;
    if (known.upload_id.empty()) {
      item.intents.push_back({known.nonce, now - known.age});
      continue;
    }
    item.recorded_ids.push_back(known.upload_id);
    if (!known.InUse()) continue;
    item.open = OpenUpload{known.nonce, known.upload_id, known.part_bytes, known.source,
                           load_parts(known.run_id, known.job_id)};
  }
}

}  // namespace ferry
