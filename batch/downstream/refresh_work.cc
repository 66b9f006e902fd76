#include "batch/downstream/refresh_work.h"

#include <random>
#include <span>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/downstream/refresh_lease.h"
#include "batch/pg/patiently.h"
#include "batch/plan/backoff.h"
#include "batch/store/sigv4.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

constexpr BackoffOptions kBackoff{.base = milliseconds(1000), .cap = milliseconds(300'000)};
// A call that succeeded and is not written down is made again: worth waiting for.
constexpr milliseconds kAcknowledgePatience{600'000};

// What is due at once is one call, or one each.
using Batch = std::span<const DueRefresh>;

std::string KeyOf(Batch batch) {
  std::string all;
  for (const DueRefresh& due : batch) {
    all += (all.empty() ? "" : " ") + due.task + "-" + std::to_string(due.run_id) + "-" +
           due.target + "-" + std::to_string(due.seq);
  }
  return batch.size() == 1 ? all : "bucketferry-" + PayloadHash(all);
}

Occasion OccasionOf(pg::Session& session, Batch batch) {
  Occasion occasion;
  occasion.event = "refresh";
  occasion.target = batch.front().target;
  occasion.idempotency_key = KeyOf(batch);
  const auto facts =
      session.Transact([&](pg::Transaction& tx) { return ReadRunFacts(tx, batch.front().run_id); });
  // Of a run that is no more only its id is known.
  occasion.run =
      facts.value_or(RunFacts{.run_id = batch.front().run_id, .task = batch.front().task});
  return occasion;
}

class Refresher {
 public:
  Refresher(const DownstreamParts& parts, const SignalPlan& plan, const RefreshTarget& target,
            const std::stop_token& stop)
      : parts_(parts),
        plan_(plan),
        target_(target),
        stop_(stop),
        database_(parts.connect, parts.clock, kAcknowledgePatience, stop) {}

  void Run() {
    while (!stop_.stop_requested() && parts_.may_begin()) {
      const auto lease = database_.Do([&](pg::Session& session) {
        return RefreshLease::Take(session, LeaseNameOf(target_), parts_.connect, parts_.clock);
      });
      if (!lease) return;
      // Read under the lease: what another one did before is not due any more.
      const std::vector<DueRefresh> due = database_.Do([&](pg::Session& session) {
        return FindDueRefreshes(session, plan_.RefreshPairs(target_.name));
      });
      if (due.empty() || !CallForAll(due, *lease)) return;
    }
  }

 private:
  bool CallForAll(const std::vector<DueRefresh>& due, RefreshLease& lease) {
    if (IsOneForAllTasks(target_)) return CallFor(due, lease);
    bool fine = true;
    for (const DueRefresh& one : due) {
      if (lease.lost().stop_requested() || !parts_.may_begin()) return false;
      fine = CallFor({&one, 1}, lease) && fine;
    }
    return fine;
  }

  // False: not done, and to be tried later.
  bool CallFor(Batch batch, RefreshLease& lease) {
    std::stop_source end;
    const std::stop_callback at_stop(stop_, [&end] { end.request_stop(); });
    const std::stop_callback at_loss(lease.lost(), [&end] { end.request_stop(); });
    const Occasion occasion =
        database_.Do([&](pg::Session& session) { return OccasionOf(session, batch); });
    if (end.stop_requested()) return false;
    RefreshOutcome outcome = RefreshOutcome::kDone;
    try {
      outcome = parts_.refresh_call(target_).Make(occasion, target_.timeout, end.get_token());
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kStopped) return false;
      for (const DueRefresh& due : batch) Fail(due, error.what());
      return false;
    }
    lease.KeepFor(SettlingTimeOf(target_));
    for (const DueRefresh& due : batch) Acknowledge(due, outcome);
    return true;
  }

  void Acknowledge(const DueRefresh& due, RefreshOutcome outcome) {
    const TaskConfig& task = *parts_.config.FindTask(due.task);
    database_.Do([&](pg::Session& session) {
      AcknowledgeRefresh(session, due, outcome, task.refresh, task.notify);
    });
    log::Info(outcome == RefreshOutcome::kDone ? "refreshed" : "refresh accepted",
              {{"task", due.task}, {"target", due.target}, {"run", due.run_id}});
  }

  void Fail(const DueRefresh& due, const std::string& error) {
    const milliseconds pause =
        Backoff(due.tries + 1, static_cast<std::uint32_t>(random_()), kBackoff);
    log::Warn("not refreshed", {{"task", due.task},
                                {"target", due.target},
                                {"run", due.run_id},
                                {"error", error},
                                {"next_try_s", static_cast<double>(pause.count()) / 1000}});
    database_.Do([&](pg::Session& session) {
      RecordRefreshFailure(session, due, EscapeBytes(error), pause);
    });
  }

  const DownstreamParts& parts_;
  const SignalPlan& plan_;
  const RefreshTarget& target_;
  const std::stop_token stop_;
  pg::PatientSession database_;
  std::mt19937 random_{std::random_device()()};
};

}  // namespace

void RefreshDue(const DownstreamParts& parts, const SignalPlan& plan, const RefreshTarget& target,
                const std::stop_token& stop) {
  Refresher(parts, plan, target, stop).Run();
}

}  // namespace ferry
