#include "batch/credentials/fresh_credentials.h"

#include <algorithm>
#include <utility>

#include "batch/base/human.h"
#include "batch/base/log.h"
#include "batch/credentials/service_call.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

// The clock may be moved while the thread waits by the kernel's.
constexpr milliseconds kWaitMax{30'000};
constexpr milliseconds kFirstWait{1'000};
constexpr int kFirstWaits = 5;
// What lasts longer is asked for again all the same.
constexpr milliseconds kLifeMax = std::chrono::hours(30 * 24);
// A part of `early`: so much earlier at most.
constexpr int kJitterPart = 10;

milliseconds UnixNow(const Clock& clock) {
  return std::chrono::duration_cast<milliseconds>(clock.WallNow().time_since_epoch());
}

bool MayComeLater(ErrorKind kind) {
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kThrottled;
}

}  // namespace

FreshCredentials::FreshCredentials(std::string owner, std::unique_ptr<KeysSource> source,
                                   Clock& clock, FreshOptions options)
    : owner_(std::move(owner)), source_(std::move(source)), clock_(clock), options_(options) {
  MutexLock lock(mutex_);
  explanation_.source = source_->Name();
}

FreshCredentials::~FreshCredentials() {
  stop_.request_stop();
  std::thread thread;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
    answered_.NotifyAll();
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

std::optional<Credentials> FreshCredentials::Get() {
  MutexLock lock(mutex_);
  StartThread();
  if (IsDue()) WakeThread();
  // Not for long at a time: who waits is a loop, which other transfers share, and which hears of a
  // stop in between.
  for (int i = 0; i < kFirstWaits && !first_is_over_ && !stopping_; ++i) {
    answered_.WaitFor(mutex_, kFirstWait);
  }
  const bool given_up = refused_ && failure_;
  if (keys_ && !HaveEnded() && !given_up) return ToCredentials(*keys_);
  // A first failure to replace refused keys may be a file that is half written.
  if (keys_ && failure_ && failures_ < options_.attempts_at_first) {
    throw Error(ErrorKind::kUnavailable, failure_->what(), failure_->code());
  }
  // A new one: copies of an exception share their text with the thread that replaces it.
  if (failure_) throw Error(failure_->kind(), failure_->what(), failure_->code());
  if (stopping_) throw Error(ErrorKind::kStopped, "stopped");
  throw Error(ErrorKind::kUnavailable,
              owner_ + ": the keys of " + explanation_.source +
                  (keys_ ? " have ended; others are being fetched" : " are being fetched"));
}

void FreshCredentials::Prepare() {
  MutexLock lock(mutex_);
  StartThread();
}

void FreshCredentials::StartThread() {
  if (!thread_.joinable() && !stopping_) thread_ = std::thread([this] { Run(); });
}

bool FreshCredentials::Refused() {
  bool look = false;
  {
    MutexLock lock(mutex_);
    look = elsewhere_ && !fetching_ && !wanted_;
  }
  // Not under the lock: a file may be far away.
  const bool changed = look && source_->HasChanged();
  MutexLock lock(mutex_);
  if (!keys_ || stopping_) return false;
  const bool again = std::exchange(refused_, true) || came_again_;
  if (fetching_ || wanted_) return true;
  if (elsewhere_ && !changed) return false;
  if (again && clock_.SteadyNow() - fetched_at_ < options_.refused_again) return false;
  wanted_ = true;
  WakeThread();
  return true;
}

ExplainedCredentials::Explanation FreshCredentials::Explain() {
  MutexLock lock(mutex_);
  return explanation_;
}

bool FreshCredentials::IsDue() const { return wanted_ || (next_ && clock_.SteadyNow() >= *next_); }

bool FreshCredentials::HaveEnded() const { return end_ && clock_.SteadyNow() >= *end_; }

void FreshCredentials::WakeThread() {
  if (!fetching_) wake_.NotifyAll();
}

void FreshCredentials::Run() {
  while (WaitUntilDue()) Fetch();
}

bool FreshCredentials::WaitUntilDue() {
  while (true) {
    bool look = false;
    {
      MutexLock lock(mutex_);
      if (!stopping_ && !IsDue()) {
        milliseconds pause = elsewhere_ ? options_.look_every : kWaitMax;
        if (next_) {
          pause = std::min(pause, std::chrono::ceil<milliseconds>(*next_ - clock_.SteadyNow()));
        }
        wake_.WaitFor(mutex_, std::clamp(pause, milliseconds(1), kWaitMax));
      }
      if (stopping_) return false;
      if (IsDue()) {
        wanted_ = false;
        fetching_ = true;
        return true;
      }
      look = elsewhere_;
    }
    // Not under the lock: a file may be far away.
    if (!look || !source_->HasChanged()) continue;
    MutexLock lock(mutex_);
    wanted_ = true;
  }
}

void FreshCredentials::Fetch() {
  try {
    const AccessKeys keys = source_->Fetch(stop_.get_token());
    if (!source_->IsRenewedElsewhere() && keys.expires_at_ms &&
        *keys.expires_at_ms <= UnixNow(clock_).count()) {
      throw Error(ErrorKind::kCredentials, source_->Name() + ": the keys ended already, at " +
                                               HumanMoment(*keys.expires_at_ms) +
                                               ": check this host's clock, and what renews them");
    }
    Took(keys);
  } catch (const Error& error) {
    Failed(error);
  } catch (const std::exception& error) {
    Failed(Error(ErrorKind::kCredentials, source_->Name() + ": " + error.what()));
  }
}

void FreshCredentials::Took(const AccessKeys& keys) {
  const std::string name = source_->Name();
  std::vector<std::string> passed_over = source_->PassedOver();
  MutexLock lock(mutex_);
  const bool same = keys_ == keys;
  came_again_ = same && (refused_ || came_again_);
  refused_ = false;  // the platform stands by them
  elsewhere_ = source_->IsRenewedElsewhere();
  keys_ = keys;
  explanation_ = {name, keys.expires_at_ms, std::move(passed_over)};
  failure_.reset();
  failures_ = 0;
  fetching_ = false;
  first_is_over_ = true;
  fetched_at_ = clock_.SteadyNow();
  PlanNext(keys, same);
  answered_.NotifyAll();
}

void FreshCredentials::PlanNext(const AccessKeys& keys, bool same) {
  end_.reset();
  next_.reset();
  if (elsewhere_) return;
  if (!keys.expires_at_ms) {
    next_ = fetched_at_ + options_.without_end;
    return;
  }
  const milliseconds life =
      std::clamp(milliseconds(*keys.expires_at_ms) - UnixNow(clock_), milliseconds(1), kLifeMax);
  const milliseconds early = std::min(options_.early, life / 2);
  std::uniform_int_distribution<std::int64_t> jitter(0, early.count() / kJitterPart);
  milliseconds wait = life - early - milliseconds(jitter(random_));
  if (same) wait = std::min(wait, options_.same_again);
  end_ = fetched_at_ + life;
  next_ = fetched_at_ + wait;
}

void FreshCredentials::Failed(const Error& error) {
  std::vector<std::string> passed_over = source_->PassedOver();
  bool old_ones_hold = false;
  {
    MutexLock lock(mutex_);
    old_ones_hold = keys_ && !HaveEnded();
    NoteFailure(error);
    if (!keys_) explanation_.passed_over = std::move(passed_over);
  }
  if (!old_ones_hold || error.kind() == ErrorKind::kStopped) return;
  log::Warn("credentials cannot be renewed; the old ones are used until they end",
            {{"credentials", owner_}, {"error", error.what()}});
}

void FreshCredentials::NoteFailure(const Error& error) {
  fetching_ = false;
  failures_ += 1;
  std::string text = owner_ + ": " + error.what();
  if (keys_ && refused_) text += "; the last keys were refused by the store";
  if (keys_ && HaveEnded()) text += "; the last keys have ended";
  const bool later = MayComeLater(error.kind()) || error.kind() == ErrorKind::kStopped;
  failure_ = Error(later ? error.kind() : ErrorKind::kCredentials, text, error.code());
  const auto random = static_cast<std::uint32_t>(random_()) << 1;  // of 31 bits
  next_ = clock_.SteadyNow() + Backoff(failures_, random, options_.backoff);
  if (!first_is_over_ && later && failures_ < options_.attempts_at_first) return;
  first_is_over_ = true;
  answered_.NotifyAll();
}

}  // namespace ferry
