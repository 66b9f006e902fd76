// The contract of ObjectStore, held by the fake of the tests and by S3Store over a real server:
// BUCKETFERRY_TEST_DST_ENDPOINT, _ACCESS_KEY and _SECRET_KEY name one (tests/run starts it).
#include "tests/store/object_store_contract.h"

#include <unistd.h>

#include <cstdlib>

#include "batch/store/curl_http.h"
#include "batch/store/paced_store.h"
#include "batch/store/s3_store.h"
#include "tests/store/store_copy_contract.h"
#include "tests/support/fake_store.h"

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
  std::optional<Credentials> Get() override {
    return Credentials{Setting("BUCKETFERRY_TEST_DST_ACCESS_KEY"),
                       Setting("BUCKETFERRY_TEST_DST_SECRET_KEY"), ""};
  }
  bool Refused() override { return false; }
};

class ServerSubject final : public Subject {
 public:
  ServerSubject() {
    static int count = 0;
    const auto now = runner_.clock().WallNow().time_since_epoch();
    prefix_ = "contract-" + std::to_string(getpid()) + "-" + std::to_string(++count) + "-" +
              std::to_string(now.count()) + "/";
    Ask(kBucket, {}, "");
    Ask(kVersionedBucket, {}, "");
    Ask(kVersionedBucket, {{"versioning", ""}},
        "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
  }
  ~ServerSubject() override {
    try {
      ListRequest request;
      request.prefix = prefix_;
      const ListPage page = runner_.Await([&] { return store_.List(request); });
      for (const ListedObject& object : page.objects) {
        runner_.Await([&] { return store_.Delete(object.key); });
      }
    } catch (const std::exception&) {
      // What is left is below a prefix of its own.
    }
    runner_.Stop();
  }
  LoopRunner& runner() override { return runner_; }
  ObjectStore& store() override { return store_; }
  ObjectStore& versioned_store() override { return versioned_; }
  std::string bucket() const override { return kBucket; }
  std::string versioned_bucket() const override { return kVersionedBucket; }
  std::string prefix() const override { return prefix_; }
  std::size_t part_bytes_min() const override { return std::size_t{5} << 20; }

 private:
  static StoreLocation Location() {
    return {.provider = "ceph", .endpoint = Setting("BUCKETFERRY_TEST_DST_ENDPOINT")};
  }
  // Puts something of a bucket, or the bucket: making one that one has is no error.
  void Ask(const char* bucket, const NameValues& query, const std::string& body) {
    const BucketAddress address = ResolveBucket(Location(), bucket);
    Signer signer(*keys_.Get(), {SigningRegion(Location()), "s3"});
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
    EXPECT_EQ(answer.status, 200) << answer.body;
  }

  static constexpr const char* kBucket = "contract";
  static constexpr const char* kVersionedBucket = "contract-versions";
  LoopRunner runner_;
  CurlHttp http_{runner_.loop(), {}};
  KnownKeys keys_;
  S3Store store_{{"real", kBucket, Location()}, http_, keys_, runner_.clock()};
  S3Store versioned_{{"real", kVersionedBucket, Location()}, http_, keys_, runner_.clock()};
  std::string prefix_;
};

std::vector<SubjectMaker> Subjects() {
  const bool there = !Setting("BUCKETFERRY_TEST_DST_ENDPOINT").empty();
  return {{"Fake", "", [] { return std::make_unique<FakeSubject>(); }},
          {"Paced", "", [] { return std::make_unique<PacedSubject>(); }},
          {"Server", there ? "" : "needs a server in BUCKETFERRY_TEST_DST_ENDPOINT",
           [] { return std::make_unique<ServerSubject>(); }}};
}

INSTANTIATE_TEST_SUITE_P(Stores, ObjectStoreContract, testing::ValuesIn(Subjects()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace ferry::test
