#include "batch/copy/janitor.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "batch/copy/known_uploads.h"
#include "batch/copy/stray_upload.h"
#include "batch/queue/upload_table.h"

namespace ferry {
namespace {

constexpr std::int64_t kUploadsMax = 100;

// What became of one upload, and of what was found beside it.
struct TidyResult {
  std::vector<std::string> gone;   // nonces
  std::vector<std::string> looks;  // nonces of what was begun only to look, and is gone
  std::optional<Error> problem;
};

// The intents of a key whose uploads nobody heard of, and a nonce to look under.
struct Unheard {
  Key key;  // at the destination
  std::vector<Intent> intents;
  std::vector<std::string> recorded_ids;
  std::string probe;
};

Task<TidyResult> End(Ends ends, Key key, std::string nonce, std::string upload_id) {
  TidyResult result;
  try {
    const bool gone = co_await EndUpload(ends, key, upload_id);
    if (gone) result.gone.push_back(nonce);
  } catch (const Error& error) {
    result.problem = error;
  }
  co_return result;
}

struct LookResult {
  bool may_have_left = false;
  std::optional<Error> problem;
};

Task<LookResult> Look(Ends ends, Unheard unheard) {
  LookResult result;
  result.may_have_left =
      co_await MayHaveLeft(ends, unheard.key, unheard.intents, unheard.recorded_ids);
  co_return result;
}

// Begins an upload of its own beside them: the list then names us, and whoever else has one of this
// key is told apart. A list that does not show it is not believed.
Task<TidyResult> Find(Ends ends, Unheard unheard) {
  TidyResult result;
  std::string probe_id;
  try {
    const ObjectMetadata nothing;
    probe_id = co_await ends.destination.CreateUpload(unheard.key, nothing);
  } catch (const Error& error) {
    if (!MayHaveBegun(error.kind())) result.looks.push_back(unheard.probe);
    result.problem = error;
  }
  if (probe_id.empty()) co_return result;
  unheard.recorded_ids.push_back(probe_id);
  Settlement settlement;
  co_await SettleIntents(ends, unheard.key, unheard.intents, unheard.recorded_ids, settlement);
  const TidyResult ended = co_await End(ends, unheard.key, unheard.probe, probe_id);
  result.gone = settlement.settled;
  result.looks = ended.gone;
  result.problem = settlement.problem ? settlement.problem : ended.problem;
  co_return result;
}

class Janitor {
 public:
  Janitor(pg::Session& session, const TidyOrder& order, Ends ends)
      : session_(session), order_(order), ends_(ends) {}

  TidyResult Tidy(const AbandonedUpload& upload) {
    const Key key(order_.destination_prefix +
                  upload.key.bytes().substr(order_.source_prefix.size()));
    if (!upload.upload_id.empty()) {
      return Await<TidyResult>(
          [&, key] { return End(ends_, key, upload.nonce, upload.upload_id); });
    }
    Unheard unheard;
    unheard.key = key;
    const SteadyTime now = ends_.loop.clock().SteadyNow();
    for (const KnownUpload& known : FindUploads(session_, order_.task_id, {upload.key})) {
      // Somebody is at work on this object, and looks himself.
      if (!known.abandoned) return {};
      if (known.upload_id.empty()) {
        unheard.intents.push_back({known.nonce, now - known.age});
      } else {
        unheard.recorded_ids.push_back(known.upload_id);
      }
    }
    const LookResult look = Await<LookResult>([&] { return Look(ends_, unheard); });
    if (look.problem) return Refused(upload, *look.problem);
    if (!look.may_have_left) {
      TidyResult nothing;
      if (upload.age >= kCreateWindow) nothing.gone.push_back(upload.nonce);
      return nothing;
    }
    unheard.probe = NewNonce();
    if (!IntendProbe(session_, order_.worker_id, unheard.probe, upload.nonce)) return {};
    return Await<TidyResult>([&] { return Find(ends_, unheard); });
  }

 private:
  // Where the list may not be read it will not be read: a trace of nothing is not kept for ever.
  TidyResult Refused(const AbandonedUpload& upload, const Error& problem) const {
    TidyResult result;
    result.problem = problem;
    const bool passes = IsRetryable(problem.kind()) || problem.kind() == ErrorKind::kStopped;
    if (!passes && upload.age >= order_.abandoned_after) result.gone.push_back(upload.nonce);
    return result;
  }
  template <typename Result>
  Result Await(const std::function<Task<Result>()>& make) {
    try {
      return ends_.loop.Submit(make).get();
    } catch (const Error& error) {
      Result result;
      result.problem = error;
      return result;
    }
  }

  pg::Session& session_;
  const TidyOrder& order_;
  const Ends ends_;
};

bool Contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

Tidied TidyUploads(pg::Session& session, const TidyOrder& order, Ends ends,
                   const std::stop_token& stop) {
  Tidied tidied;
  AbandonLeftUploads(session, order.worker_id, order.task_id, order.abandoned_after);
  Janitor janitor(session, order, ends);
  std::vector<std::string> gone, looks, left;
  for (const AbandonedUpload& upload : ListAbandonedUploads(session, order.task_id, kUploadsMax)) {
    if (stop.stop_requested()) break;
    if (Contains(gone, upload.nonce)) continue;
    const TidyResult result = janitor.Tidy(upload);
    gone.insert(gone.end(), result.gone.begin(), result.gone.end());
    looks.insert(looks.end(), result.looks.begin(), result.looks.end());
    if (!Contains(gone, upload.nonce)) left.push_back(upload.nonce);
    if (!result.problem) continue;
    tidied.problem = result.problem;
    if (IsRetryable(result.problem->kind()) || result.problem->kind() == ErrorKind::kStopped) break;
  }
  tidied.gone = static_cast<int>(gone.size());
  tidied.left = static_cast<int>(left.size());
  gone.insert(gone.end(), looks.begin(), looks.end());
  if (!gone.empty() || !left.empty()) RecordTidied(session, order.worker_id, gone, left);
  return tidied;
}

}  // namespace ferry
