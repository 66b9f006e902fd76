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
      clock_(clock),
      trusted_until_(taken + kTtl - kMargin),
      thread_([this](const std::stop_token& stop) { Renew(stop); }) {}

RefreshLease::~RefreshLease() {
  thread_.request_stop();
  thread_.join();
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

void RefreshLease::Renew(const std::stop_token& stop) {
  std::unique_ptr<pg::Session> session;
  std::chrono::milliseconds pause = kRenewEvery;
  while (clock_.SleepFor(pause, stop)) {
    const SteadyTime started = clock_.SteadyNow();
    try {
      if (!session) session = connect_();
      const bool held = TakeRefreshLease(*session, what_, holder_, kTtl);
      if (held && clock_.SteadyNow() < trusted_until_) {
        trusted_until_ = started + kTtl - kMargin;
        pause = kRenewEvery;
        continue;
      }
    } catch (const Error& error) {
      log::Warn("could not renew the lease of a refresh",
                {{"target", what_}, {"error", error.what()}});
      session.reset();
      pause = std::chrono::milliseconds(1000);
      if (clock_.SteadyNow() < trusted_until_) continue;
    }
    lost_.request_stop();
    return;
  }
}

}  // namespace ferry
