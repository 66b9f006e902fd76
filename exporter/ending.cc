#include "exporter/ending.h"

#include <algorithm>
#include <utility>

#include "batch/base/log.h"

namespace ferry::exporter {

using std::chrono::milliseconds;

Ending::Ending(const Clock& clock, milliseconds linger, std::function<void()> changed)
    : clock_(clock), linger_(linger), changed_(std::move(changed)) {}

void Ending::Terminate() {
  {
    MutexLock lock(mutex_);
    if (is_over_) return;
    if (until_) {
      EndLocked("a second SIGTERM");
    } else if (linger_.count() == 0) {
      EndLocked("SIGTERM");
    } else {
      until_ = clock_.SteadyNow() + linger_;
      log::Info("exporter lingers until the final state of all tasks was scraped",
                {{"scrapes", kScrapesWanted},
                 {"limit_seconds", std::chrono::duration<double>(linger_).count()}});
    }
  }
  changed_();
}

void Ending::EndNow(const std::string& why) {
  {
    MutexLock lock(mutex_);
    if (is_over_) return;
    EndLocked(why);
  }
  changed_();
}

void Ending::ScrapeAnswered(bool is_final) {
  {
    MutexLock lock(mutex_);
    if (is_over_ || !until_ || !is_final) return;
    if (++scrapes_ < kScrapesWanted) return;
    EndLocked("the final state was scraped");
  }
  changed_();
}

std::optional<milliseconds> Ending::Left() const {
  MutexLock lock(mutex_);
  if (is_over_) return milliseconds(0);
  if (!until_) return std::nullopt;
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*until_ - clock_.SteadyNow()));
}

void Ending::EndLocked(const std::string& why) {
  is_over_ = true;
  log::Info("exporter stops", {{"reason", why}, {"final_scrapes", scrapes_}});
}

}  // namespace ferry::exporter
