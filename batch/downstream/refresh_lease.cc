#include "batch/downstream/refresh_lease.h"

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/base/nonce.h"
#include "batch/queue/refresh_table.h"

namespace ferry {
namespace {

// Trust ends this much before the database's own end of the lease.
constexpr std::chrono::milliseconds kMargin = RefreshLease::kTtl / 6;
constexpr std::chrono::milliseconds kRenewEvery = RefreshLease::kTtl / 4;

}  // namespace

std::unique_ptr<RefreshLease> RefreshLease::Take(pg::Session& session, const std::string& what,
                                                 Connect connect, Clock& clock) {
  const std::string holder = NewNonce();
  const SteadyTime started = clock.SteadyNow();
  if (!TakeRefreshLease(session, what, holder, kTtl)) return nullptr;
  return std::unique_ptr<RefreshLease>(
      new RefreshLease(what, holder, started, std::move(connect), clock));
}

RefreshLease::RefreshLease(std::string what, std::string holder, SteadyTime taken, Connect connect,
                           Clock& clock)
    : what_(std::move(what)),
      holder_(std::move(holder)),
      connect_(std::move(connect)),
      clock_(clock) {
  Trust(taken);
  renewing_ = std::jthread([this](const std::stop_token& stop) { Renew(stop); });
  watching_ = std::jthread([this](const std::stop_token& stop) { Watch(stop); });
}

RefreshLease::~RefreshLease() {
  for (std::jthread* const thread : {&watching_, &renewing_}) {
    thread->request_stop();
    thread->join();
  }
  try {
    const auto session = connect_();
    if (settling_.count() > 0) {
      TakeRefreshLease(*session, what_, holder_, settling_);
    } else {
      ReleaseRefreshLease(*session, what_, holder_);
    }
  } catch (const Error& error) {
    log::Warn("could not give the lease of a refresh back; it runs out by itself",
              {{"target", what_}, {"error", error.what()}});
  }
}

void RefreshLease::Trust(SteadyTime attempt_started) {
  trusted_until_ = (attempt_started + kTtl - kMargin).time_since_epoch().count();
}

void RefreshLease::Watch(const std::stop_token& stop) {
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(TrustedUntil() - clock_.SteadyNow());
    if (left.count() <= 0) break;
    if (!clock_.SleepFor(left, stop)) return;
  }
  lost_.request_stop();
}

void RefreshLease::Renew(const std::stop_token& stop) {
  std::unique_ptr<pg::Session> session;
  std::chrono::milliseconds pause = kRenewEvery;
  while (clock_.SleepFor(pause, stop) && !lost_.stop_requested()) {
    const SteadyTime started = clock_.SteadyNow();
    try {
      if (!session) session = connect_();
      const bool held = TakeRefreshLease(*session, what_, holder_, kTtl);
      // A window that ran out while we asked stays shut: others may have acted.
      if (!held || clock_.SteadyNow() >= TrustedUntil()) {
        lost_.request_stop();
        return;
      }
      Trust(started);
      pause = kRenewEvery;
    } catch (const Error& error) {
      log::Warn("could not renew the lease of a refresh",
                {{"target", what_}, {"error", error.what()}});
      session.reset();
      pause = std::chrono::milliseconds(1000);
    }
  }
}

}  // namespace ferry
