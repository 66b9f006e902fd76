#include "batch/app/stores.h"

#include <algorithm>

#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/base/mutex.h"
#include "batch/copy/body_proof.h"
#include "batch/copy/server_side_copy.h"
#include "batch/copy/tag_losses.h"
#include "batch/credentials/make_credentials.h"
#include "batch/queue/throttle.h"
#include "batch/store/curl_http.h"
#include "batch/store/limited_store.h"
#include "batch/store/measured_store.h"
#include "batch/store/paced_store.h"
#include "batch/store/s3_store.h"

namespace ferry {
namespace {

// An endpoint that never answered: a wrong address is told soon.
constexpr std::chrono::milliseconds kPatienceAtFirst{15000};

constexpr std::string_view kSource = "source";
constexpr std::string_view kDestination = "destination";

// Beside what a worker has in flight: a listing (KeyRangesOptions::requests_max).
constexpr int kListingRequests = 64;

int RequestsMax(const Config& config) {
  return WorkerOptionsOf(config.transfer).concurrency_max + kListingRequests;
}

LimitedPlace PlaceOf(const StoreConfig& store, const std::string& bucket, std::string_view side) {
  LimitedPlace place;
  place.endpoint = store.endpoint.Url();
  place.bucket = bucket;
  place.side = side;
  return place;
}

// Of all loops.
struct Transport {
  CongestionControl& congestion_control;
  SpareConnections& spares;
};

// One store on one loop, decorated: waiting to retry holds no slot, every attempt is measured.
struct Decorated {
  Decorated(EventLoop& loop, const StoreConfig& config, S3Options options,
            const Transport& transport, CredentialsSource& credentials, EndpointMemory& memory,
            Clock& clock, const RetryOptions& retry, Limiter& limiter, TokenBucket* pace, Side side,
            RequestCounters& counters)
      : http(loop, CurlOptions{.ca_file = config.ca_file.string(),
                               .proxy = config.proxy ? config.proxy->Url() : std::string(),
                               .congestion_control = &transport.congestion_control,
                               .spares = &transport.spares}),
        s3(std::move(options), http, credentials, clock),
        measured(s3, clock, side == Side::kSource ? counters.source : counters.destination,
                 side == Side::kSource ? counters.source_stats : counters.destination_stats),
        limited(measured, loop, limiter),
        retrying(Paced(loop, pace), loop, memory, retry, reinterpret_cast<std::uintptr_t>(this),
                 [&counters](const Error& error) { counters.Retry(error); }) {}

  ObjectStore& Paced(EventLoop& loop, TokenBucket* pace) {
    if (pace == nullptr) return limited;
    return paced.emplace(limited, loop, *pace);
  }

  CurlHttp http;
  S3Store s3;
  MeasuredStore measured;
  LimitedStore limited;
  std::optional<PacedStore> paced;  // where there is a bandwidth to keep to
  RetryingStore retrying;
};

// What was asked for by name is an order. `auto` is content with less.
void CheckCongestionControl(const Config& config) {
  const std::string& wanted = config.transfer.congestion_control;
  if (wanted == "auto" || wanted == "system") return;
  const auto why = WhyNoCongestionControl(wanted);
  if (!why) return;
  throw Error(ErrorKind::kConfig, config.file.string() + ": transfer.congestion_control: " + *why);
}

// Whether the destination's store can be asked for what it has at the source: both are one
// endpoint, and the credentials that would ask are some.
bool MayCopyItself(const Config& config, const TaskConfig& task) {
  const StoreConfig& source = config.Store(task.source.store);
  const StoreConfig& destination = config.Store(task.destination.store);
  return config.transfer.server_side_copy == ServerSideCopyMode::kAuto &&
         source.endpoint.Url() == destination.endpoint.Url() &&
         destination.credentials.kind != CredentialsConfig::Kind::kAnonymous;
}

void AddSums(const std::string& task, std::string_view side, const RequestStats& stats,
             ProcessSums& sums) {
  for (std::size_t i = 0; i < kOperations.size(); ++i) {
    const RequestStats::Figures figures = stats.Read(static_cast<Operation>(i));
    if (figures.requests == 0) continue;
    RequestSum& sum = sums.requests[{task, std::string(side), std::string(kOperations[i])}];
    sum.requests = figures.requests;
    sum.errors = figures.errors;
    sum.microseconds = figures.microseconds;
    sum.buckets.assign(figures.buckets.begin(), figures.buckets.end());
  }
}

}  // namespace

struct Stores::Shared {
  Shared(const StoreConfig& config, const Environment& environment, Clock& clock)
      : credentials(MakeCredentials("store " + config.name, config.credentials, config.region,
                                    environment, clock)) {}
  const std::unique_ptr<ExplainedCredentials> credentials;
  EndpointMemory memory;
};

// Of a destination, by all that write there.
struct Stores::Learnt {
  explicit Learnt(const std::string& destination)
      : checksums(destination), tag_losses(destination) {}
  ChecksumAnswers checksums;
  TagLosses tag_losses;
};

class Stores::Made final : public TaskEnds {
 public:
  Made(EventLoop& loop, Stores& stores, const TaskConfig& task, const RetryOptions& retry,
       RequestCounters& counters)
      : loop_(loop),
        source_shared_(stores.SharedOf(stores.config_.Store(task.source.store))),
        destination_shared_(stores.SharedOf(stores.config_.Store(task.destination.store))),
        server_side_(stores.ServerSideOf(task)),
        learnt_(stores.LearntOf(task)),
        versions_(VersionPolicyOf(task)),
        source_config_(stores.config_.Store(task.source.store)),
        destination_config_(stores.config_.Store(task.destination.store)),
        rules_(WriteRulesOf(task)),
        restore_(RestoreRulesOf(task)),
        source_(loop, source_config_, SourceOptionsOf(task, source_config_),
                {stores.congestion_control_, stores.spares_}, *source_shared_.credentials,
                source_shared_.memory, stores.clock_, retry, stores.LimiterOf(task.source, kSource),
                stores.hours_.BucketOf(task.name), Side::kSource, counters),
        destination_(loop, destination_config_, DestinationOptionsOf(task, destination_config_),
                     {stores.congestion_control_, stores.spares_}, *destination_shared_.credentials,
                     destination_shared_.memory, stores.clock_, retry,
                     stores.LimiterOf(task.destination, kDestination), /*pace=*/nullptr,
                     Side::kDestination, counters) {
    source_shared_.credentials->Prepare();
    destination_shared_.credentials->Prepare();
  }

  Ends ends() override {
    return Ends{loop_,
                source_.retrying,
                destination_.retrying,
                source_config_.provider,
                destination_config_.provider,
                versions_,
                server_side_,
                &learnt_.checksums,
                &learnt_.tag_losses,
                &rules_,
                restore_ ? &*restore_ : nullptr};
  }

  bool MayRetry(Side side) override {
    Shared& shared = side == Side::kSource ? source_shared_ : destination_shared_;
    return shared.memory.budget.Take(loop_.clock().SteadyNow());
  }

 private:
  EventLoop& loop_;
  Shared& source_shared_;
  Shared& destination_shared_;
  ServerSideCopies* const server_side_;
  Learnt& learnt_;
  const VersionPolicy versions_;
  const StoreConfig& source_config_;
  const StoreConfig& destination_config_;
  const WriteRules rules_;
  const std::optional<RestoreRules> restore_;
  Decorated source_;
  Decorated destination_;
};

Stores::Stores(const Config& config, const Environment& environment, Clock& clock)
    : config_(config),
      clock_(clock),
      congestion_control_(CongestionControlOf(config.transfer)),
      spares_(clock),
      hours_(config, clock) {
  CheckCongestionControl(config);
  const int requests_max = RequestsMax(config_);
  for (const StoreConfig& store : config_.stores) {
    shared_.emplace(store.name, std::make_unique<Shared>(store, environment, clock));
  }
  for (const TaskConfig& task : config_.tasks) {
    counters_.try_emplace(task.name);
    if (MayCopyItself(config_, task)) {
      server_side_.emplace(task.name,
                           std::make_unique<ServerSideCopies>(task.name, task.source.bucket));
    }
    std::unique_ptr<Learnt>& learnt = learnt_[DestinationOf(task)];
    if (!learnt) {
      learnt = std::make_unique<Learnt>(task.destination.store + ":" + task.destination.bucket);
    }
    for (const auto& [end, side] :
         {std::pair(&task.source, kSource), std::pair(&task.destination, kDestination)}) {
      const LimitedPlace place = PlaceOf(config_.Store(end->store), end->bucket, side);
      std::unique_ptr<Limiter>& limiter = limiters_[place];
      if (!limiter) limiter = std::make_unique<Limiter>(place, requests_max);
    }
  }
}

Stores::~Stores() = default;

ExplainedCredentials& Stores::CredentialsOf(const StoreConfig& store) {
  return *SharedOf(store).credentials;
}

Stores::Shared& Stores::SharedOf(const StoreConfig& store) { return *shared_.at(store.name); }

ServerSideCopies* Stores::ServerSideOf(const TaskConfig& task) {
  const auto found = server_side_.find(task.name);
  return found == server_side_.end() ? nullptr : found->second.get();
}

LimitedPlace Stores::DestinationOf(const TaskConfig& task) const {
  return PlaceOf(config_.Store(task.destination.store), task.destination.bucket, kDestination);
}

Stores::Learnt& Stores::LearntOf(const TaskConfig& task) {
  return *learnt_.at(DestinationOf(task));
}

Limiter& Stores::LimiterOf(const BucketPrefix& place, std::string_view side) {
  return *limiters_.at(PlaceOf(config_.Store(place.store), place.bucket, side));
}

std::unique_ptr<TaskEnds> Stores::Make(EventLoop& loop, const std::string& task) {
  return MakeWith(loop, task, Patience::kShort);
}

std::unique_ptr<TaskEnds> Stores::MakeWith(EventLoop& loop, const std::string& task,
                                           Patience patience) {
  const TaskConfig* config = config_.FindTask(task);
  if (config == nullptr) {
    throw Error(ErrorKind::kConfig, "the configuration has no task " + task);
  }
  RetryOptions retry;
  if (patience == Patience::kOutage) {
    retry.attempts_max = 1;  // time decides, not a count: a connection may take long to fail
    retry.patience = config_.transfer.outage_patience;
    retry.patience_at_first = std::min(kPatienceAtFirst, retry.patience);
  }
  return std::make_unique<Made>(loop, *this, *config, retry, counters_.at(task));
}

RequestCounters& Stores::Counters(const std::string& task) { return counters_.at(task); }

int Stores::InFlightMax(const std::string& task) {
  const TaskConfig& config = *config_.FindTask(task);
  const SteadyTime now = clock_.SteadyNow();
  const int requests =
      std::min(LimiterOf(config.source, kSource).level(now).requests_max,
               LimiterOf(config.destination, kDestination).level(now).requests_max);
  // An object is at one side at a time, mostly. With no more objects than requests the limit would
  // never be reached, and what is never reached never grows again.
  return 2 * requests;
}

bool Stores::HaveAnswered(const std::string& task) {
  const TaskConfig& config = *config_.FindTask(task);
  return SharedOf(config_.Store(config.source.store)).memory.answered &&
         SharedOf(config_.Store(config.destination.store)).memory.answered;
}

ProcessSums Stores::Sums() {
  ProcessSums sums;
  for (const auto& [task, counters] : counters_) {
    AddSums(task, kSource, counters.source_stats, sums);
    AddSums(task, kDestination, counters.destination_stats, sums);
    for (std::size_t i = 0; i < kRetryReasons.size(); ++i) {
      const std::int64_t count = counters.retry_stats.Read(static_cast<RetryReason>(i));
      if (count > 0) sums.retries.emplace(RetryKey{task, std::string(kRetryReasons[i])}, count);
    }
  }
  return sums;
}

std::vector<StoreCredentials> Stores::TakeCredentials() {
  std::vector<StoreCredentials> all;
  const auto add = [&](const std::string& task, std::string_view side, const BucketPrefix& place,
                       RequestStats& stats) {
    const StoreConfig& store = config_.Store(place.store);
    if (store.credentials.kind == CredentialsConfig::Kind::kAnonymous) return;
    all.push_back({task, std::string(side), stats.TakeWord(),
                   SharedOf(store).credentials->Explain().expires_at_ms});
  };
  for (auto& [task, counters] : counters_) {
    const TaskConfig& config = *config_.FindTask(task);
    add(task, kSource, config.source, counters.source_stats);
    add(task, kDestination, config.destination, counters.destination_stats);
  }
  return all;
}

void Stores::ShareThrottles(pg::Session& session) {
  const SteadyTime now = clock_.SteadyNow();
  std::map<LimitedPlace, std::int64_t> told = decreases_told_;
  std::vector<ThrottleReport> reports;
  for (const auto& [place, limiter] : limiters_) {
    const Limiter::Level level = limiter->level(now);
    if (std::exchange(told[place], level.decreases) == level.decreases) continue;
    reports.push_back({place.endpoint, place.bucket, place.side, level.requests_max, level.pause});
  }
  const std::vector<ThrottleShare> shares = ExchangeThrottles(session, reports);
  decreases_told_ = std::move(told);
  for (const ThrottleShare& share : shares) {
    const auto known = limiters_.find(LimitedPlace{share.endpoint, share.bucket, share.side});
    if (known == limiters_.end()) continue;
    known->second->Heed(share.requests_max, share.pause, clock_.SteadyNow());
  }
}

}  // namespace ferry
