#include "batch/app/stores.h"

#include <mutex>

#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/config/credentials.h"
#include "batch/store/curl_http.h"
#include "batch/store/limited_store.h"
#include "batch/store/measured_store.h"
#include "batch/store/s3_store.h"

namespace ferry {
namespace {

// An endpoint that never answered: a wrong address is told soon.
constexpr std::chrono::milliseconds kPatienceAtFirst{15000};
constexpr std::chrono::seconds kFileCheckEvery{5};

StoreLocation LocationOf(const StoreConfig& store) {
  StoreLocation location;
  location.provider = ToString(store.provider);
  location.region = store.region;
  location.endpoint = store.endpoint.Url();
  switch (store.addressing) {
    case Addressing::kAuto: location.addressing = AddressStyle::kAuto; break;
    case Addressing::kPath: location.addressing = AddressStyle::kPath; break;
    case Addressing::kVirtual: location.addressing = AddressStyle::kVirtual; break;
  }
  return location;
}

// What a worker has in flight at most is all that one bucket can get from one loop.
int RequestsMax(const Config& config) { return WorkerOptionsOf(config.transfer).concurrency; }

// Keys as configured; a file is read again when it changes and when the store refused what it said.
class ConfiguredCredentials final : public CredentialsSource {
 public:
  ConfiguredCredentials(const StoreConfig& store, const Environment& environment, Clock& clock)
      : store_(store), environment_(environment), clock_(clock) {}

  std::optional<Credentials> Get() override {
    const std::lock_guard lock(mutex_);
    if (!loaded_ || FileChanged()) Load();
    return keys_;
  }

  void Refused() override {
    const std::lock_guard lock(mutex_);
    loaded_ = false;
  }

 private:
  bool FileChanged() {
    if (store_.credentials.kind != CredentialsConfig::Kind::kFile) return false;
    const SteadyTime now = clock_.SteadyNow();
    if (now - checked_ < kFileCheckEvery) return false;
    checked_ = now;
    std::error_code problem;
    const auto written = std::filesystem::last_write_time(store_.credentials.file, problem);
    return !problem && written != written_;
  }

  void Load() {
    std::error_code problem;
    if (store_.credentials.kind == CredentialsConfig::Kind::kFile) {
      written_ = std::filesystem::last_write_time(store_.credentials.file, problem);
    }
    const std::optional<AccessKeys> found = ResolveCredentials(store_, environment_);
    keys_.reset();
    if (found) {
      keys_ = Credentials{found->access_key_id, found->secret_access_key.Reveal(),
                          found->session_token.Reveal()};
    }
    loaded_ = true;
  }

  const StoreConfig& store_;
  const Environment& environment_;
  Clock& clock_;
  std::mutex mutex_;
  bool loaded_ = false;
  std::optional<Credentials> keys_;
  SteadyTime checked_{};
  std::filesystem::file_time_type written_{};
};

// One store on one loop, decorated: waiting to retry holds no slot, every attempt is measured.
struct Decorated {
  Decorated(EventLoop& loop, const StoreConfig& config, const std::string& bucket,
            CredentialsSource& credentials, EndpointMemory& memory, Clock& clock,
            const RetryOptions& retry, int requests_max, std::atomic<std::int64_t>& requests,
            std::atomic<std::int64_t>& retries)
      : http(loop, CurlOptions{config.ca_file.string()}),
        s3(S3Options{config.name, bucket, LocationOf(config)}, http, credentials, clock),
        measured(s3, requests),
        limited(measured, loop, requests_max),
        retrying(limited, loop, memory, retry, reinterpret_cast<std::uintptr_t>(this),
                 [&retries](const Error&) { retries += 1; }) {}

  CurlHttp http;
  S3Store s3;
  MeasuredStore measured;
  LimitedStore limited;
  RetryingStore retrying;
};

}  // namespace

struct Stores::Shared {
  Shared(const StoreConfig& config, const Environment& environment, Clock& clock)
      : credentials(config, environment, clock) {}
  ConfiguredCredentials credentials;
  EndpointMemory memory;
};

class Stores::Made final : public TaskEnds {
 public:
  Made(EventLoop& loop, Stores& stores, const TaskConfig& task, const RetryOptions& retry,
       RequestCounters& counters)
      : loop_(loop),
        source_config_(stores.config_.Store(task.source.store)),
        destination_config_(stores.config_.Store(task.destination.store)),
        source_(loop, source_config_, task.source.bucket,
                stores.SharedOf(source_config_).credentials, stores.SharedOf(source_config_).memory,
                stores.clock_, retry, RequestsMax(stores.config_), counters.source,
                counters.retries),
        destination_(loop, destination_config_, task.destination.bucket,
                     stores.SharedOf(destination_config_).credentials,
                     stores.SharedOf(destination_config_).memory, stores.clock_, retry,
                     RequestsMax(stores.config_), counters.destination, counters.retries) {}

  Ends ends() override {
    return Ends{loop_, source_.retrying, destination_.retrying,
                FindProvider(ToString(source_config_.provider)),
                FindProvider(ToString(destination_config_.provider))};
  }

 private:
  EventLoop& loop_;
  const StoreConfig& source_config_;
  const StoreConfig& destination_config_;
  Decorated source_;
  Decorated destination_;
};

Stores::Stores(const Config& config, const Environment& environment, Clock& clock)
    : config_(config), clock_(clock) {
  for (const StoreConfig& store : config_.stores) {
    shared_.emplace(store.name, std::make_unique<Shared>(store, environment, clock));
  }
  for (const TaskConfig& task : config_.tasks) counters_.try_emplace(task.name);
}

Stores::~Stores() = default;

Stores::Shared& Stores::SharedOf(const StoreConfig& store) { return *shared_.at(store.name); }

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
    retry.patience_at_first = kPatienceAtFirst;
  }
  return std::make_unique<Made>(loop, *this, *config, retry, counters_.at(task));
}

RequestCounters& Stores::Counters(const std::string& task) { return counters_.at(task); }

}  // namespace ferry
