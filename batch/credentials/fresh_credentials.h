// FreshCredentials: keys that are renewed before they end, by a thread of their own.
//
// Whoever asks waits for the first keys, seconds at a time, and never again. They are fetched anew
// ten minutes before their end, or at half their life where that is shorter, and a little earlier
// by chance, so that many processes do not ask together; where the same keys come again (the
// platform has no others yet), a minute later. Platforms renew theirs at least five minutes before
// the end. While that fails it is tried again with back-off, and the old keys are used until they
// end; then asking throws.
//
// One fetch at a time, for all threads.
#pragma once

#include <chrono>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <thread>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/base/mutex.h"
#include "batch/credentials/explained_credentials.h"
#include "batch/credentials/keys_source.h"
#include "batch/plan/backoff.h"

namespace ferry {

struct FreshOptions {
  std::chrono::milliseconds early{std::chrono::minutes(10)};
  std::chrono::milliseconds same_again{std::chrono::minutes(1)};
  // Of keys that say no end.
  std::chrono::milliseconds without_end{std::chrono::hours(1)};
  // How often it is looked whether keys that are renewed elsewhere have changed.
  std::chrono::milliseconds look_every{std::chrono::seconds(1)};
  // Keys that are the same although they were refused and fetched anew, and are refused again: not
  // fetched a third time before this has passed.
  std::chrono::milliseconds refused_again{std::chrono::minutes(1)};
  BackoffOptions backoff{std::chrono::seconds(1), std::chrono::minutes(1)};
  // So often the first fetch is tried before those who wait are told why there are no keys.
  int attempts_at_first = 3;
};

class FreshCredentials final : public ExplainedCredentials {
 public:
  // `owner` begins each error ("store china"). `clock` outlives this object. Nothing is fetched
  // before Prepare or Get.
  FreshCredentials(std::string owner, std::unique_ptr<KeysSource> source, Clock& clock,
                   FreshOptions options = {});
  // What is being fetched is given up.
  ~FreshCredentials() override;
  FreshCredentials(const FreshCredentials&) = delete;
  FreshCredentials& operator=(const FreshCredentials&) = delete;

  // Throws Error: kCredentials, or kUnavailable and kThrottled when there may be keys later.
  std::optional<Credentials> Get() override;
  bool Refused() override;
  void Prepare() override;
  Explanation Explain() override;

 private:
  void StartThread() FERRY_REQUIRES(mutex_);
  void Run();
  bool WaitUntilDue();  // false: to stop
  void Fetch();
  void Took(const AccessKeys& keys);
  void Failed(const Error& error);
  void NoteFailure(const Error& error) FERRY_REQUIRES(mutex_);
  void PlanNext(const AccessKeys& keys, bool same) FERRY_REQUIRES(mutex_);
  bool IsDue() const FERRY_REQUIRES(mutex_);
  bool HaveEnded() const FERRY_REQUIRES(mutex_);
  void WakeThread() FERRY_REQUIRES(mutex_);

  const std::string owner_;
  const std::unique_ptr<KeysSource> source_;  // the thread's
  Clock& clock_;
  const FreshOptions options_;
  std::minstd_rand random_{std::random_device{}()};  // the thread's
  std::stop_source stop_;

  Mutex mutex_;
  Condition wake_;      // for the thread
  Condition answered_;  // the first fetch is over
  bool stopping_ FERRY_GUARDED_BY(mutex_) = false;
  bool wanted_ FERRY_GUARDED_BY(mutex_) = true;
  bool fetching_ FERRY_GUARDED_BY(mutex_) = false;
  bool first_is_over_ FERRY_GUARDED_BY(mutex_) = false;
  bool refused_ FERRY_GUARDED_BY(mutex_) = false;     // the keys, by their store, since they came
  bool came_again_ FERRY_GUARDED_BY(mutex_) = false;  // the same ones, after they were refused
  bool elsewhere_ FERRY_GUARDED_BY(mutex_) = false;   // KeysSource::IsRenewedElsewhere
  std::optional<AccessKeys> keys_ FERRY_GUARDED_BY(mutex_);
  std::optional<SteadyTime> end_ FERRY_GUARDED_BY(mutex_);   // of the keys; nullopt: none known
  std::optional<SteadyTime> next_ FERRY_GUARDED_BY(mutex_);  // fetch; nullopt: when they change
  SteadyTime fetched_at_ FERRY_GUARDED_BY(mutex_){};
  std::optional<Error> failure_ FERRY_GUARDED_BY(mutex_);  // of the last fetch
  int failures_ FERRY_GUARDED_BY(mutex_) = 0;              // in a row
  Explanation explanation_ FERRY_GUARDED_BY(mutex_);
  std::thread thread_ FERRY_GUARDED_BY(mutex_);
};

}  // namespace ferry
