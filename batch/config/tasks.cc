// `tasks` and `transfer`.

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "batch/config/sections.h"
#include "batch/config/suggestion.h"

namespace ferry {
namespace {

using yaml::Map;
using yaml::Value;

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// As S3 spells them, and as the file does.
constexpr std::array<std::string_view, 3> kTierNames = {"Expedited", "Standard", "Bulk"};
constexpr std::array<std::string_view, 3> kTiers = {"expedited", "standard", "bulk"};
constexpr std::uint64_t kRestoreDaysMax = 365;
constexpr std::uint64_t kRestoresMax = 1'000'000;

constexpr std::size_t kTaskNameBytesMax = 40;
constexpr std::size_t kBucketBytesMin = 3;
constexpr std::size_t kBucketBytesMax = 255;  // of the oldest buckets; 63 today
constexpr std::uint64_t kSizeMax = 1024 * 1024 * kTiB;
constexpr std::size_t kOwnerBytesMax = 64;
constexpr std::size_t kPrefixBytesMax = 1024;
constexpr std::size_t kPatternsMax = 10'000;
constexpr milliseconds kDay = hours(24);

// In the order of the enum.
constexpr std::array<std::string_view, 3> kAdopt = {"trust", "verify", "copy"};
constexpr std::array<std::string_view, 3> kVersions = {"latest", "pinned", "compared"};
constexpr std::array<std::string_view, 2> kCompare = {"both", "none"};
constexpr std::array<std::string_view, 3> kDelete = {"never", "extra", "extra-all"};
constexpr std::array<std::string_view, 2> kVia = {"alertmanager", "run"};
constexpr std::array<std::string_view, 2> kServerSideCopy = {"auto", "off"};

template <typename Named>
std::vector<std::string_view> NamesOf(const std::vector<Named>& all) {
  std::vector<std::string_view> names;
  names.reserve(all.size());
  for (const Named& one : all) names.push_back(one.name);
  return names;
}

// The value's text, which must be one of `known`; `noun` says what these are.
std::string ReadName(const Value& value, const std::string& noun,
                     const std::vector<std::string_view>& known) {
  std::string name = value.Text();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    std::string all;
    for (const std::string_view one : known) all.append(all.empty() ? "" : ", ").append(one);
    value.Fail(value.Shown() + " is no " + noun +
               " of this file; known: " + (all.empty() ? "none" : all));
  }
  return name;
}

std::string ReadBucket(const Value& value) {
  std::string bucket = value.Word(kBucketBytesMax, ".-_");
  if (bucket.size() < kBucketBytesMin || bucket.front() == '.' || bucket.back() == '.' ||
      bucket.find("..") != std::string::npos) {
    value.Fail(value.Shown() + " cannot be the name of a bucket");
  }
  return bucket;
}

BucketPrefix ReadBucketPrefix(const Value& value, const Config& config) {
  const Map keys =
      value.Keys({"store", "bucket", "prefix", "requester_pays", "expected_bucket_owner"});
  BucketPrefix place;
  place.store = ReadName(keys.Need("store"), "store", NamesOf(config.stores));
  place.bucket = ReadBucket(keys.Need("bucket"));
  if (const auto prefix = keys.Find("prefix")) {
    place.prefix = prefix->AnyText();
    if (place.prefix.size() > kPrefixBytesMax) {
      prefix->Fail("is longer than " + std::to_string(kPrefixBytesMax) + " bytes");
    }
  }
  if (const auto pays = keys.Find("requester_pays")) place.requester_pays = pays->Bool();
  if (const auto owner = keys.Find("expected_bucket_owner")) {
    const Provider& provider = config.Store(place.store).provider;
    if (provider.name != "aws") {
      owner->Fail("provider " + std::string(provider.name) +
                  " does not heed it: any bucket would do (only aws looks whose it is)");
    }
    place.expected_owner = owner->Word(kOwnerBytesMax, "");
  }
  return place;
}

std::string BucketPlace(const BucketPrefix& side, const Config& config) {
  return PlaceOf(config.Store(side.store).endpoint) + " " + side.bucket;
}

void CheckApart(const TaskConfig& task, const Config& config, const Value& where) {
  if (BucketPlace(task.source, config) != BucketPlace(task.destination, config)) return;
  const std::string& from = task.source.prefix;
  const std::string& to = task.destination.prefix;
  if (from == to) where.Fail("source and destination are the same");
  if (from.starts_with(to) || to.starts_with(from)) {
    where.Fail(
        "source and destination are one bucket, and the prefix of one begins with the "
        "other's: a run would bring what the last one wrote");
  }
}

// What one task brings must not look to another like what nobody brought.
void CheckNobodyElseDeletes(const TaskConfig& task, const std::vector<TaskConfig>& earlier,
                            const Config& config, const Value& where) {
  for (const TaskConfig& other : earlier) {
    const bool deletes =
        task.delete_mode != DeleteMode::kNever || other.delete_mode != DeleteMode::kNever;
    if (!deletes || BucketPlace(task.destination, config) != BucketPlace(other.destination, config))
      continue;
    const std::string& one = task.destination.prefix;
    const std::string& two = other.destination.prefix;
    if (!one.starts_with(two) && !two.starts_with(one)) continue;
    const TaskConfig& deleting = task.delete_mode != DeleteMode::kNever ? task : other;
    where.Fail("overlaps the destination of task " + other.name + ", and task " + deleting.name +
               " deletes there (delete: " + std::string(ToString(deleting.delete_mode)) +
               "): give each a prefix of its own, or delete: never");
  }
}

MaxDelete ReadMaxDelete(const Value& value) {
  constexpr std::uint64_t kCountMax = 1'000'000'000'000;
  const std::string text = value.Text();
  MaxDelete limit;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, limit.amount);
  limit.percent = stopped != end && *stopped == '%';
  const bool whole = stopped + (limit.percent ? 1 : 0) == end;
  if (error != std::errc{} || !whole || limit.amount > (limit.percent ? 100 : kCountMax)) {
    value.Fail(value.Shown() + " is neither a count (100) nor a percentage (0% to 100%)");
  }
  return limit;
}

std::vector<std::string> ReadNames(const Value& list, const std::string& noun,
                                   const std::vector<std::string_view>& known) {
  std::vector<std::string> names;
  for (const Value& value : list.List(yaml::kEntriesMax)) {
    std::string name = ReadName(value, noun, known);
    if (std::find(names.begin(), names.end(), name) != names.end()) value.Fail("is named twice");
    names.push_back(std::move(name));
  }
  return names;
}

// Targets, and who calls them: a list of names, or {targets: [...], via: run}.
std::pair<std::vector<std::string>, SignalVia> ReadTargets(
    const Map& keys, std::string_view key, const std::string& noun,
    const std::vector<std::string_view>& known) {
  const auto value = keys.Find(key);
  if (!value) return {{}, SignalVia::kAlertmanager};
  if (!value->IsMap()) return {ReadNames(*value, noun, known), SignalVia::kAlertmanager};
  const Map both = value->Keys({"targets", "via"});
  const auto via = both.Find("via");
  return {ReadNames(both.Need("targets"), noun, known),
          via ? static_cast<SignalVia>(via->Choice(kVia)) : SignalVia::kAlertmanager};
}

void ReadSignals(const Map& keys, const Config& config, TaskConfig& task) {
  std::tie(task.refresh, task.refresh_via) =
      ReadTargets(keys, "refresh", "refresh target", NamesOf(config.refresh_targets));
  std::tie(task.notify, task.notify_via) =
      ReadTargets(keys, "notify", "notify target", NamesOf(config.notify_targets));
  if (const auto every = keys.Find("refresh_every")) {
    if (task.refresh.empty()) every->Fail("needs `refresh`: which targets");
    task.refresh_every = every->Duration({minutes(1), 30 * kDay});
  }
  if (const auto always = keys.Find("notify_always")) task.notify_always = always->Bool();
}

void ReadBounds(const Map& keys, TaskConfig& task) {
  constexpr milliseconds kAgeMax = 36'500 * kDay;
  if (const auto least = keys.Find("min_size")) task.min_size = least->Size({0, kSizeMax});
  if (const auto most = keys.Find("max_size")) {
    task.max_size = most->Size({0, kSizeMax});
    if (*task.max_size < task.min_size)
      most->Fail("is less than min_size: nothing would be brought");
  }
  if (const auto least = keys.Find("min_age")) {
    task.min_age = least->Duration({milliseconds(0), kAgeMax});
  }
  if (const auto most = keys.Find("max_age")) {
    task.max_age = most->Duration({milliseconds(1), kAgeMax});
    if (*task.max_age <= task.min_age) {
      most->Fail("is not more than min_age: nothing would be brought");
    }
  }
}

// API_RestoreObject.
RestoreConfig ReadRestore(const Value& value, const Provider& provider) {
  if (provider.restore_parameters.empty()) {
    value.Fail("provider " + std::string(provider.name) + " of the source restores nothing by S3");
  }
  const Map keys = value.Keys({"tier", "days", "max_objects"});
  RestoreConfig restore;
  if (const auto tier = keys.Find("tier")) restore.tier = kTierNames.at(tier->Choice(kTiers));
  if (const auto days = keys.Find("days")) {
    restore.days = static_cast<std::uint32_t>(days->Integer({1, kRestoreDaysMax}));
  }
  if (const auto most = keys.Find("max_objects")) {
    restore.max_objects = most->Integer({1, kRestoresMax});
  }
  return restore;
}

ListConfig ReadInventory(const Value& value, const Config& config, const TaskConfig& task) {
  const Map keys = value.Keys({"store", "bucket", "manifest"});
  ListConfig list;
  list.kind = ListConfig::Kind::kInventory;
  list.store = task.source.store;
  if (const auto store = keys.Find("store"))
    list.store = ReadName(*store, "store", NamesOf(config.stores));
  list.bucket = ReadBucket(keys.Need("bucket"));
  const Value manifest = keys.Need("manifest");
  list.manifest = manifest.Text();
  const bool good = list.manifest.ends_with("/") || list.manifest.ends_with(".json");
  if (!good || list.manifest.size() > kPrefixBytesMax) {
    manifest.Fail(manifest.Shown() +
                  " is neither the key of a manifest.json nor a folder, which ends in /");
  }
  return list;
}

ListConfig ReadList(const Value& value, const Config& config, const TaskConfig& task) {
  const Map keys = value.Keys({"keys", "prefixes", "inventory"});
  const auto key_file = keys.Find("keys");
  const auto prefix_file = keys.Find("prefixes");
  const auto inventory = keys.Find("inventory");
  if (key_file.has_value() + prefix_file.has_value() + inventory.has_value() != 1) {
    value.Fail("is one of {keys: FILE}, {prefixes: FILE} and {inventory: {...}}");
  }
  if (inventory) return ReadInventory(*inventory, config, task);
  ListConfig list;
  list.kind = key_file ? ListConfig::Kind::kKeys : ListConfig::Kind::kPrefixes;
  list.file = (key_file ? *key_file : *prefix_file).Path();
  return list;
}

TaskConfig ReadTask(const Value& value, const Config& config) {
  const Map keys = value.Keys(
      {"name",          "source",   "destination", "include",     "exclude",       "exclude_from",
       "min_size",      "max_size", "min_age",     "max_age",     "interval",      "adopt",
       "versions",      "delete",   "max_delete",  "refresh",     "refresh_every", "notify",
       "notify_always", "timezone", "bandwidth",   "window",      "storage_class", "sse",
       "acl",           "tags",     "metadata",    "max_objects", "max_bytes",     "restore",
       "compare",       "list",     "checksum",    "retention",   "events"});
  TaskConfig task;
  task.name = keys.Need("name").LowerWord(kTaskNameBytesMax, "-");
  task.source = ReadBucketPrefix(keys.Need("source"), config);
  task.destination = ReadBucketPrefix(keys.Need("destination"), config);
  CheckApart(task, config, keys.Need("destination"));
  if (const auto include = keys.Find("include")) {
    task.include = include->Texts(kPatternsMax);
    if (task.include.empty()) {
      include->Fail("is an empty list: nothing would be brought (leave it out for everything)");
    }
  }
  if (const auto exclude = keys.Find("exclude")) task.exclude = exclude->Texts(kPatternsMax);
  if (const auto file = keys.Find("exclude_from")) task.exclude_from = file->Path();
  ReadBounds(keys, task);
  if (const auto interval = keys.Find("interval")) {
    task.interval = interval->Duration({milliseconds(0), 366 * kDay});
  }
  if (const auto adopt = keys.Find("adopt")) {
    task.adopt = static_cast<AdoptMode>(adopt->Choice(kAdopt));
  }
  if (const auto versions = keys.Find("versions")) {
    task.versions = static_cast<VersionMode>(versions->Choice(kVersions));
    const Provider& provider = config.Store(task.source.store).provider;
    if (task.versions != VersionMode::kLatest && !provider.versions) {
      versions->Fail("provider " + std::string(provider.name) + " of the source names no versions");
    }
  }
  if (const auto compare = keys.Find("compare")) {
    task.compare = static_cast<CompareMode>(compare->Choice(kCompare));
  }
  if (const auto list = keys.Find("list")) task.list = ReadList(*list, config, task);
  if (const auto mode = keys.Find("delete")) {
    task.delete_mode = static_cast<DeleteMode>(mode->Choice(kDelete));
    if (task.delete_mode != DeleteMode::kNever && task.compare == CompareMode::kNone) {
      mode->Fail("deletes need to know what the destination has: not with `compare: none`");
    }
    if (task.delete_mode != DeleteMode::kNever && task.list.kind != ListConfig::Kind::kBucket) {
      mode->Fail("deletes need to know all that the source has: not with `list`");
    }
  }
  if (const auto limit = keys.Find("max_delete")) task.max_delete = ReadMaxDelete(*limit);
  if (const auto most = keys.Find("max_objects")) {
    task.max_objects = most->Integer({1, 1'000'000'000'000});
  }
  if (const auto most = keys.Find("max_bytes")) task.max_bytes = most->Size({1, kSizeMax});
  if (task.compare == CompareMode::kNone && (task.max_objects || task.max_bytes)) {
    keys.Need("compare").Fail(
        "none, with max_objects or max_bytes: each run would plan the same objects");
  }
  ReadWriteRules(keys, config, task);
  if (const auto restore = keys.Find("restore")) {
    task.restore = ReadRestore(*restore, config.Store(task.source.store).provider);
  }
  const bool names_keys =
      task.list.kind == ListConfig::Kind::kKeys || task.list.kind == ListConfig::Kind::kPrefixes;
  if (const auto events = keys.Find("events"); events && names_keys) {
    events->Fail("an event may name any key: not with `list: keys` or `prefixes`");
  }
  ReadSignals(keys, config, task);
  ReadTaskHours(keys, task);
  if (const auto events = keys.Find("events")) task.events = ReadEvents(*events, config.listen);
  return task;
}

// A kernel's name for a way of congestion control (TCP_CA_NAME_MAX of linux/tcp.h).
void CheckAlgorithm(const Value& value, std::string_view name) {
  constexpr std::size_t kNameBytesMax = 15;
  const bool good =
      !name.empty() && name.size() <= kNameBytesMax &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
  if (!good) value.Fail(value.Shown() + " is not auto, system or a kernel's name such as bbr");
}

}  // namespace

std::vector<TaskConfig> ReadTasks(const Value& value, const Config& config) {
  std::vector<TaskConfig> tasks;
  for (const Value& one : value.List(yaml::kEntriesMax)) {
    TaskConfig task = ReadTask(one, config);
    const auto same = [&](const TaskConfig& other) { return other.name == task.name; };
    if (std::any_of(tasks.begin(), tasks.end(), same)) {
      const Value name = one.Lookup("name");
      name.Fail(name.Shown() + " is the name of an earlier task");
    }
    CheckNobodyElseDeletes(task, tasks, config, one.Lookup("destination"));
    tasks.push_back(std::move(task));
  }
  if (tasks.empty()) value.Fail("is an empty list");
  return tasks;
}

TransferConfig ReadTransfer(const Value& value) {
  const Map keys = value.Keys({"concurrency", "congestion_control", "memory", "part_size",
                               "multipart_threshold", "max_attempts", "lease", "outage_patience",
                               "abandoned_after", "server_side_copy"});
  TransferConfig transfer;
  if (const auto concurrency = keys.Find("concurrency")) {
    const std::string text = concurrency->Text();
    if (text.find_first_not_of("0123456789") != std::string::npos && text != "auto") {
      concurrency->Fail(concurrency->Shown() +
                        " is neither auto nor a whole number from 1 to 1024");
    }
    if (text != "auto") {
      transfer.concurrency = static_cast<std::uint32_t>(concurrency->Integer({1, 1024}));
    }
  }
  if (const auto algorithm = keys.Find("congestion_control")) {
    transfer.congestion_control = algorithm->Text();
    CheckAlgorithm(*algorithm, transfer.congestion_control);
  }
  if (const auto memory = keys.Find("memory")) transfer.memory = memory->Size({8 * kMiB, kTiB});
  if (const auto size = keys.Find("part_size")) {
    transfer.part_size = size->Size({5 * kMiB, 5 * kGiB});
  }
  if (const auto size = keys.Find("multipart_threshold")) {
    transfer.multipart_threshold = size->Size({kMiB, 5 * kGiB});
  }
  if (const auto attempts = keys.Find("max_attempts")) {
    transfer.max_attempts = static_cast<std::uint32_t>(attempts->Integer({1, 100}));
  }
  if (const auto mode = keys.Find("server_side_copy")) {
    transfer.server_side_copy = static_cast<ServerSideCopyMode>(mode->Choice(kServerSideCopy));
  }
  if (const auto lease = keys.Find("lease")) {
    transfer.lease = lease->Duration({seconds(10), minutes(10)});
  }
  if (const auto patience = keys.Find("outage_patience")) {
    transfer.outage_patience = patience->Duration({seconds(1), 7 * kDay});
  }
  if (const auto after = keys.Find("abandoned_after")) {
    transfer.abandoned_after = after->Duration({hours(1), 366 * kDay});
  }
  return transfer;
}

}  // namespace ferry
