// SIGTERM and SIGINT as something to wait for.
#pragma once

#include <chrono>
#include <optional>

namespace ferry::exporter {

// Takes over both signals for the life of the process; at most one object. A handler, and no
// blocked signals: children inherit what is blocked, and would then not stop either.
class StopSignal {
 public:
  struct Arrived {
    int terminations = 0;  // SIGTERM
    int interrupts = 0;    // SIGINT
  };

  StopSignal();

  // What arrived since the last call, also before it. Waits until something does, Wake() is called
  // or `patience` is over; nullopt: for ever.
  Arrived Wait(std::optional<std::chrono::milliseconds> patience) const;

  // From any thread.
  static void Wake();
};

}  // namespace ferry::exporter
