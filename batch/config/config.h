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

#include "batch/config/endpoint.h"
#include "batch/config/secret.h"

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
  Secret session_token;  // empty: none

  friend bool operator==(const AccessKeys&, const AccessKeys&) = default;
};

struct CredentialsConfig {
  enum class Kind {
    kPlatform,   // left out: the environment, then what the platform offers
    kStatic,     // `keys`
    kFile,       // `file`, read again when it changes (ReadCredentialsFile)
    kAnonymous,  // requests are not signed
  };
  Kind kind = Kind::kPlatform;
  AccessKeys keys;
  std::filesystem::path file;
};

enum class ProviderName { kAws, kMinio, kCeph, kS3 };
enum class Addressing { kAuto, kPath, kVirtual };
enum class AdoptMode { kTrust, kVerify, kCopy };
enum class VersionMode { kLatest, kPinned, kCompared };
enum class DeleteMode { kNever, kExtra, kExtraAll };

struct StoreConfig {
  std::string name;  // [A-Za-z0-9_-], at most 40
  ProviderName provider = ProviderName::kS3;
  std::string region;       // never empty; us-east-1 where neither file nor provider says more
  EndpointConfig endpoint;  // always set: the file's, or what AWS implies for the region
  Addressing addressing = Addressing::kAuto;
  CredentialsConfig credentials;
  std::filesystem::path ca_file;  // empty: the system's
};

// A prefix of a bucket, as bytes; an empty prefix is the whole bucket.
struct BucketPrefix {
  std::string store;  // the name of one of Config::stores
  std::string bucket;
  std::string prefix;  // at most 1,024 bytes
};

// How many objects one run may delete.
struct MaxDelete {
  bool percent = true;  // of the objects that the ledger knows in scope
  std::uint64_t amount = 10;
};

struct TaskConfig {
  std::string name;  // [a-z0-9-], at most 40, unique
  BucketPrefix source;
  BucketPrefix destination;
  std::vector<std::string> include{"**"};  // never empty
  std::vector<std::string> exclude;
  std::filesystem::path exclude_from;     // empty: none; read at each run (ReadPatternFile)
  std::chrono::milliseconds interval{0};  // 0: never overdue; else 1s..366d
  AdoptMode adopt = AdoptMode::kVerify;
  DeleteMode delete_mode = DeleteMode::kNever;
  MaxDelete max_delete;
  VersionMode versions = VersionMode::kLatest;  // of the source
  std::vector<std::string> refresh;             // names of Config::refresh_targets
  std::vector<std::string> notify;              // names of Config::notify_targets
};

struct TransferConfig {
  std::optional<std::uint32_t> concurrency;              // 1..1024; nullopt: auto
  std::uint64_t memory = 256 * kMiB;                     // 8MiB..1TiB
  std::uint64_t part_size = 16 * kMiB;                   // 5MiB..5GiB
  std::uint64_t multipart_threshold = 32 * kMiB;         // 1MiB..5GiB, the largest single PUT
  std::uint32_t max_attempts = 5;                        // 1..100
  std::chrono::milliseconds lease{60'000};               // 10s..10m
  std::chrono::milliseconds outage_patience{1'800'000};  // 1s..7d
  std::chrono::milliseconds abandoned_after{std::chrono::hours(7 * 24)};  // 1h..366d
};

struct StorageGatewayTarget {
  std::string file_share;  // ARN
  std::string region;
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
  std::vector<std::string> paths{"/*"};
  CredentialsConfig credentials;
};
struct WebhookTarget {
  Secret url;                        // chat services put their token into the path
  std::filesystem::path token_file;  // empty: no Authorization header
};
struct CommandTarget {
  std::vector<std::string> argv;  // never empty; run without a shell
};

struct RefreshTarget {
  std::string name;
  std::variant<StorageGatewayTarget, RcloneTarget, CloudfrontTarget, WebhookTarget, CommandTarget>
      what;
};
struct NotifyTarget {
  std::string name;
  std::variant<WebhookTarget, CommandTarget> what;
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

  // REQUIRES: `name` is a known store (what a checked task names always is).
  const StoreConfig& Store(std::string_view name) const;
  // nullptr: the file has no such task.
  const TaskConfig* FindTask(std::string_view name) const;
};

std::string_view ToString(ProviderName provider);
std::string_view ToString(Addressing addressing);
std::string_view ToString(AdoptMode adopt);
std::string_view ToString(VersionMode versions);
std::string_view ToString(DeleteMode mode);

}  // namespace ferry
