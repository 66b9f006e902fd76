#include "batch/copy/known_uploads.h"

#include <utility>

namespace ferry {
namespace {

// In place of the MD5 of a part of which none was made: its ETag says what the store takes for it.
// A part with neither MD5 nor checksum is one that the store copied.
constexpr std::string_view kMd5OfStore{"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16};

// An MD5 goes before a checksum: where there are both, an older program sent the part again.
std::optional<Digest> DigestOf(StoredPart& part) {
  if (part.md5 != kMd5OfStore) return Digest{DigestKind::kMd5, std::move(part.md5)};
  return DigestFromText(part.checksum);
}

}  // namespace

std::vector<DonePart> ToDoneParts(std::vector<StoredPart> parts) {
  std::vector<DonePart> done;
  done.reserve(parts.size());
  for (StoredPart& part : parts) {
    std::optional<Digest> digest = DigestOf(part);
    done.push_back({part.number, std::move(part.etag), std::move(digest)});
  }
  return done;
}

FinishedPart ToFinishedPart(std::int64_t job_id, const DonePart& part, std::string upload_id) {
  FinishedPart finished{job_id, part.number, part.etag, std::string(kMd5OfStore),
                        std::move(upload_id)};
  if (!part.digest) return finished;
  if (part.digest->kind == DigestKind::kMd5) {
    finished.md5 = part.digest->bytes;
  } else {
    finished.checksum = ToText(*part.digest);
  }
  return finished;
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
