#include "batch/downstream/notify_work.h"

#include <random>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/base/nonce.h"
#include "batch/pg/patiently.h"
#include "batch/plan/backoff.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

constexpr BackoffOptions kBackoff{.base = milliseconds(2000), .cap = milliseconds(600'000)};
constexpr std::chrono::hours kGiveUpAfter{24};
constexpr milliseconds kTooEarlyPause{2000};
constexpr milliseconds kLeaseBeyondTimeout{60'000};
constexpr milliseconds kPatience{600'000};
constexpr std::size_t kDeadShown = 5;

class Notifier {
 public:
  Notifier(const DownstreamParts& parts, const SignalPlan& plan, const NotifyTarget& target,
           const std::stop_token& stop)
      : parts_(parts),
        tasks_(plan.NotifyTasks()),
        target_(target),
        stop_(stop),
        database_(parts.connect, parts.clock, kPatience, stop) {}

  void Run() {
    while (!stop_.stop_requested() && parts_.may_begin()) {
      claimed_ = parts_.clock.SteadyNow();
      const auto next = database_.Do([&](pg::Session& session) {
        return ClaimNotification(session, tasks_, target_.name, holder_,
                                 target_.timeout + kLeaseBeyondTimeout);
      });
      if (!next) return;
      Tell(*next);
    }
  }

 private:
  void Tell(const Notification& next) {
    const TaskConfig& task = *parts_.config.FindTask(next.task);
    const auto occasion =
        database_.Do([&](pg::Session& session) { return OccasionOf(session, next, task); });
    const Telling telling =
        occasion ? DecideTelling(next.event, occasion->run, task.notify_always) : Telling::kDrop;
    // The database may have been waited for so long that the claim is somebody else's.
    if (parts_.clock.SteadyNow() - claimed_ > kLeaseBeyondTimeout / 2) return;
    switch (telling) {
      case Telling::kDrop: return Finish(next, NotificationEnd::kDropped, std::nullopt);
      case Telling::kWait: return Postpone(next, kTooEarlyPause, std::nullopt);
      case Telling::kSend: break;
    }
    try {
      parts_.notify_call(target_).Make(*occasion, target_.timeout, stop_);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kStopped) return Postpone(next, milliseconds(0), std::nullopt);
      return Failed(next, error.what());
    }
    Finish(next, NotificationEnd::kSent, std::nullopt);
    log::Info("told", {{"task", next.task},
                       {"target", next.target},
                       {"run", next.run_id},
                       {"event", std::string(ToString(next.event))}});
  }

  static std::optional<Occasion> OccasionOf(pg::Session& session, const Notification& next,
                                            const TaskConfig& task) {
    Occasion occasion;
    occasion.event = ToString(next.event);
    occasion.target = next.target;
    occasion.idempotency_key =
        next.task + "-" + std::to_string(next.run_id) + "-" + next.target + "-" + occasion.event;
    const bool known = session.Transact([&](pg::Transaction& tx) {
      const auto facts = ReadRunFacts(tx, next.run_id);
      if (!facts) return false;
      occasion.run = *facts;
      if (next.event == RunEvent::kRefreshed) {
        occasion.outcomes = ListRefreshOutcomes(tx, next.task, task.refresh);
      }
      return true;
    });
    if (!known) return std::nullopt;
    if (next.event == RunEvent::kEnded && occasion.run.dead > 0) {
      occasion.dead = ListDead(session, next.run_id);
      if (occasion.dead.size() > kDeadShown) occasion.dead.resize(kDeadShown);
    }
    return occasion;
  }

  void Failed(const Notification& next, const std::string& error) {
    const bool give_up = next.age > kGiveUpAfter;
    const milliseconds pause =
        Backoff(next.tries + 1, static_cast<std::uint32_t>(random_()), kBackoff);
    log::Warn(give_up ? "not told, and given up" : "not told",
              {{"task", next.task},
               {"target", next.target},
               {"run", next.run_id},
               {"event", std::string(ToString(next.event))},
               {"error", error}});
    if (give_up) return Finish(next, NotificationEnd::kGivenUp, EscapeBytes(error));
    Postpone(next, pause, EscapeBytes(error));
  }

  void Finish(const Notification& next, NotificationEnd end,
              const std::optional<std::string>& error) {
    database_.Do([&](pg::Session& session) {
      session.Transact([&](pg::Transaction& tx) {
        FinishNotification(tx, next, holder_, end, error);
        if (end != NotificationEnd::kDropped) {
          CountNotify(tx, next.target, end == NotificationEnd::kGivenUp);
        }
      });
    });
  }

  void Postpone(const Notification& next, milliseconds pause,
                const std::optional<std::string>& error) {
    database_.Do([&](pg::Session& session) {
      session.Transact([&](pg::Transaction& tx) {
        PostponeNotification(tx, next, holder_, pause, error);
        if (error) CountNotify(tx, next.target, /*failed=*/true);
      });
    });
  }

  const DownstreamParts& parts_;
  const std::vector<std::string> tasks_;
  const NotifyTarget& target_;
  const std::stop_token stop_;
  const std::string holder_ = NewNonce();
  SteadyTime claimed_{};
  pg::PatientSession database_;
  std::mt19937 random_{std::random_device()()};
};

}  // namespace

Telling DecideTelling(RunEvent event, const RunFacts& run, bool always) {
  const bool ended_badly = run.state == "failed" || run.state == "incomplete" || run.dead > 0;
  switch (event) {
    case RunEvent::kStarted:
      if (run.planned > 0 || always) return Telling::kSend;
      // Of one that failed before it planned anything its end says all.
      return run.closed ? Telling::kDrop : Telling::kWait;
    case RunEvent::kEnded:
      if (!run.closed) return Telling::kWait;
      return run.planned > 0 || ended_badly || always ? Telling::kSend : Telling::kDrop;
    case RunEvent::kRefreshed: return Telling::kSend;
  }
  return Telling::kSend;
}

void NotifyDue(const DownstreamParts& parts, const SignalPlan& plan, const NotifyTarget& target,
               const std::stop_token& stop) {
  Notifier(parts, plan, target, stop).Run();
}

}  // namespace ferry
