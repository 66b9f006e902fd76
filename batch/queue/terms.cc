#include "batch/queue/terms.h"

#include <algorithm>
#include <utility>

#include "batch/base/log.h"
#include "batch/pg/patiently.h"

namespace ferry {
namespace {

constexpr std::chrono::milliseconds kFirstPatience{15'000};

}  // namespace

Terms::Terms(Connect connect, Clock& clock, LeaseOptions options,
             std::chrono::milliseconds patience)
    : connect_(std::move(connect)),
      clock_(clock),
      options_(std::move(options)),
      patience_(patience) {
  // A database that never answered in this process is not waited for as long as one that did.
  pg::PatientSession waiting(connect_, clock_, std::min(patience_, kFirstPatience), {});
  MutexLock lock(mutex_);
  current_ = waiting.Do([this](pg::Session&) { return Register(); });
}

std::shared_ptr<const Term> Terms::Register() {
  auto term = std::make_shared<const WorkerLease>(connect_, clock_, options_);
  latest_id_ = term->worker_id();
  return term;
}

std::shared_ptr<const Term> Terms::Current(const std::stop_token& stop) {
  MutexLock lock(mutex_);
  if (given_up_) throw *given_up_;
  if (current_ && current_->Trusted()) return current_;
  if (current_) {
    log::Warn("the lease was lost; going on under a new one as soon as the database answers",
              {{"worker", current_->worker_id()}});
  }
  // The old one goes first: it gives its rows back when the database can be reached.
  current_.reset();
  try {
    // The lease makes sessions of its own; this one only waits.
    pg::PatientSession waiting(connect_, clock_, patience_, stop);
    current_ = waiting.Do([this](pg::Session&) { return Register(); });
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kStopped) throw;
    // Whoever is told has waited long enough: not one more that may pass.
    given_up_ = Error(ErrorKind::kInvalid, error.what(), error.code());
    throw *given_up_;
  }
  log::Info("going on under a new lease", {{"worker", current_->worker_id()}});
  return current_;
}

}  // namespace ferry
