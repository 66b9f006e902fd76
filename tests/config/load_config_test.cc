// What a good file becomes.
#include "batch/config/load_config.h"

#include <gtest/gtest.h>

#include "batch/base/log.h"
#include "tests/config/config_file.h"

namespace ferry {
namespace {

using namespace std::chrono_literals;
using test::kSmallest;

class LoadConfigTest : public testing::Test, protected test::ConfigFile {};

TEST_F(LoadConfigTest, TheSmallestFileGetsTheDefaultsOfTheContract) {
  const Config config = Load(kSmallest);
  EXPECT_EQ(config.database.kind, DatabaseConfig::Kind::kEmbedded);
  EXPECT_EQ(config.database.shown, "embedded");
  EXPECT_EQ(config.state_dir, folder.path() / ".bucketferry");
  EXPECT_EQ(config.database_schema, "bucketferry");
  EXPECT_EQ(config.history, 30 * 24h);
  ASSERT_EQ(config.tasks.size(), 1U);
  const TaskConfig& task = config.tasks[0];
  EXPECT_EQ(task.include, std::vector<std::string>{"**"});
  EXPECT_TRUE(task.exclude.empty());
  EXPECT_TRUE(task.exclude_from.empty());
  EXPECT_EQ(task.interval, 0ms);
  EXPECT_EQ(task.adopt, AdoptMode::kVerify);
  EXPECT_EQ(task.delete_mode, DeleteMode::kNever);
  EXPECT_TRUE(task.max_delete.percent);
  EXPECT_EQ(task.max_delete.amount, 10U);
  EXPECT_EQ(task.timezone, "UTC");
  EXPECT_TRUE(task.bandwidth.empty());
  EXPECT_TRUE(task.window.empty());
  EXPECT_EQ(config.transfer.concurrency, std::nullopt);
  EXPECT_EQ(config.transfer.congestion_control, "auto");
  EXPECT_EQ(config.transfer.memory, 256 * kMiB);
  EXPECT_EQ(config.transfer.part_size, 16 * kMiB);
  EXPECT_EQ(config.transfer.multipart_threshold, 32 * kMiB);
  EXPECT_EQ(config.transfer.max_attempts, 5U);
  EXPECT_EQ(config.transfer.lease, 60s);
  EXPECT_EQ(config.transfer.outage_patience, 30min);
  EXPECT_EQ(config.transfer.abandoned_after, 168h);
  EXPECT_EQ(config.transfer.server_side_copy, ServerSideCopyMode::kAuto);
}

TEST_F(LoadConfigTest, StoresGetWhatTheirProviderImplies) {
  const Config config = Load(R"(stores:
  east: {provider: aws, region: us-east-1}
  china: {provider: aws, region: cn-north-1, addressing: virtual}
  own: {provider: aws, endpoint: "https://s3.eu-west-1.amazonaws.com"}
  ceph: {provider: ceph, endpoint: "http://RGW:7480/", region: default, addressing: path}
  any: {provider: s3, endpoint: "https://[2001:DB8::1]:8443", ca_file: ca.pem}
tasks:
  - {name: t, source: {store: east, bucket: src}, destination: {store: ceph, bucket: dst}}
)");
  EXPECT_EQ(config.Store("east").endpoint.Url(), "https://s3.us-east-1.amazonaws.com");
  EXPECT_EQ(config.Store("china").endpoint.Url(), "https://s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(config.Store("china").addressing, AddressStyle::kVirtual);
  EXPECT_EQ(config.Store("own").region, "eu-west-1");
  EXPECT_EQ(config.Store("own").credentials.kind, CredentialsConfig::Kind::kPlatform);
  EXPECT_EQ(config.Store("ceph").endpoint.Url(), "http://rgw:7480");
  EXPECT_EQ(config.Store("ceph").region, "default");
  EXPECT_EQ(config.Store("ceph").addressing, AddressStyle::kPath);
  EXPECT_EQ(config.Store("any").endpoint.Url(), "https://[2001:db8::1]:8443");
  EXPECT_EQ(config.Store("any").region, "us-east-1");
  EXPECT_EQ(config.Store("any").ca_file, folder.path() / "ca.pem");
}

TEST_F(LoadConfigTest, EveryProviderWithRegionsImpliesItsEndpoints) {
  const Config config = Load(R"(stores:
  both:  {provider: aws, region: cn-north-1, dual_stack: true}
  one:   {provider: aws, region: eu-west-1, dual_stack: false}
  oss:   {provider: oss, region: cn-hangzhou}
  cos:   {provider: cos, region: ap-guangzhou}
  kodo:  {provider: kodo, region: cn-east-1}
  gcs:   {provider: gcs}
  r2:    {provider: r2, endpoint: "https://account.r2.cloudflarestorage.com"}
  named: {provider: oss, region: cn-beijing, endpoint: "https://s3.oss-cn-beijing.aliyuncs.com"}
tasks:
  - {name: t, source: {store: oss, bucket: src}, destination: {store: cos, bucket: dst}}
)");
  const auto url = [&](const char* store) { return config.Store(store).endpoint.Url(); };
  EXPECT_EQ(url("both"), "https://s3.dualstack.cn-north-1.amazonaws.com.cn");
  EXPECT_FALSE(config.Store("both").implied_endpoint);
  EXPECT_EQ(url("one"), "https://s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(url("oss"), "https://s3.oss-cn-hangzhou.aliyuncs.com");
  EXPECT_EQ(url("cos"), "https://cos.ap-guangzhou.myqcloud.com");
  EXPECT_EQ(url("kodo"), "https://s3.cn-east-1.qiniucs.com");
  EXPECT_EQ(url("gcs"), "https://storage.googleapis.com");
  EXPECT_EQ(config.Store("gcs").region, "auto");
  EXPECT_EQ(config.Store("r2").region, "auto");
  EXPECT_TRUE(config.Store("named").implied_endpoint);
}

TEST_F(LoadConfigTest, HabitsReplaceWhatTheProvidersTableSays) {
  const Config config = Load(R"(stores:
  odd:
    provider: s3
    endpoint: "http://odd:9000"
    habits: {list_version: 1, list_url_encoding: false, checksum: crc32c, checksum_in_head: true,
             tags: false, versions: false, etag: md5, part_size_min: 1MiB, part_size_max: 1GiB,
             parts_max: 1000, key_bytes_max: 500}
  cos: {provider: cos, region: ap-guangzhou, habits: {checksum: none}}
tasks:
  - {name: t, source: {store: odd, bucket: src}, destination: {store: cos, bucket: dst}}
)");
  const Provider& odd = config.Store("odd").provider;
  EXPECT_EQ(odd.list_version, 1);
  EXPECT_FALSE(odd.list_url_encoding);
  EXPECT_EQ(odd.checksum, DigestKind::kCrc32c);
  EXPECT_TRUE(odd.checksum_in_head);
  EXPECT_FALSE(odd.tags);
  EXPECT_FALSE(odd.versions);
  EXPECT_EQ(odd.etag, EtagHabit::kMd5);
  EXPECT_EQ(odd.limits.part_bytes_min, kMiB);
  EXPECT_EQ(odd.limits.parts_max, 1000U);
  EXPECT_EQ(odd.limits.object_bytes_max, 1000 * kGiB);
  EXPECT_EQ(odd.limits.single_put_bytes_max, kGiB);
  EXPECT_EQ(odd.key_bytes_max, 500U);
  EXPECT_EQ(config.Store("cos").provider.checksum, std::nullopt);
  EXPECT_EQ(config.Store("cos").provider.list_version, 1);
}

TEST_F(LoadConfigTest, ReadsAWholeFile) {
  environment.values = {{"SRC_KEY", "AKIA"}, {"SRC_SECRET", "s:[cret"}, {"SRC_TOKEN", ""}};
  const Config config = Load(R"(
database: "postgresql://user:pw@db.example/ferry?sslmode=verify-full"
state_dir: /var/lib/ferry
database_schema: ferry_2
history: 400d
stores:
  overseas:
    provider: aws
    region: us-east-1
    credentials:
      access_key_id: ${SRC_KEY}
      secret_access_key: ${SRC_SECRET}
      session_token: ${SRC_TOKEN}
  china: {provider: minio, endpoint: "http://m:9000", credentials: {file: keys/c.json}}
  open: {provider: s3, endpoint: "http://o", credentials: {anonymous: true}}
tasks:
  - name: media
    source: {store: overseas, bucket: media-src, prefix: "in/"}
    destination: {store: china, bucket: media-dst, prefix: "from-partner/"}
    include: ["**"]
    exclude: ["*.tmp", "**/readme.md"]
    exclude_from: ignore.txt
    interval: 1h
    adopt: trust
    delete: extra-all
    max_delete: 5%
    refresh: [gateway, mount, cdn, other, local]
    notify: [team]
transfer:
  concurrency: 64
  congestion_control: cubic
  memory: 64MiB
  part_size: 5MiB
  multipart_threshold: 5GiB
  max_attempts: 100
  lease: 10s
  outage_patience: 7d
  abandoned_after: 1h
  server_side_copy: off
refresh_targets:
  gateway: {type: storage-gateway, file_share: "arn:x", region: cn-northwest-1, folders: ["/a"],
            credentials: {access_key_id: k, secret_access_key: s}}
  mount: {type: rclone, url: "http://u:p@127.0.0.1:5572", fs: "dst:", dir: ""}
  cdn: {type: cloudfront, distribution: E123}
  other: {type: webhook, url: "https://hook/secret", token_file: /run/secrets/token}
  local: {type: command, argv: ["/usr/local/bin/refresh", ""]}
notify_targets:
  team: {type: webhook, url: "https://hook"}
)");
  EXPECT_EQ(config.database.kind, DatabaseConfig::Kind::kExternal);
  EXPECT_EQ(config.database.uri.Reveal(),
            "postgresql://user:pw@db.example/ferry?sslmode=verify-full");
  EXPECT_EQ(config.database.shown, "postgresql://db.example/ferry");
  EXPECT_EQ(config.state_dir, "/var/lib/ferry");
  EXPECT_EQ(config.database_schema, "ferry_2");
  EXPECT_EQ(config.history, 400 * 24h);
  const AccessKeys& keys = config.Store("overseas").credentials.keys;
  EXPECT_EQ(keys.access_key_id, "AKIA");
  EXPECT_EQ(keys.secret_access_key.Reveal(), "s:[cret");
  EXPECT_TRUE(keys.session_token.empty());
  EXPECT_EQ(config.Store("china").credentials.file, folder.path() / "keys/c.json");
  EXPECT_EQ(config.Store("open").credentials.kind, CredentialsConfig::Kind::kAnonymous);
  const TaskConfig& task = *config.FindTask("media");
  EXPECT_EQ(task.source.prefix, "in/");
  EXPECT_EQ(task.exclude, (std::vector<std::string>{"*.tmp", "**/readme.md"}));
  EXPECT_EQ(task.exclude_from, folder.path() / "ignore.txt");
  EXPECT_EQ(task.interval, 1h);
  EXPECT_EQ(task.adopt, AdoptMode::kTrust);
  EXPECT_EQ(task.delete_mode, DeleteMode::kExtraAll);
  EXPECT_TRUE(task.max_delete.percent);
  EXPECT_EQ(task.max_delete.amount, 5U);
  EXPECT_EQ(task.refresh.size(), 5U);
  EXPECT_EQ(config.transfer.concurrency, 64U);
  EXPECT_EQ(config.transfer.congestion_control, "cubic");
  EXPECT_EQ(config.transfer.multipart_threshold, 5 * kGiB);
  EXPECT_EQ(config.transfer.outage_patience, 168h);
  EXPECT_EQ(config.transfer.abandoned_after, 1h);
  EXPECT_EQ(config.transfer.server_side_copy, ServerSideCopyMode::kOff);
  EXPECT_EQ(std::get<StorageGatewayTarget>(config.refresh_targets[0].what).folders,
            std::vector<std::string>{"/a"});
  EXPECT_EQ(std::get<RcloneTarget>(config.refresh_targets[1].what).fs, "dst:");
  EXPECT_EQ(std::get<CloudfrontTarget>(config.refresh_targets[2].what).paths,
            std::vector<std::string>{"/*"});
  EXPECT_EQ(std::get<CommandTarget>(config.refresh_targets[4].what).argv.size(), 2U);
}

TEST_F(LoadConfigTest, AFilledInValueNeverBecomesStructure) {
  environment.values = {{"P", "x\", bucket: stolen, prefix: \"y"}, {"Q", "${P}"}};
  const Config config = Load(R"(stores:
  a: {provider: aws, region: us-east-1}
  b: {provider: minio, endpoint: "http://127.0.0.1:9000"}
tasks:
  - name: media
    source: {store: a, bucket: src, prefix: "${P}"}
    destination: {store: b, bucket: dst, prefix: "${Q}$${P}"}
)");
  EXPECT_EQ(config.tasks[0].source.prefix, "x\", bucket: stolen, prefix: \"y");
  EXPECT_EQ(config.tasks[0].destination.prefix, "${P}${P}");
}

TEST_F(LoadConfigTest, PrefixesAreBytesThatYamlCanWrite) {
  const Config config = Load(R"(stores:
  a: {provider: aws, region: us-east-1}
tasks:
  - name: t
    source: {store: a, bucket: src, prefix: "a\x01/日本 \t"}
    destination: {store: a, bucket: dst, prefix: "/"}
)");
  EXPECT_EQ(config.tasks[0].source.prefix, "a\x01/\xE6\x97\xA5\xE6\x9C\xAC \t");
  EXPECT_EQ(config.tasks[0].destination.prefix, "/");
}

TEST_F(LoadConfigTest, TheEnvironmentWinsOverDatabaseAndStateDir) {
  environment.values = {{"BUCKETFERRY_DATABASE", "postgresql:///other"},
                        {"BUCKETFERRY_STATE_DIR", "/tmp/state"}};
  const Config config =
      Load("database: ${NOT_SET}\nstate_dir: ${NOT_SET}\n" + std::string(kSmallest));
  EXPECT_EQ(config.database.shown, "postgresql:///other");
  EXPECT_EQ(config.state_dir, "/tmp/state");

  environment.values = {{"BUCKETFERRY_DATABASE", ""}, {"BUCKETFERRY_STATE_DIR", ""}};
  EXPECT_EQ(Load(kSmallest).database.kind, DatabaseConfig::Kind::kEmbedded);
}

TEST_F(LoadConfigTest, AReaderOfTheDatabaseNeedsNoCredentials) {
  const std::string text = R"(stores:
  a: {provider: aws, region: r, credentials: {access_key_id: "${K}", secret_access_key: "${S}"}}
  b: {provider: minio, endpoint: "http://127.0.0.1:9000"}
tasks:
  - name: media
    source: {store: a, bucket: src}
    destination: {store: b, bucket: dst}
notify_targets: {team: {type: webhook, url: "${CHAT}"}}
)";
  EXPECT_EQ(Failure(text),
            "f.yaml:8: notify_targets.team.url: environment variable CHAT is not set "
            "(${CHAT:-default} would be a default)");
  const Config config = Load(text, CredentialUse::kLeftOut);
  EXPECT_EQ(config.Store("a").credentials.kind, CredentialsConfig::Kind::kStatic);
  EXPECT_TRUE(config.Store("a").credentials.keys.secret_access_key.empty());
}

TEST_F(LoadConfigTest, ARoleStandsAloneOrBesideKeys) {
  environment.values = {{"ID", "partner/7"}};
  const Config config = Load(R"(stores:
  alone:
    provider: aws
    region: us-east-1
    credentials: {role_arn: "arn:aws:iam::123456789012:role/copy"}
  china:
    provider: aws
    region: cn-north-1
    credentials:
      access_key_id: k
      secret_access_key: s
      role_arn: arn:aws-cn:iam::123456789012:role/team/copy
      external_id: ${ID}
      session_name: night@copy
      duration: 2h
  secret:
    provider: minio
    endpoint: http://m
    credentials: {secret: {name: prod/media+1, region: ap-southeast-1}}
  rgw:
    provider: ceph
    endpoint: http://r
    credentials: {file: /k, role_arn: "arn:aws:iam:::role/r"}
tasks:
  - {name: t, source: {store: alone, bucket: src}, destination: {store: china, bucket: dst}}
refresh_targets:
  gateway: {type: storage-gateway, file_share: "arn:x", region: cn-north-1,
            credentials: {role_arn: "arn:aws-cn:iam::123456789012:role/refresh"}}
)");
  const CredentialsConfig& alone = config.Store("alone").credentials;
  EXPECT_EQ(alone.kind, CredentialsConfig::Kind::kPlatform);
  EXPECT_EQ(alone.role->arn, "arn:aws:iam::123456789012:role/copy");
  EXPECT_EQ(alone.role->session_name, "bucketferry");
  EXPECT_EQ(alone.role->external_id, "");
  EXPECT_EQ(alone.role->duration, 0s);
  const CredentialsConfig& china = config.Store("china").credentials;
  EXPECT_EQ(china.kind, CredentialsConfig::Kind::kStatic);
  EXPECT_EQ(china.role->external_id, "partner/7");
  EXPECT_EQ(china.role->session_name, "night@copy");
  EXPECT_EQ(china.role->duration, 2h);
  const CredentialsConfig& secret = config.Store("secret").credentials;
  EXPECT_EQ(secret.kind, CredentialsConfig::Kind::kSecret);
  EXPECT_EQ(secret.secret.name, "prod/media+1");
  EXPECT_EQ(secret.secret.region, "ap-southeast-1");
  EXPECT_FALSE(secret.role);
  EXPECT_EQ(config.Store("rgw").credentials.role->arn, "arn:aws:iam:::role/r");
}

TEST_F(LoadConfigTest, AReaderOfTheDatabaseNeedsNoRolesEither) {
  const Config config = Load(R"(stores:
  a: {provider: aws, region: r, credentials: {role_arn: "${ROLE}", external_id: "${ID}"}}
  b: {provider: aws, region: r, credentials: {secret: {name: "${NAME}", region: "${REGION}"}}}
tasks:
  - {name: t, source: {store: a, bucket: src}, destination: {store: b, bucket: dst}}
)",
                             CredentialUse::kLeftOut);
  EXPECT_TRUE(config.Store("a").credentials.role);
  EXPECT_EQ(config.Store("b").credentials.kind, CredentialsConfig::Kind::kSecret);
}

TEST_F(LoadConfigTest, AnchorsAreFineForWhatStoresShare) {
  const Config config = Load(R"(stores:
  a: {provider: minio, endpoint: "http://a", credentials: &keys {file: /k.json}}
  b: {provider: minio, endpoint: "http://b", credentials: *keys}
tasks:
  - {name: t, source: {store: a, bucket: src}, destination: {store: b, bucket: dst}}
)");
  EXPECT_EQ(config.Store("b").credentials.file, "/k.json");
}

TEST_F(LoadConfigTest, NeighbouringPrefixesOfOneBucketAreApart) {
  const Config config = Load(R"(stores:
  a: {provider: aws, region: us-east-1}
tasks:
  - name: one
    source: {store: a, bucket: src, prefix: in/}
    destination: {store: a, bucket: src, prefix: out/}
  - name: two
    source: {store: a, bucket: other}
    destination: {store: a, bucket: src, prefix: out/}
)");
  EXPECT_EQ(config.tasks.size(), 2U);
  EXPECT_EQ(config.FindTask("three"), nullptr);
}

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(Printable<std::string>);
static_assert(!Printable<Secret>);
static_assert(!std::is_constructible_v<log::Field, std::string_view, Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);

}  // namespace
}  // namespace ferry
