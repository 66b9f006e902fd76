#include "batch/app/task_parts.h"

#include <sys/resource.h>

#include <algorithm>
#include <thread>

#include "batch/base/digest.h"
#include "batch/config/pattern_file.h"
#include "batch/store/congestion_control.h"

namespace ferry {
namespace {

// In flight with `concurrency: auto`: where objects take no time, and where each takes half a
// second.
constexpr int kConcurrencyAuto = 48;
constexpr int kConcurrencyAutoMax = 512;
constexpr int kPartsNear = 24;
constexpr int kPartsMeasured = 20;  // far away, where BBR sends them
constexpr int kFilesBeside = 256;   // open for other things than copies
constexpr std::size_t kRingBytesMax = std::size_t{1} << 20;
constexpr std::size_t kRingBytesMin = std::size_t{256} << 10;

std::vector<std::string> ExcludesOf(const TaskConfig& task) {
  std::vector<std::string> exclude = task.exclude;
  if (!task.exclude_from.empty()) {
    for (std::string& pattern : ReadPatternFile(task.exclude_from)) {
      exclude.push_back(std::move(pattern));
    }
  }
  return exclude;
}

Headers HeadersOfRequests(const BucketPrefix& place) {
  Headers headers;
  if (place.requester_pays) headers.push_back({"x-amz-request-payer", "requester"});
  if (!place.expected_owner.empty()) {
    headers.push_back({"x-amz-expected-bucket-owner", place.expected_owner});
  }
  return headers;
}

ObjectBounds BoundsOf(const TaskConfig& task, WallTime now) {
  const auto now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  ObjectBounds bounds;
  bounds.size_bytes_min = task.min_size;
  if (task.max_size) bounds.size_bytes_max = *task.max_size;
  // An object that is younger than our clock says is no reason to leave it out.
  if (task.min_age.count() > 0) bounds.modified_ms_max = now_ms - task.min_age.count();
  if (task.max_age) bounds.modified_ms_min = now_ms - task.max_age->count();
  return bounds;
}

// Each copy has two connections.
int ConcurrencyAutoMax() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return kConcurrencyAuto;
  const auto copies = static_cast<std::int64_t>(std::min<rlim_t>(files.rlim_cur, 1 << 20)) / 2;
  return static_cast<int>(
      std::clamp<std::int64_t>(copies - kFilesBeside / 2, kConcurrencyAuto, kConcurrencyAutoMax));
}

std::string NameOf(const BucketPrefix& place) {
  return place.store + ":" + place.bucket + "/" + EscapeBytes(place.prefix);
}

}  // namespace

StoreLocation LocationOf(const StoreConfig& store) {
  StoreLocation location;
  location.provider = store.provider;
  location.region = store.region;
  if (!store.implied_endpoint) location.endpoint = store.endpoint.Url();
  location.addressing = store.addressing;
  return location;
}

S3Options SourceOptionsOf(const TaskConfig& task, const StoreConfig& store) {
  return {store.name, task.source.bucket, LocationOf(store), HeadersOfRequests(task.source), {}};
}

Provider DestinationProviderOf(const TaskConfig& task, const StoreConfig& store) {
  Provider provider = store.provider;
  const ChecksumRule& rule = task.write.checksum;
  if (rule.kind == ChecksumRule::Kind::kMd5) provider.checksum = std::nullopt;
  if (rule.kind == ChecksumRule::Kind::kNamed) provider.checksum = rule.digest;
  return provider;
}

bool DemandsChecksum(const TaskConfig& task, const StoreConfig& store) {
  const bool named = task.write.checksum.kind == ChecksumRule::Kind::kNamed;
  return (named || task.write.retention) && !store.provider.checksum_in_head;
}

S3Options DestinationOptionsOf(const TaskConfig& task, const StoreConfig& store) {
  S3Options options{store.name,
                    task.destination.bucket,
                    LocationOf(store),
                    HeadersOfRequests(task.destination),
                    {}};
  const WriteConfig& write = task.write;
  options.location.provider = DestinationProviderOf(task, store);
  options.demands_checksum = DemandsChecksum(task, store);
  if (write.retention) {
    options.lock = ObjectLock{write.retention->mode, std::chrono::days(write.retention->days)};
  }
  if (!task.source.expected_owner.empty()) {
    options.of_copies.push_back({"x-amz-source-expected-bucket-owner", task.source.expected_owner});
  }
  Headers& headers = options.of_new_objects;
  if (write.storage_class.kind == StorageClassRule::Kind::kFixed) {
    headers.push_back({"x-amz-storage-class", write.storage_class.name});
  }
  // API_PutObject.
  if (write.encryption.kind == EncryptionRule::Kind::kS3) {
    headers.push_back({"x-amz-server-side-encryption", "AES256"});
  } else if (write.encryption.kind == EncryptionRule::Kind::kKms) {
    headers.push_back({"x-amz-server-side-encryption", "aws:kms"});
    if (!write.encryption.kms_key.empty()) {
      headers.push_back({"x-amz-server-side-encryption-aws-kms-key-id", write.encryption.kms_key});
    }
  }
  if (!write.acl.empty()) headers.push_back({"x-amz-acl", write.acl});
  return options;
}

std::optional<RestoreRules> RestoreRulesOf(const TaskConfig& task) {
  if (!task.restore) return std::nullopt;
  return RestoreRules{task.restore->tier, task.restore->days};
}

WriteRules WriteRulesOf(const TaskConfig& task, const StoreConfig& destination) {
  const WriteConfig& write = task.write;
  WriteRules rules;
  switch (write.tags.kind) {
    case TagsRule::Kind::kCopied: rules.tags = WriteRules::Tags::kCopied; break;
    case TagsRule::Kind::kNone: rules.tags = WriteRules::Tags::kNone; break;
    case TagsRule::Kind::kFixed: rules.tags = WriteRules::Tags::kFixed; break;
  }
  rules.fixed_tags = write.tags.tags;
  rules.headers = write.metadata;
  rules.keeps_storage_class = write.storage_class.kind == StorageClassRule::Kind::kKept;
  rules.storage_classes = write.storage_class.classes;
  rules.demands_checksum = DemandsChecksum(task, destination);
  return rules;
}

TaskPlace PlaceOf(const TaskConfig& task) {
  TaskPlace place;
  place.name = task.name;
  place.source_store = task.source.store;
  place.source_bucket = task.source.bucket;
  place.source_prefix = task.source.prefix;
  place.destination_store = task.destination.store;
  place.destination_bucket = task.destination.bucket;
  place.destination_prefix = task.destination.prefix;
  place.refresh_targets = task.refresh;
  return place;
}

bool IsGenerationOf(const TaskConfig& task, const TaskPlace& place) {
  return task.name == place.name && task.source.store == place.source_store &&
         task.source.bucket == place.source_bucket && task.source.prefix == place.source_prefix &&
         task.destination.store == place.destination_store &&
         task.destination.bucket == place.destination_bucket &&
         task.destination.prefix == place.destination_prefix;
}

AdoptPolicy AdoptPolicyOf(const TaskConfig& task) {
  switch (task.adopt) {
    case AdoptMode::kTrust: return AdoptPolicy::kTrust;
    case AdoptMode::kVerify: return AdoptPolicy::kVerify;
    case AdoptMode::kCopy: return AdoptPolicy::kCopy;
  }
  return AdoptPolicy::kVerify;
}

VersionPolicy VersionPolicyOf(const TaskConfig& task) {
  switch (task.versions) {
    case VersionMode::kLatest: return VersionPolicy::kLatest;
    case VersionMode::kPinned: return VersionPolicy::kPinned;
    case VersionMode::kCompared: return VersionPolicy::kCompared;
  }
  return VersionPolicy::kLatest;
}

ObjectFilter FilterOf(const TaskConfig& task, WallTime now) {
  return ObjectFilter(KeyFilter(task.include, ExcludesOf(task)), BoundsOf(task, now));
}

TaskSelection SelectionOf(const Config& config, const TaskConfig& task, WallTime now) {
  const std::vector<std::string> exclude = ExcludesOf(task);
  Md5 digest;
  // With its length before it, no text can be taken for two.
  const auto add = [&digest](std::string_view text) {
    digest.Update(std::to_string(text.size()) + ":");
    digest.Update(text);
  };
  add(PlaceOf(config.Store(task.source.store).endpoint));
  add(PlaceOf(config.Store(task.destination.store).endpoint));
  add(std::to_string(task.include.size()));
  for (const std::string& pattern : task.include) add(pattern);
  for (const std::string& pattern : exclude) add(pattern);
  return {ObjectFilter(KeyFilter(task.include, exclude), BoundsOf(task, now)),
          ToHex(digest.Finish())};
}

DeletePolicy DeletePolicyOf(const TaskConfig& task) {
  switch (task.delete_mode) {
    case DeleteMode::kNever: return DeletePolicy::kNever;
    case DeleteMode::kExtra: return DeletePolicy::kExtra;
    case DeleteMode::kExtraAll: return DeletePolicy::kExtraAll;
  }
  return DeletePolicy::kNever;
}

DeleteRules DeleteRulesOf(const TaskConfig& task, const TaskSelection& selection,
                          const std::optional<std::string>& before) {
  DeleteRules rules;
  rules.policy = DeletePolicyOf(task);
  rules.limit = {task.max_delete.percent, task.max_delete.amount};
  if (before) {
    rules.selection = *before == selection.digest ? Selection::kSame : Selection::kChanged;
  }
  return rules;
}

PlanCaps PlanCapsOf(const TaskConfig& task, std::int64_t being_restored) {
  constexpr std::int64_t kNone = 0;
  PlanCaps caps;
  if (task.max_objects) caps.objects_max = static_cast<std::int64_t>(*task.max_objects);
  if (task.max_bytes) caps.bytes_max = static_cast<std::int64_t>(*task.max_bytes);
  if (task.restore) {
    caps.restores_max =
        std::max(static_cast<std::int64_t>(task.restore->max_objects) - being_restored, kNone);
  }
  return caps;
}

std::map<std::string, DeletePolicy> DeletePoliciesOf(const Config& config) {
  std::map<std::string, DeletePolicy> policies;
  for (const TaskConfig& task : config.tasks) policies[task.name] = DeletePolicyOf(task);
  return policies;
}

WorkerOptions WorkerOptionsOf(const TransferConfig& transfer) {
  WorkerOptions options;
  options.concurrency =
      transfer.concurrency ? static_cast<int>(*transfer.concurrency) : kConcurrencyAuto;
  options.concurrency_max = transfer.concurrency ? options.concurrency : ConcurrencyAutoMax();
  options.memory_bytes = transfer.memory;
  // All transfers at once fit the budget, as long as a ring keeps a useful size.
  const std::uint64_t share = transfer.memory / static_cast<std::uint64_t>(options.concurrency);
  options.ring_bytes = std::clamp<std::size_t>(share - std::min<std::uint64_t>(share, kBesideRing),
                                               kRingBytesMin, kRingBytesMax);
  options.part_bytes = transfer.part_size;
  options.multipart_threshold = transfer.multipart_threshold;
  options.attempts_max = static_cast<int>(transfer.max_attempts);
  const std::string algorithm = CongestionControlOf(transfer);
  const bool measures =
      algorithm == kPreferredCongestionControl && !WhyNoCongestionControl(algorithm);
  if (!transfer.concurrency) options.parts_max = kPartsNear;
  if (!transfer.concurrency && measures) options.parts_max_far = kPartsMeasured;
  options.outage_patience = transfer.outage_patience;
  return options;
}

std::string CongestionControlOf(const TransferConfig& transfer) {
  if (transfer.congestion_control == "system") return {};
  if (transfer.congestion_control != "auto") return transfer.congestion_control;
  return std::string(kPreferredCongestionControl);
}

int LaneCount() {
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 8U));
}

std::string SourceName(const TaskConfig& task) { return NameOf(task.source); }
std::string DestinationName(const TaskConfig& task) { return NameOf(task.destination); }

}  // namespace ferry
