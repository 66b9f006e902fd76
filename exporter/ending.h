// Ending: when the exporter ends.
//
//   serving --SIGTERM--> lingering --the final state was scraped, or the limit, or SIGTERM--> over
//      |                    |                                                                  ^
//      +--------------------+--------------- SIGINT, POST /-/quit -----------------------------+
//
// Without a limit to linger for, SIGTERM ends it at once. A sidecar gets its SIGTERM when the batch
// has ended: what the batch wrote last must still be scraped, and twice, since one answer may get
// lost on its way. What was scraped before the signal says nothing: the run may not have begun
// then.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "batch/base/clock.h"
#include "batch/base/mutex.h"

namespace ferry::exporter {

class Ending {
 public:
  static constexpr int kScrapesWanted = 2;

  // `changed` is called, from any thread, when Left() became less. `clock` must outlive this
  // object.
  Ending(const Clock& clock, std::chrono::milliseconds linger, std::function<void()> changed);

  // From any thread.
  void Terminate();                     // SIGTERM
  void EndNow(const std::string& why);  // SIGINT, POST /-/quit
  void ScrapeAnswered(bool is_final);   // a scrape was sent whole

  // How long it goes on at most; 0: it is over; nullopt: nobody asked for an end yet.
  std::optional<std::chrono::milliseconds> Left() const;

 private:
  void EndLocked(const std::string& why) FERRY_REQUIRES(mutex_);

  const Clock& clock_;
  const std::chrono::milliseconds linger_;
  const std::function<void()> changed_;

  mutable Mutex mutex_;
  std::optional<SteadyTime> until_ FERRY_GUARDED_BY(mutex_);  // set: asked to end
  bool is_over_ FERRY_GUARDED_BY(mutex_) = false;
  int scrapes_ FERRY_GUARDED_BY(mutex_) = 0;
};

}  // namespace ferry::exporter
