// The one place where configured stores become ObjectStores: libcurl, credentials, decorators.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "batch/app/task_hours.h"
#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/config/environment.h"
#include "batch/copy/lane_pool.h"
#include "batch/credentials/explained_credentials.h"
#include "batch/pg/session.h"
#include "batch/queue/process_totals.h"
#include "batch/store/congestion_control.h"
#include "batch/store/limiter.h"
#include "batch/store/retrying_store.h"
#include "batch/store/spare_connections.h"

namespace ferry {

// How long to try before giving up: lanes hand a failure back soon, a listing is worth waiting.
enum class Patience { kShort, kOutage };

// What a side of a task said of the credentials since it was last asked.
struct StoreCredentials {
  std::string task;
  std::string side;
  CredentialsWord word = CredentialsWord::kNone;
  std::optional<std::int64_t> expires_at_ms;  // of those in use
};

class Stores final : public EndsFactory {
 public:
  // One bucket on one loop.
  class Reader {
   public:
    virtual ~Reader() = default;
    virtual ObjectStore& store() = 0;
  };

  // All outlive this object. Throws Error{kConfig} for what this host cannot do.
  Stores(const Config& config, const Environment& environment, Clock& clock);
  ~Stores() override;

  std::unique_ptr<TaskEnds> Make(EventLoop& loop, const std::string& task) override;
  std::unique_ptr<TaskEnds> MakeWith(EventLoop& loop, const std::string& task, Patience patience);
  // The bucket of the report that a task is planned by. REQUIRES: it has one.
  std::unique_ptr<Reader> MakeReader(EventLoop& loop, const TaskConfig& task);
  RequestCounters& Counters(const std::string& task) override;
  int InFlightMax(const std::string& task) override;
  bool HaveAnswered(const std::string& task) override;

  // With each heartbeat: tells other workers which stores throttled this one, and heeds what they
  // told. On the thread that renews the lease.
  void ShareThrottles(pg::Session& session);

  // When its tasks may copy, and how fast: the bodies that stores of sources hand over keep to it.
  TaskHours& hours() { return hours_; }

  // Of a configured store, for all loops.
  ExplainedCredentials& CredentialsOf(const StoreConfig& store);

  // What all tasks' requests came to since the process started. Thread-safe.
  ProcessSums Sums();
  // Of the sides that sign their requests. Thread-safe.
  std::vector<StoreCredentials> TakeCredentials();

 private:
  struct Shared;  // of one store, over all loops
  Shared& SharedOf(const StoreConfig& store);

  Limiter& LimiterOf(const BucketPrefix& place, std::string_view side);
  ServerSideCopies* ServerSideOf(const TaskConfig& task);  // null: bytes are always moved
  LimitedPlace DestinationOf(const TaskConfig& task) const;
  struct Learnt;
  Learnt& LearntOf(const TaskConfig& task);

  class Made;
  class MadeReader;
  RetryOptions RetryOf(Patience patience) const;
  const Config& config_;
  Clock& clock_;
  CongestionControl congestion_control_;
  SpareConnections spares_;
  TaskHours hours_;
  std::map<std::string, std::unique_ptr<Shared>> shared_;
  std::map<std::string, RequestCounters> counters_;
  std::map<std::string, std::unique_ptr<ServerSideCopies>> server_side_;
  // Of all configured tasks; the maps stay as they are.
  std::map<LimitedPlace, std::unique_ptr<Learnt>> learnt_;
  std::map<LimitedPlace, std::unique_ptr<Limiter>> limiters_;
  std::map<LimitedPlace, std::int64_t> decreases_told_;  // on the heartbeat's thread
};

}  // namespace ferry
