// The one place where configured stores become ObjectStores: libcurl, credentials, decorators.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/config/environment.h"
#include "batch/copy/lane_pool.h"
#include "batch/store/credentials_source.h"
#include "batch/store/retrying_store.h"

namespace ferry {

// How long to try before giving up: lanes hand a failure back soon, a listing is worth waiting.
enum class Patience { kShort, kOutage };

class Stores final : public EndsFactory {
 public:
  // All outlive this object.
  Stores(const Config& config, const Environment& environment, Clock& clock);
  ~Stores() override;

  std::unique_ptr<TaskEnds> Make(EventLoop& loop, const std::string& task) override;
  std::unique_ptr<TaskEnds> MakeWith(EventLoop& loop, const std::string& task, Patience patience);
  RequestCounters& Counters(const std::string& task) override;

 private:
  struct Shared;  // of one store, over all loops
  Shared& SharedOf(const StoreConfig& store);

  class Made;
  const Config& config_;
  Clock& clock_;
  std::map<std::string, std::unique_ptr<Shared>> shared_;
  std::map<std::string, RequestCounters> counters_;
};

}  // namespace ferry
