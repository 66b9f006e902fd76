// The configuration file as checked values. LoadConfig (load_config.h) makes them; they are plain
// data, copied freely and never changed afterwards.
//
// What stands here was checked: names are known, sizes and times are within the limits stated
// below, and no task writes into what it reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "batch/base/week_hours.h"
#include "batch/config/endpoint.h"
#include "batch/config/secret.h"
#include "batch/provider/provider.h"

namespace ferry {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;
inline constexpr std::uint64_t kTiB = 1024 * kGiB;

struct DatabaseConfig {
  enum class Kind { kEmbedded, kExternal };
  Kind kind = Kind::kEmbedded;
  Secret uri;                      // kExternal: postgresql://..., may carry a password
  std::string shown = "embedded";  // for people: hosts and database name, no user, no options
};

struct AccessKeys {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;                            // empty: none
  std::optional<std::int64_t> expires_at_ms = {};  // Unix; nullopt: nobody said

  friend bool operator==(const AccessKeys&, const AccessKeys&) = default;
};

// To be assumed with keys that come from elsewhere (AssumeRole of AWS STS).
struct RoleToAssume {
  std::string arn;                           // IsRoleArn
  std::string external_id = {};              // empty: none
  std::string session_name = "bucketferry";  // what CloudTrail shows
  std::chrono::seconds duration{0};          // 15m..12h; 0: what STS gives unasked, an hour
};

// A secret of AWS Secrets Manager, read with the platform's keys.
struct SecretPlace {
  std::string name;  // or its ARN
  std::string region;
};

struct CredentialsConfig {
  enum class Kind {
    kPlatform,   // left out: the environment, then what the platform offers
    kStatic,     // `keys`
    kFile,       // `file`, read again when it changes (ReadCredentialsFile)
    kSecret,     // `secret`, which holds what a file would
    kAnonymous,  // requests are not signed
  };
  Kind kind = Kind::kPlatform;
  AccessKeys keys;
  std::filesystem::path file;
  SecretPlace secret;
  std::optional<RoleToAssume> role;  // with the keys of `kind`; never anonymously
};

enum class AdoptMode { kTrust, kVerify, kCopy };
enum class VersionMode { kLatest, kPinned, kCompared };
// Whether what is listed at the source is held against the destination, or all of it is copied.
enum class CompareMode { kBoth, kNone };
enum class DeleteMode { kNever, kExtra, kExtraAll };
// Between buckets of one endpoint: whether the store is asked to copy itself.
enum class ServerSideCopyMode { kAuto, kOff };
// Who calls a task's targets: the hook, when Alertmanager says so, or the run itself, which closes.
enum class SignalVia { kAlertmanager, kRun };

struct StoreConfig {
  std::string name;                        // [A-Za-z0-9_-], at most 40
  Provider provider = FindProvider("s3");  // with the habits that the file says it has
  std::string region;       // never empty; the provider's own where the file says none
  EndpointConfig endpoint;  // always set: the file's, or what the provider implies for the region
  bool implied_endpoint = false;                  // it is the latter
  AddressStyle addressing = AddressStyle::kAuto;  // kAuto: as the provider has it
  CredentialsConfig credentials;
  std::filesystem::path ca_file;        // empty: the system's
  std::optional<EndpointConfig> proxy;  // else as the environment says (https_proxy, no_proxy)
};

// Where the list of source objects comes from.
struct ListConfig {
  enum class Kind {
    kBucket,     // the bucket is listed
    kKeys,       // `file` names them (listing/list_file.h)
    kPrefixes,   // `file` names the prefixes that are listed, on both sides
    kInventory,  // a report of S3 Inventory
  };
  Kind kind = Kind::kBucket;
  std::filesystem::path file;
  std::string store;  // kInventory: where the report is
  std::string bucket;
  std::string manifest;  // ... its key; or, ending in '/', what the reports' folders lie in
};

// A prefix of a bucket, as bytes; an empty prefix is the whole bucket.
struct BucketPrefix {
  std::string store;  // the name of one of Config::stores
  std::string bucket;
  std::string prefix;  // at most 1,024 bytes
  bool requester_pays = false;
  std::string expected_owner = {};  // the account that the bucket must belong to; empty: any
};

struct StorageClassRule {
  enum class Kind { kBucketsOwn, kFixed, kKept, kMapped };
  Kind kind = Kind::kBucketsOwn;
  std::string name;  // kFixed
  // kMapped: the source's class and that at the destination; of another the bucket's own.
  std::vector<std::pair<std::string, std::string>> classes = {};
};

struct EncryptionRule {
  enum class Kind { kBucketsOwn, kS3, kKms };
  Kind kind = Kind::kBucketsOwn;
  std::string kms_key;  // kKms; empty: the account's own for S3
};

struct TagsRule {
  enum class Kind { kCopied, kNone, kFixed };
  Kind kind = Kind::kCopied;
  std::vector<std::pair<std::string, std::string>> tags = {};  // kFixed
};

// Archived objects of the source that runs ask to have restored.
struct RestoreConfig {
  std::string tier = "Standard";     // Expedited, Standard, Bulk: as S3 spells them
  std::uint32_t days = 7;            // that the copy to be read stays; 1..365
  std::uint64_t max_objects = 1000;  // being restored at a time; 1..1,000,000
};

// Which checksum the destination is to keep.
struct ChecksumRule {
  enum class Kind {
    kAuto,   // as the provider's table says
    kMd5,    // none but what an ETag may be
    kNamed,  // `digest`, in x-amz-checksum-*; or it is the provider's own
  };
  Kind kind = Kind::kAuto;
  DigestKind digest = DigestKind::kMd5;
};

// Object Lock: how long objects may not be overwritten or deleted.
struct RetentionRule {
  std::string mode;        // GOVERNANCE or COMPLIANCE
  std::uint32_t days = 0;  // 1..36500
};

// What objects get at the destination.
struct WriteConfig {
  StorageClassRule storage_class;
  EncryptionRule encryption;
  std::string acl;  // a canned one; empty: none is named
  TagsRule tags;
  // Headers, in lower case, in place of the source's of that name.
  std::vector<std::pair<std::string, std::string>> metadata = {};
  ChecksumRule checksum = {};
  std::optional<RetentionRule> retention = std::nullopt;  // none: as the bucket has it
};

// How many objects one run may delete.
struct MaxDelete {
  bool percent = true;  // of the objects that the ledger knows in scope
  std::uint64_t amount = 10;
};

inline constexpr std::uint64_t kBandwidthMin = kKiB;

// Bytes a second that the live workers of a task may read from its source, all together.
struct BandwidthLimit {
  WeekHours hours;                     // by the clock of TaskConfig::timezone
  std::uint64_t bytes_per_second = 0;  // kBandwidthMin..1TiB
};

// Among the places that events come from, what is no queue.
inline constexpr std::string_view kWebhook = "webhook";

// What tells a task of single objects between its scheduled runs (`bucketferry listen`).
struct EventRules {
  std::vector<std::string> from;  // kWebhook or names of ListenConfig::queues; empty: nothing does
  std::chrono::milliseconds quiet{60'000};  // without an event, and its run closes; 1s..1h

  bool on() const { return !from.empty(); }
};

struct TaskConfig {
  std::string name;  // [a-z0-9-], at most 40, unique
  BucketPrefix source;
  BucketPrefix destination;
  std::vector<std::string> include{"**"};  // never empty
  std::vector<std::string> exclude;
  std::filesystem::path exclude_from;  // empty: none; read at each run (ReadPatternFile)
  // Of source objects; what lies outside is left alone on both sides.
  std::uint64_t min_size = 0;                        // bytes
  std::optional<std::uint64_t> max_size;             // bytes
  std::chrono::milliseconds min_age{0};              // since its Last-Modified; to 36500d
  std::optional<std::chrono::milliseconds> max_age;  // more than min_age
  std::chrono::milliseconds interval{0};             // 0: never overdue; else 1s..366d
  AdoptMode adopt = AdoptMode::kVerify;
  CompareMode compare = CompareMode::kBoth;
  ListConfig list;
  DeleteMode delete_mode = DeleteMode::kNever;
  MaxDelete max_delete;
  WriteConfig write;
  std::optional<RestoreConfig> restore;  // nothing is restored
  // How much one run plans of what is to be copied; what is left over the next run plans.
  std::optional<std::uint64_t> max_objects;     // at least 1
  std::optional<std::uint64_t> max_bytes;       // at least 1
  VersionMode versions = VersionMode::kLatest;  // of the source
  std::vector<std::string> refresh;             // names of Config::refresh_targets
  SignalVia refresh_via = SignalVia::kAlertmanager;
  std::chrono::milliseconds refresh_every{0};  // during a run; 0: at its end only; else 1m..30d
  std::vector<std::string> notify;             // names of Config::notify_targets
  SignalVia notify_via = SignalVia::kAlertmanager;
  bool notify_always = false;  // also of runs that found nothing to do
  // A name of PostgreSQL's time zone database, which says later whether it knows it.
  std::string timezone = "UTC";
  std::vector<BandwidthLimit> bandwidth;  // the first whose hours it is applies; none: no limit
  std::vector<WeekHours> window;          // when copying may run; empty: always
  EventRules events;
};

struct TransferConfig {
  std::optional<std::uint32_t> concurrency;  // 1..1024; nullopt: auto
  // Of long connections: a kernel's name for it, "auto" (bbr, where the kernel allows it) or
  // "system" (the host's own).
  std::string congestion_control = "auto";
  std::uint64_t memory = 256 * kMiB;                     // 8MiB..1TiB
  std::uint64_t part_size = 16 * kMiB;                   // 5MiB..5GiB
  std::uint64_t multipart_threshold = 32 * kMiB;         // 1MiB..5GiB, the largest single PUT
  std::uint32_t max_attempts = 5;                        // 1..100
  std::chrono::milliseconds lease{60'000};               // 10s..10m
  std::chrono::milliseconds outage_patience{1'800'000};  // 1s..7d
  std::chrono::milliseconds abandoned_after{std::chrono::hours(7 * 24)};  // 1h..366d
  ServerSideCopyMode server_side_copy = ServerSideCopyMode::kAuto;
};

// An API of AWS: the credentials are a store's, endpoints are implied by the region.
struct StorageGatewayTarget {
  std::string file_share;  // ARN
  std::string region;
  std::optional<EndpointConfig> endpoint;  // another one than the region's
  std::vector<std::string> folders{"/"};
  CredentialsConfig credentials;
};
struct RcloneTarget {
  Secret url;  // the rc server; may carry user and password
  std::string fs;
  std::string dir;
};
struct CloudfrontTarget {
  std::string distribution;
  std::string region = "us-east-1";  // cn-northwest-1 for a distribution of AWS China
  std::optional<EndpointConfig> endpoint;
  std::vector<std::string> paths{"/*"};
  CredentialsConfig credentials;
};
struct WebhookTarget {
  Secret url;                        // chat services put their token into the path
  std::filesystem::path token_file;  // empty: no Authorization header
  std::string body;                  // a template (kPlaceholders); empty: all facts as JSON
};
struct CommandTarget {
  std::vector<std::string> argv;  // never empty; run without a shell
};

// What a template may name, as {{task}}: strings stand within quotes of the template, and numbers
// stand alone.
inline constexpr std::string_view kPlaceholders[] = {
    "event", "target",   "task",           "run",     "kind",       "state",      "text",
    "error", "planned",  "done",           "adopted", "deleted",    "dead",       "vanished",
    "bytes", "archived", "source_objects", "seconds", "started_at", "finished_at"};

struct RefreshTarget {
  std::string name;
  std::variant<StorageGatewayTarget, RcloneTarget, CloudfrontTarget, WebhookTarget, CommandTarget>
      what;
  std::chrono::milliseconds timeout{std::chrono::minutes(15)};  // of one call; 1s..1d
};
struct NotifyTarget {
  std::string name;
  std::variant<WebhookTarget, CommandTarget> what;
  std::chrono::milliseconds timeout{std::chrono::minutes(1)};
};

// `bucketferry hook`.
struct HookConfig {
  std::string listen = "0.0.0.0:9848";
  std::filesystem::path token_file;  // empty: no bearer token is asked for
  // Both or none: HTTPS. With client_ca only clients with a certificate of that authority come in.
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path client_ca;
};

// A queue of Amazon SQS, or of a service that speaks its JSON protocol.
struct EventQueue {
  std::string name;               // [A-Za-z0-9_-], at most 40, not kWebhook; unique
  std::string url;                // the queue's, as its service names it
  EndpointConfig endpoint;        // where that is
  std::string region;             // what requests are signed for
  CredentialsConfig credentials;  // never anonymous
};

// `bucketferry listen`.
struct ListenConfig {
  std::string listen = "0.0.0.0:9849";  // of webhooks; used where a task takes its events from them
  std::filesystem::path token_file;     // set where a task takes its events from webhooks
  // Both or none: HTTPS. With client_ca only clients with a certificate of that authority come in.
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path client_ca;
  std::vector<EventQueue> queues;
};

struct Config {
  std::filesystem::path file;
  DatabaseConfig database;
  std::filesystem::path state_dir;
  std::string database_schema = "bucketferry";  // [a-z_][a-z0-9_]*, at most 63, not pg_*
  std::chrono::milliseconds history{30LL * 24 * 60 * 60 * 1000};  // 1d..3650d
  std::vector<StoreConfig> stores;
  std::vector<TaskConfig> tasks;  // never empty, in the file's order
  TransferConfig transfer;
  std::vector<RefreshTarget> refresh_targets;
  std::vector<NotifyTarget> notify_targets;
  HookConfig hook;
  ListenConfig listen;

  // REQUIRES: `name` is a known store (what a checked task names always is).
  const StoreConfig& Store(std::string_view name) const;
  // nullptr: the file has no such task.
  const TaskConfig* FindTask(std::string_view name) const;
  const RefreshTarget* FindRefreshTarget(std::string_view name) const;
  const NotifyTarget* FindNotifyTarget(std::string_view name) const;
};

std::string_view ToString(AdoptMode adopt);
std::string_view ToString(VersionMode versions);
std::string_view ToString(DeleteMode mode);

}  // namespace ferry
