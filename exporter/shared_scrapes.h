// SharedScrapes: one read of the database for all scrapes that came before it began.
//
//   scrape 1   |===== read 1 =====|
//   scrape 2        |             |===== read 2 =====|
//   scrape 3             |        |===== read 2 =====|
//
// A scrape that comes while a read is under way waits for the next one: the numbers that it gets
// were read after it asked, never before. So any number of scrapes at once costs two reads, one
// after the other, and a scrape waits for two reads at most.
//
// A read that takes longer than kPatience holds nobody up: the next one then begins beside it. More
// than kReadsMax are never under way.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>

#include "batch/base/clock.h"
#include "batch/base/mutex.h"
#include "exporter/http.h"

namespace ferry::exporter {

// What one read gave: the page, and whether it shows that all tasks have come to an end.
struct Scrape {
  std::shared_ptr<const Body> page;
  bool is_final = false;
  bool is_cut = false;  // by a stop: what it does not show says nothing of the database
};

class SharedScrapes {
 public:
  static constexpr int kReadsMax = 2;
  static constexpr std::chrono::milliseconds kPatience{1'000};

  // `read` gets the time that it has; it may be called from two threads at once. A stop ends all
  // waiting. `clock` must outlive this object.
  using Read = std::function<Scrape(std::chrono::milliseconds budget)>;
  SharedScrapes(const Clock& clock, Read read, const std::stop_token& stop);
  // Returns once no read is under way.
  ~SharedScrapes();
  SharedScrapes(const SharedScrapes&) = delete;
  SharedScrapes& operator=(const SharedScrapes&) = delete;

  // From any thread. nullptr: no read came to an end in time, or a stop was requested.
  std::shared_ptr<const Scrape> Get(std::chrono::milliseconds budget);

  // How many wait for a read that has not begun.
  int Waiting();

 private:
  struct Round {
    SteadyTime deadline{};  // the latest of those who wait
    int scrapes = 0;
    bool is_over = false;
    std::shared_ptr<const Scrape> scrape;
  };

  void Serve();
  bool MayBegin() const FERRY_REQUIRES(mutex_);
  std::shared_ptr<Round> AwaitRound();
  std::shared_ptr<const Scrape> ReadOne(SteadyTime deadline) const;
  void Stop();

  const Clock& clock_;
  const Read read_;

  Mutex mutex_;
  Condition changed_;
  bool is_stopped_ FERRY_GUARDED_BY(mutex_) = false;
  std::shared_ptr<Round> next_ FERRY_GUARDED_BY(mutex_);  // nullptr: nobody waits for another read
  int under_way_ FERRY_GUARDED_BY(mutex_) = 0;
  SteadyTime began_at_ FERRY_GUARDED_BY(mutex_){};  // the last read that began

  std::array<std::thread, kReadsMax> readers_;
  const std::stop_callback<std::function<void()>> at_stop_;
};

}  // namespace ferry::exporter
