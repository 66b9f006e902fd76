// RefreshLease: the right to refresh one thing, renewed for as long as this object lives.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "batch/base/clock.h"
#include "batch/pg/session.h"

namespace ferry {

class RefreshLease {
 public:
  static constexpr std::chrono::milliseconds kTtl{30'000};

  using Connect = std::function<std::unique_ptr<pg::Session>()>;

  // nullptr: another one has it. `connect` makes a session for renewing. Throws Error.
  static std::unique_ptr<RefreshLease> Take(pg::Session& session, const std::string& what,
                                            Connect connect, Clock& clock);
  // Gives it back, when the database can be reached.
  ~RefreshLease();
  RefreshLease(const RefreshLease&) = delete;
  RefreshLease& operator=(const RefreshLease&) = delete;

  // Nobody is to have the lease for so long after this object has gone.
  void KeepFor(std::chrono::milliseconds settling) { settling_ = settling; }

  // Stopped once the lease can no longer be trusted: somebody else may act.
  std::stop_token lost() const { return lost_.get_token(); }

 private:
  RefreshLease(std::string what, std::string holder, SteadyTime taken, Connect connect,
               Clock& clock);
  void Renew(const std::stop_token& stop);
  void Watch(const std::stop_token& stop);
  SteadyTime TrustedUntil() const { return SteadyTime(SteadyTime::duration(trusted_until_)); }
  void Trust(SteadyTime attempt_started);

  const std::string what_;
  const std::string holder_;
  const Connect connect_;
  Clock& clock_;
  std::chrono::milliseconds settling_{0};
  std::atomic<SteadyTime::rep> trusted_until_{0};
  std::stop_source lost_;
  // One renews, and may wait long for an answer; the other only looks at the clock.
  std::jthread renewing_;
  std::jthread watching_;
};

}  // namespace ferry
