// A worker's time-limited right to act: one row per process and term.
//
// The database decides who holds a lease; WorkerLease only decides when to stop believing in it.
// After each renewal the lease is trusted until
//
//     renewal_started + ttl - margin        (a clock that counts the time a host sleeps)
//
// counted from the start of the attempt, so that a slow answer cannot stretch it. Renewal has its
// own connection and thread and never queues behind copies.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "batch/base/clock.h"
#include "batch/pg/session.h"

namespace ferry {

struct LeaseOptions {
  std::chrono::milliseconds ttl{60000};
  // What travels with the lease: called with a session outside of any transaction, once after the
  // term is registered and again after each renewal that was committed, so that it can neither
  // delay nor undo one. What it throws is logged.
  std::function<void(pg::Session&, std::int64_t worker_id)> heartbeat = {};
};

// A right to act, as those see it who act.
class Term {
 public:
  virtual ~Term() = default;
  virtual std::int64_t worker_id() const = 0;
  // True while this process may write on behalf of the term. Once false it stays false: a lost
  // term is never won back. From any thread.
  virtual bool Trusted() const = 0;
};

class WorkerLease final : public Term {
 public:
  // Registers a new term and starts renewing it. `connect` makes a session of its own, and may be
  // called again after the database was away. Throws Error.
  WorkerLease(std::function<std::unique_ptr<pg::Session>()> connect, Clock& clock,
              LeaseOptions options);
  // Gives the lease back, when the database can be reached.
  ~WorkerLease() override;
  WorkerLease(const WorkerLease&) = delete;
  WorkerLease& operator=(const WorkerLease&) = delete;

  std::int64_t worker_id() const override { return worker_id_; }
  bool Trusted() const override;

 private:
  void Renew(const std::stop_token& stop);
  void Beat();
  void Trust(SteadyTime attempt_started);

  const std::function<std::unique_ptr<pg::Session>()> connect_;
  Clock& clock_;
  const LeaseOptions options_;
  std::unique_ptr<pg::Session> session_;  // the renewing thread's, once it runs
  std::int64_t worker_id_ = 0;
  std::atomic<SteadyTime::rep> trusted_until_{0};
  std::atomic<bool> lost_{false};
  std::jthread thread_;
};

// code() of the Error{kConflict} that says so.
inline constexpr std::string_view kTermOver = "TermOver";

// First statement of each transaction that writes for a worker. Throws Error{kConflict, kTermOver}
// when its term is over, Error{kInvalid} when a newer program changed the schema so that this one
// must stop.
void CheckWorker(pg::Transaction& tx, std::int64_t worker_id);

}  // namespace ferry
