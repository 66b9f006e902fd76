#include "batch/copy/janitor.h"

#include <functional>
#include <vector>

#include "batch/copy/stray_upload.h"
#include "batch/queue/upload_table.h"

namespace ferry {
namespace {

constexpr std::int64_t kUploadsMax = 100;

struct TidyResult {
  bool gone = false;
  std::optional<Error> problem;
};

Task<TidyResult> Tidy(Ends ends, Key key, AbandonedUpload upload,
                      std::chrono::milliseconds abandoned_after) {
  TidyResult result;
  try {
    if (!upload.upload_id.empty()) {
      result.gone = co_await EndUpload(ends, key, upload.upload_id);
      co_return result;
    }
    const std::vector<Intent> intents = {
        {upload.nonce, ends.loop.clock().SteadyNow() - upload.age}};
    const std::vector<std::string> none;
    Settlement settlement;
    co_await SettleIntents(ends, key, intents, none, settlement);
    result.gone = !settlement.settled.empty();
    result.problem = settlement.problem;
    // Where the list may not be read it will not be read: a trace of nothing is not kept for ever.
    const bool refused = result.problem && !IsRetryable(result.problem->kind());
    if (refused && upload.age >= abandoned_after) result.gone = true;
  } catch (const Error& error) {
    result.problem = error;
  }
  co_return result;
}

}  // namespace

Tidied TidyUploads(pg::Session& session, const TidyOrder& order, Ends ends,
                   const std::stop_token& stop) {
  Tidied tidied;
  AbandonLeftUploads(session, order.worker_id, order.task_id, order.abandoned_after);
  std::vector<std::string> gone, left;
  for (const AbandonedUpload& upload : ListAbandonedUploads(session, order.task_id, kUploadsMax)) {
    if (stop.stop_requested()) break;
    const Key key(order.destination_prefix + upload.key.bytes().substr(order.source_prefix.size()));
    const auto abandoned_after = order.abandoned_after;
    const std::function<Task<TidyResult>()> make = [&, key] {
      return Tidy(ends, key, upload, abandoned_after);
    };
    const TidyResult result = ends.loop.Submit(make).get();
    (result.gone ? gone : left).push_back(upload.nonce);
    if (!result.problem) continue;
    tidied.problem = result.problem;
    if (IsRetryable(result.problem->kind()) || result.problem->kind() == ErrorKind::kStopped) break;
  }
  if (!gone.empty() || !left.empty()) RecordTidied(session, order.worker_id, gone, left);
  tidied.gone = static_cast<int>(gone.size());
  tidied.left = static_cast<int>(left.size());
  return tidied;
}

}  // namespace ferry
