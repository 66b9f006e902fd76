#include "exporter/shared_scrapes.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "batch/base/log.h"

namespace ferry::exporter {
namespace {

using std::chrono::milliseconds;

// Who waits for a read gives it this much to say what it has when its own time is over.
constexpr milliseconds kGrace{250};
// Whoever changes something says so; this is for the time that passes.
constexpr milliseconds kLongest{60'000};

}  // namespace

SharedScrapes::SharedScrapes(const Clock& clock, Read read, const std::stop_token& stop)
    : clock_(clock), read_(std::move(read)), at_stop_(stop, [this] { Stop(); }) {
  for (std::thread& reader : readers_) reader = std::thread([this] { Serve(); });
}

SharedScrapes::~SharedScrapes() {
  Stop();
  for (std::thread& reader : readers_) reader.join();
}

void SharedScrapes::Stop() {
  MutexLock lock(mutex_);
  is_stopped_ = true;
  changed_.NotifyAll();
}

std::shared_ptr<const Scrape> SharedScrapes::Get(milliseconds budget) {
  const SteadyTime asked = clock_.SteadyNow();
  const SteadyTime until = asked + budget + std::min(kGrace, budget / 2);
  MutexLock lock(mutex_);
  if (next_ == nullptr) next_ = std::make_shared<Round>();
  const std::shared_ptr<Round> round = next_;
  round->deadline = std::max(round->deadline, asked + budget);
  ++round->scrapes;
  changed_.NotifyAll();
  while (!round->is_over && !is_stopped_) {
    const SteadyTime now = clock_.SteadyNow();
    if (now >= until) break;
    changed_.WaitFor(mutex_, std::chrono::ceil<milliseconds>(until - now));
  }
  return round->scrape;
}

int SharedScrapes::Waiting() {
  MutexLock lock(mutex_);
  return next_ == nullptr ? 0 : next_->scrapes;
}

void SharedScrapes::Serve() {
  while (const std::shared_ptr<Round> round = AwaitRound()) {
    std::shared_ptr<const Scrape> scrape = ReadOne(round->deadline);
    MutexLock lock(mutex_);
    round->scrape = std::move(scrape);
    round->is_over = true;
    --under_way_;
    changed_.NotifyAll();
  }
}

bool SharedScrapes::MayBegin() const {
  if (next_ == nullptr) return false;
  return under_way_ == 0 || clock_.SteadyNow() - began_at_ >= kPatience;
}

// nullptr: no more.
std::shared_ptr<SharedScrapes::Round> SharedScrapes::AwaitRound() {
  MutexLock lock(mutex_);
  while (!is_stopped_ && !MayBegin()) {
    changed_.WaitFor(mutex_, next_ == nullptr ? kLongest : kPatience);
  }
  if (is_stopped_) return nullptr;
  ++under_way_;
  began_at_ = clock_.SteadyNow();
  return std::exchange(next_, nullptr);
}

std::shared_ptr<const Scrape> SharedScrapes::ReadOne(SteadyTime deadline) const {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock_.SteadyNow());
  if (left.count() <= 0) return nullptr;  // nobody waits any more
  try {
    return std::make_shared<const Scrape>(read_(left));
  } catch (const std::exception& error) {
    log::Error("metrics were not made", {{"error", error.what()}});
    return nullptr;
  }
}

}  // namespace ferry::exporter
