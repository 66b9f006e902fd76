// ProcessReport: what this process says of itself in rows, while it lives and when it ends:
// requests, retries, and what the stores say to the credentials.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "batch/app/stores.h"
#include "batch/base/clock.h"
#include "batch/base/mutex.h"
#include "batch/pg/session.h"
#include "batch/queue/credential_table.h"
#include "batch/queue/process_totals.h"

namespace ferry {

class ProcessReport {
 public:
  // Both outlive this object.
  ProcessReport(Stores& stores, Clock& clock) : stores_(stores), totals_(clock) {}

  // With each heartbeat, on its thread; a process that does nothing writes nothing. Throws Error:
  // what was not written is written the next time.
  void Write(pg::Session& session);

  // At the end, on any thread: heartbeats write nothing any more. Throws Error; is repeated then.
  void End(pg::Session& session);

 private:
  struct Said {
    CredentialsWord word = CredentialsWord::kNone;
    std::optional<std::int64_t> expires_at_ms;
    friend bool operator==(const Said&, const Said&) = default;
  };
  struct OfSide {
    Said known;
    Said told;              // and written
    bool repeated = false;  // the store said it again since
  };

  void WriteCredentials(pg::Session& session) FERRY_REQUIRES(mutex_);

  Stores& stores_;
  Mutex mutex_;  // held while it is written: the last words come after all others
  ProcessTotals totals_ FERRY_GUARDED_BY(mutex_);
  std::optional<ProcessSums> last_ FERRY_GUARDED_BY(mutex_);  // ended, with these
  std::map<std::pair<std::string, std::string>, OfSide> sides_ FERRY_GUARDED_BY(mutex_);
};

}  // namespace ferry
