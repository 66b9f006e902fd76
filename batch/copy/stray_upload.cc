#include "batch/copy/stray_upload.h"

#include <algorithm>
#include <optional>

#include "batch/store/uri.h"

namespace ferry {
namespace {

constexpr int kPagesMax = 20;
constexpr int kAbortsMax = 3;
// Date and Initiated may be whole seconds, and the row's age travelled from the database to here.
constexpr std::int64_t kSlackMs = 2000;

struct UploadsOfKey {
  std::vector<ListedUpload> uploads;
  std::int64_t answered_ms = 0;  // when the store began to say so, by its clock
  SteadyTime answered_at{};      // the same moment, by ours
};

bool Contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// RGW 16.2 encodes the keys of this list and does not say so. Listed below the key itself as
// prefix, no other key looks like this one encoded.
bool IsKey(const Key& listed, const Key& key) {
  return listed == key || UriDecode(listed.bytes()) == key.bytes();
}

// A prefix finds longer keys too; they come behind.
Task<UploadsOfKey> ListUploadsOf(Ends& ends, const Key& key) {
  UploadsOfKey found;
  std::string key_marker, id_marker;
  for (int pages = 1;; ++pages) {
    const ListUploadsPage page =
        co_await ends.destination.ListUploads(key.bytes(), key_marker, id_marker);
    if (pages == 1) {
      found.answered_ms = page.answered_ms;
      found.answered_at = ends.loop.clock().SteadyNow();
    }
    bool past = false;
    for (const ListedUpload& upload : page.uploads) {
      if (IsKey(upload.key, key)) {
        found.uploads.push_back(upload);
      } else {
        past = past || key < upload.key;
      }
    }
    if (!page.truncated || past) co_return found;
    if (pages == kPagesMax || page.next_key_marker.empty()) {
      throw Error(ErrorKind::kCorrupt, "the list of open uploads has no end");
    }
    key_marker = page.next_key_marker;
    id_marker = page.next_upload_id_marker;
  }
}

// Who begins our uploads; empty: the list does not tell.
std::string OurInitiator(const UploadsOfKey& found, const std::vector<std::string>& recorded_ids) {
  for (const ListedUpload& upload : found.uploads) {
    if (Contains(recorded_ids, upload.upload_id)) return upload.initiator;
  }
  throw Error(ErrorKind::kCorrupt, "the list of open uploads lacks one that is open");
}

// The intent that this upload came from, if any: the last one before it that is not `settled`,
// since of each came one upload at most.
const Intent* IntentOf(const ListedUpload& upload, const std::vector<Intent>& intents,
                       const std::vector<std::string>& settled, std::int64_t answered_ms,
                       SteadyTime now) {
  using std::chrono::milliseconds;
  const Intent* last = nullptr;
  std::int64_t last_ms = 0;
  for (const Intent& intent : intents) {
    const auto age = std::chrono::duration_cast<milliseconds>(now - intent.since);
    const std::int64_t written_ms = answered_ms - age.count();
    if (upload.initiated_ms < written_ms - kSlackMs || Contains(settled, intent.nonce)) continue;
    if (last != nullptr && written_ms < last_ms) continue;
    last = &intent;
    last_ms = written_ms;
  }
  const bool in_time =
      last != nullptr && upload.initiated_ms <= last_ms + milliseconds(kCreateWindow).count();
  return in_time ? last : nullptr;
}

Task<bool> HasParts(Ends& ends, const Key& key, const std::string& upload_id) {
  try {
    const ListPartsPage page = co_await ends.destination.ListParts(key, upload_id, 0);
    co_return page.truncated || !page.parts.empty();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
  }
  co_return false;
}

Task<UploadsOfKey> ListDatedUploadsOf(Ends& ends, const Key& key) {
  UploadsOfKey found = co_await ListUploadsOf(ends, key);
  if (found.answered_ms == 0) {
    throw Error(ErrorKind::kCorrupt, "the store does not say its time");
  }
  co_return found;
}

Task<Unit> Settle(Ends& ends, const Key& key, const std::vector<Intent>& intents,
                  const std::vector<std::string>& recorded_ids, Settlement& settlement) {
  UploadsOfKey found = co_await ListDatedUploadsOf(ends, key);
  const SteadyTime now = found.answered_at;
  const std::string initiator = OurInitiator(found, recorded_ids);
  std::sort(
      found.uploads.begin(), found.uploads.end(),
      [](const ListedUpload& a, const ListedUpload& b) { return a.initiated_ms > b.initiated_ms; });
  for (const ListedUpload& upload : found.uploads) {
    if (Contains(recorded_ids, upload.upload_id)) continue;
    if (!initiator.empty() && upload.initiator != initiator) continue;
    const Intent* const intent =
        IntentOf(upload, intents, settlement.settled, found.answered_ms, now);
    if (intent == nullptr) continue;
    if (co_await HasParts(ends, key, upload.upload_id)) continue;
    if (!co_await EndUpload(ends, key, upload.upload_id)) {
      throw Error(ErrorKind::kConflict, "an upload is still there although it was aborted");
    }
    settlement.settled.push_back(intent->nonce);
  }
  for (const Intent& intent : intents) {
    if (now - intent.since >= kCreateWindow && !Contains(settlement.settled, intent.nonce)) {
      settlement.settled.push_back(intent.nonce);
    }
  }
  co_return Unit{};
}

}  // namespace

Task<Unit> SettleIntents(Ends ends, Key key, std::vector<Intent> intents,
                         std::vector<std::string> recorded_ids, Settlement& settlement) {
  try {
    co_await Settle(ends, key, intents, recorded_ids, settlement);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kStopped) throw;
    settlement.problem = error;
  }
  co_return Unit{};
}

Task<bool> MayHaveLeft(Ends ends, Key key, std::vector<Intent> intents,
                       std::vector<std::string> recorded_ids) {
  const UploadsOfKey found = co_await ListDatedUploadsOf(ends, key);
  const std::vector<std::string> none;
  for (const ListedUpload& upload : found.uploads) {
    if (Contains(recorded_ids, upload.upload_id)) continue;
    const Intent* const intent =
        IntentOf(upload, intents, none, found.answered_ms, found.answered_at);
    if (intent != nullptr) co_return true;
  }
  co_return false;
}

bool MayHaveBegun(ErrorKind kind) {
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kInDoubt ||
         kind == ErrorKind::kCorrupt || kind == ErrorKind::kStopped;
}

Task<bool> EndUpload(Ends ends, Key key, std::string upload_id) {
  for (int attempt = 1; attempt <= kAbortsMax; ++attempt) {
    try {
      co_await ends.destination.AbortUpload(key, upload_id);
      co_await ends.destination.ListParts(key, upload_id, 0);
    } catch (const Error& error) {
      // RGW 16.2 says NoSuchKey where it lists the parts of an upload that is no more. A 404 that
      // says neither may be anybody's.
      if (error.code() != "NoSuchUpload" && error.code() != "NoSuchKey") throw;
      co_return true;
    }
  }
  co_return false;
}

}  // namespace ferry
