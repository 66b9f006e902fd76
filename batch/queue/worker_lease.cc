#include "batch/queue/worker_lease.h"

#include <unistd.h>

#include <array>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/pg/migrator.h"

namespace ferry {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

// Trust ends this much before the database's own end of the lease.
constexpr std::chrono::milliseconds Margin(std::chrono::milliseconds ttl) { return ttl / 6; }

}  // namespace

WorkerLease::WorkerLease(std::function<std::unique_ptr<pg::Session>()> connect, Clock& clock,
                         LeaseOptions options)
    : connect_(std::move(connect)),
      clock_(clock),
      options_(std::move(options)),
      session_(connect_()) {
  const SteadyTime started = clock_.SteadyNow();
  worker_id_ = session_->Transact([&](pg::Transaction& tx) {
    return tx
        .Execute("queries/register_worker", EscapeBytes(HostName()), getpid(), options_.ttl.count())
        .One()
        .Get<std::int64_t>("worker_id");
  });
  Trust(started);
  Beat();
  thread_ = std::jthread([this](const std::stop_token& stop) { Renew(stop); });
}

WorkerLease::~WorkerLease() {
  thread_.request_stop();
  thread_.join();
  try {
    if (!session_ || !session_->IsOpen()) session_ = connect_();
    session_->Transact(
        [&](pg::Transaction& tx) { tx.Execute("queries/release_worker", worker_id_); });
  } catch (const Error& error) {
    log::Warn("could not give the lease back; it runs out by itself", {{"error", error.what()}});
  }
}

bool WorkerLease::Trusted() const {
  return !lost_ && clock_.SteadyNow().time_since_epoch().count() < trusted_until_;
}

void WorkerLease::Trust(SteadyTime attempt_started) {
  const SteadyTime until = attempt_started + options_.ttl - Margin(options_.ttl);
  trusted_until_ = until.time_since_epoch().count();
}

void WorkerLease::Beat() {
  if (!options_.heartbeat) return;
  try {
    options_.heartbeat(*session_, worker_id_);
  } catch (const Error& error) {
    log::Warn("could not exchange what workers tell each other", {{"error", error.what()}});
    if (!session_->IsOpen()) session_.reset();
  }
}

void WorkerLease::Renew(const std::stop_token& stop) {
  while (clock_.SleepFor(options_.ttl / 4, stop)) {
    const SteadyTime started = clock_.SteadyNow();
    try {
      if (!session_) session_ = connect_();
      const bool held = session_->Transact([&](pg::Transaction& tx) {
        return !tx.Execute("queries/renew_worker", worker_id_, options_.ttl.count()).empty();
      });
      // A window that ran out while we asked stays shut: others may have acted.
      if (!held || !Trusted()) {
        lost_ = true;
        return;
      }
      Trust(started);
      Beat();
    } catch (const Error& error) {
      // The old window keeps running; it is what stops us.
      log::Warn("could not renew the lease", {{"error", error.what()}});
      session_.reset();
    }
  }
}

void CheckWorker(pg::Transaction& tx, std::int64_t worker_id) {
  static const int known = pg::ProgramVersion();
  const pg::Rows rows = tx.Execute("queries/check_worker", worker_id);
  if (rows.empty()) {
    throw Error(ErrorKind::kConflict, "this worker's lease is over", std::string(kTermOver));
  }
  if (const int breaking = rows[0].Get<int>("breaking"); breaking > known) {
    throw Error(ErrorKind::kInvalid, "database: a newer program brought the schema to version " +
                                         std::to_string(breaking) + ", this one knows version " +
                                         std::to_string(known) + " and must not go on: update it");
  }
}

}  // namespace ferry
