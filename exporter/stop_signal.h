// SIGTERM and SIGINT as something to wait for.
#pragma once

namespace ferry::exporter {

// Takes over both signals for the life of the process; at most one object. A handler, and no
// blocked signals: children inherit what is blocked, and would then not stop either.
class StopSignal {
 public:
  StopSignal();

  // Returns once either has arrived, also before this call.
  void Wait() const;
};

}  // namespace ferry::exporter
