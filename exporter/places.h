// Places: so many at a time, and a short wait for one.
#pragma once

#include <chrono>

#include "batch/base/clock.h"
#include "batch/base/mutex.h"

namespace ferry::exporter {

class Places {
 public:
  explicit Places(int count) : free_(count) {}

 private:
  friend class Place;
  bool Take(std::chrono::milliseconds patience);
  void GiveBack();

  Mutex mutex_;
  Condition freed_;
  int free_ FERRY_GUARDED_BY(mutex_);
};

// One of them, for as long as this object lives; if it was to be had in time.
class Place {
 public:
  Place(Places& places, std::chrono::milliseconds patience)
      : places_(places), taken_(places.Take(patience)) {}
  ~Place() {
    if (taken_) places_.GiveBack();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  bool taken() const { return taken_; }

 private:
  Places& places_;
  const bool taken_;
};

}  // namespace ferry::exporter
