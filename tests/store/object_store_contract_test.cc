// The contract of ObjectStore, held by the fake of the tests, by S3Store over a real server:
// BUCKETFERRY_TEST_DST_ENDPOINT, _ACCESS_KEY and _SECRET_KEY name one (tests/run starts it), and
// over one that behaves as each provider's does.
#include "tests/store/object_store_contract.h"

#include <unistd.h>

#include <cstdlib>

#include "batch/provider/key_refusal.h"
#include "batch/store/curl_http.h"
#include "batch/store/paced_store.h"
#include "batch/store/s3_store.h"
#include "tests/store/store_copy_contract.h"
#include "tests/support/fake_store.h"
#include "tests/support/provider_server.h"

namespace ferry::test {
namespace {

class FakeSubject : public Subject {
 public:
  FakeSubject() { versioned_.versioning = FakeStore::Versioning::kEnabled; }
  ~FakeSubject() override { runner_.Stop(); }
  LoopRunner& runner() override { return runner_; }
  ObjectStore& store() override { return store_; }
  ObjectStore& versioned_store() override { return versioned_; }
  std::string bucket() const override { return "self"; }
  std::string versioned_bucket() const override { return "self"; }
  std::string prefix() const override { return "p/"; }
  std::size_t part_bytes_min() const override { return 1000; }

 private:
  LoopRunner runner_;
  FakeStore store_{runner_.loop()};
  FakeStore versioned_{runner_.loop()};
};

// A decorator changes nothing of what it decorates.
class PacedSubject final : public FakeSubject {
 public:
  ~PacedSubject() override { runner().Stop(); }
  ObjectStore& store() override { return paced_; }
  ObjectStore& versioned_store() override { return paced_versioned_; }

 private:
  TokenBucket bucket_{[](SteadyTime) { return 1e6; }};
  PacedStore paced_{FakeSubject::store(), runner().loop(), bucket_};
  PacedStore paced_versioned_{FakeSubject::versioned_store(), runner().loop(), bucket_};
};

std::string Setting(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class KnownKeys final : public CredentialsSource {
 public:
  explicit KnownKeys(Credentials keys) : keys_(std::move(keys)) {}
  std::optional<Credentials> Get() override { return keys_; }
  bool Refused() override { return false; }

 private:
  const Credentials keys_;
};

// Two buckets of a server that speaks S3, one of them with versions.
class BucketsOf {
 public:
  BucketsOf(StoreLocation location, const Credentials& keys)
      : location_(std::move(location)), keys_(keys) {
    Ask(kBucket, {}, "");
    Ask(kVersionedBucket, {}, "");
    if (!location_.provider.versions) return;
    Ask(kVersionedBucket, {{"versioning", ""}},
        "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
  }

  LoopRunner& runner() { return runner_; }
  S3Store& store() { return store_; }
  S3Store& versioned() { return versioned_; }
  const Provider& provider() const { return location_.provider; }

  static constexpr const char* kBucket = "contract";
  static constexpr const char* kVersionedBucket = "contract-versions";

 private:
  // Puts something of a bucket, or the bucket: making one that one has is no error.
  void Ask(const char* bucket, const NameValues& query, const std::string& body) {
    const BucketAddress address = ResolveBucket(location_, bucket);
    Signer signer(*keys_.Get(), {SigningRegion(location_), "s3"});
    HttpRequest request;
    request.method = Method::kPut;
    request.url = address.Url(address.bucket_path, CanonicalQuery(query));
    request.body = body;
    request.headers = {{"host", address.host_header}};
    const SignedRequest sign =
        signer.Sign({"PUT", address.bucket_path, query, request.headers, kUnsignedPayload},
                    runner_.clock().WallNow());
    for (const NameValue& header : sign.headers) request.headers.push_back(header);
    const HttpAnswer answer = runner_.Await([&] { return http_.Send(request); });
    EXPECT_TRUE(answer.status == 200 || answer.body.find("AlreadyOwnedByYou") != std::string::npos)
        << answer.body;
  }

  const StoreLocation location_;
  LoopRunner runner_;
  CurlHttp http_{runner_.loop(), {}};
  KnownKeys keys_;
  S3Store store_{{"real", kBucket, location_}, http_, keys_, runner_.clock()};
  S3Store versioned_{{"real", kVersionedBucket, location_}, http_, keys_, runner_.clock()};
};

class ServerSubject : public Subject {
 public:
  ServerSubject(StoreLocation location, const Credentials& keys)
      : buckets_(std::move(location), keys) {
    static int count = 0;
    const auto now = runner().clock().WallNow().time_since_epoch();
    prefix_ = "contract-" + std::to_string(getpid()) + "-" + std::to_string(++count) + "-" +
              std::to_string(now.count()) + "/";
  }
  ~ServerSubject() override {
    try {
      ListRequest request;
      request.prefix = prefix_;
      const ListPage page = runner().Await([&] { return store().List(request); });
      for (const ListedObject& object : page.objects) {
        runner().Await([&] { return store().Delete(object.key); });
      }
    } catch (const std::exception&) {
      // What is left is below a prefix of its own.
    }
    runner().Stop();
  }
  LoopRunner& runner() final { return buckets_.runner(); }
  ObjectStore& store() final { return buckets_.store(); }
  ObjectStore& versioned_store() final { return buckets_.versioned(); }
  std::string bucket() const final { return BucketsOf::kBucket; }
  std::string versioned_bucket() const final { return BucketsOf::kVersionedBucket; }
  std::string prefix() const final { return prefix_; }
  std::size_t part_bytes_min() const final { return buckets_.provider().limits.part_bytes_min; }
  Abilities abilities() const override {
    const Provider& provider = buckets_.provider();
    return {.tags = provider.tags, .versions = provider.versions, .part_copy = provider.part_copy};
  }
  bool Takes(const Key& key) const override { return !KeyRefusal(buckets_.provider(), key); }

 private:
  BucketsOf buckets_;
  std::string prefix_;
};

// One of those that tests/servers/provider_server plays.
class ProviderSubject final : public ServerSubject {
 public:
  explicit ProviderSubject(const std::string& provider)
      : ServerSubject(At(provider), {ProviderServer::AccessKey(provider),
                                     ProviderServer::SecretKey(provider), ""}),
        says_md5_(provider != "kodo"),
        says_composite_(provider == "aws" || provider == "minio" || provider == "s3") {}

  Abilities abilities() const override {
    Abilities abilities = ServerSubject::abilities();
    abilities.md5_etags = says_md5_;
    abilities.composite_etags = says_composite_;
    return abilities;
  }

 private:
  static StoreLocation At(const std::string& provider) {
    const Provider& habits = FindProvider(provider);
    const bool has_region = !habits.region.empty();
    const std::string_view region = has_region ? habits.region : habits.region_example;
    return {.provider = habits,
            .region = std::string(region.substr(0, region.find(' '))),
            .endpoint = ProviderServer::Instance().Endpoint(provider)};
  }

  const bool says_md5_;
  const bool says_composite_;
};

std::unique_ptr<Subject> RealServer() {
  return std::make_unique<ServerSubject>(
      StoreLocation{.provider = FindProvider("ceph"),
                    .endpoint = Setting("BUCKETFERRY_TEST_DST_ENDPOINT")},
      Credentials{Setting("BUCKETFERRY_TEST_DST_ACCESS_KEY"),
                  Setting("BUCKETFERRY_TEST_DST_SECRET_KEY"), ""});
}

std::vector<SubjectMaker> Subjects() {
  const bool there = !Setting("BUCKETFERRY_TEST_DST_ENDPOINT").empty();
  std::vector<SubjectMaker> subjects = {
      {"Fake", "", [] { return std::make_unique<FakeSubject>(); }},
      {"Paced", "", [] { return std::make_unique<PacedSubject>(); }},
      {"Server", there ? "" : "needs a server in BUCKETFERRY_TEST_DST_ENDPOINT", RealServer}};
  for (const std::string_view name : ProviderNames()) {
    if (name == "ceph") continue;  // is there in person
    const std::string provider(name);
    subjects.push_back(
        {provider, "", [provider] { return std::make_unique<ProviderSubject>(provider); }});
  }
  return subjects;
}

INSTANTIATE_TEST_SUITE_P(Stores, ObjectStoreContract, testing::ValuesIn(Subjects()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace ferry::test
