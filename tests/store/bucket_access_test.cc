// What a store may tell about a request that went to the wrong place or was signed wrongly, and
// what it may not talk us into.
#include "batch/store/bucket_access.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "batch/store/s3_store.h"
#include "tests/support/loop_runner.h"

namespace ferry {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using test::KindOf;

constexpr const char* kHere = "https://bucket.s3.us-east-1.amazonaws.com/k?tagging=";
constexpr const char* kThere = "https://bucket.s3.eu-west-1.amazonaws.com/k?tagging=";

// Hosts of a provider, which no test can reach.
class RecordingHttp final : public Http {
 public:
  struct Seen {
    std::string url;
    Headers headers;
  };

  Task<HttpAnswer> Send(HttpRequest& request) override {
    seen.push_back({request.url, request.headers});
    HttpAnswer answer;
    answer.status = 500;
    if (!answers.empty()) {
      answer = std::move(answers.front());
      answers.pop_front();
    }
    co_return answer;
  }

  std::vector<std::string> Urls() const {
    std::vector<std::string> urls;
    for (const Seen& one : seen) urls.push_back(one.url);
    return urls;
  }
  // "eu-west-1" of "Credential=KEY/20260101/eu-west-1/s3/aws4_request"
  std::string Region(std::size_t request) const {
    const std::string scope(FindHeader(seen.at(request).headers, "authorization"));
    const std::size_t begin = scope.find('/', scope.find('/') + 1) + 1;
    return scope.substr(begin, scope.find('/', begin) - begin);
  }

  std::deque<HttpAnswer> answers;
  std::vector<Seen> seen;
};

class Keys final : public CredentialsSource {
 public:
  std::optional<Credentials> Get() override {
    return Credentials{"ACCESS" + std::to_string(current), "secret", "token"};
  }
  bool Refused() override {
    current = newest;
    return being_fetched;
  }

  int current = 0;
  int newest = 0;  // what reading anew finds
  bool being_fetched = false;
};

class WallHandClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override { return SteadyTime(hours(100)) + passed; }
  WallTime WallNow() const override { return WallTime(hours(500'000)) + passed + jumped; }
  bool SleepFor(std::chrono::milliseconds, std::stop_token) override { return true; }

  std::chrono::seconds passed{0};
  std::chrono::seconds jumped{0};  // somebody set the clock
};

class EndlessBody final : public BodySource {
 public:
  Piece Pull(char*, std::size_t) override { return {Supply::kLater, 0}; }
  void WakeReaderBy(std::function<void()>) override {}
};

class BucketAccessTest : public testing::Test {
 protected:
  ~BucketAccessTest() override { runner_.Stop(); }

  // With an endpoint: one that the operator configured.
  void UseEndpoint(const std::string& endpoint) {
    store_.emplace(
        S3Options{"far",
                  "bucket",
                  {.provider = FindProvider("aws"), .region = "us-east-1", .endpoint = endpoint}},
        http_, keys_, clock_);
  }
  void SetUp() override { UseEndpoint(""); }

  void Answer(int status, Headers headers, const std::string& code = {},
              const std::string& fields = {}) {
    HttpAnswer answer;
    answer.status = status;
    answer.headers = std::move(headers);
    if (!code.empty()) answer.body = "<Error><Code>" + code + "</Code>" + fields + "</Error>";
    http_.answers.push_back(std::move(answer));
  }
  void AnswerFine() {
    HttpAnswer answer;
    answer.status = 200;
    answer.headers = {{"etag", "\"e\""}};
    answer.body = "<Tagging><TagSet></TagSet></Tagging>";
    http_.answers.push_back(answer);
  }
  std::string Ask() {
    return KindOf([&] { runner_.Await([&] { return store_->GetTags(Key("k")); }); });
  }
  // A body that can be sent once.
  std::string PutFlowing() {
    PutRequest put;
    put.key = Key("k");
    put.source = &body_;
    put.bytes = 5;
    return KindOf([&] { runner_.Await([&] { return store_->Put(put); }); });
  }

  test::LoopRunner runner_;
  RecordingHttp http_;
  Keys keys_;
  WallHandClock clock_;
  EndlessBody body_;
  std::optional<S3Store> store_;
};

TEST_F(BucketAccessTest, ABucketOfAnotherRegionIsAskedThereFromThenOn) {
  struct {
    const char* name;
    int status;
    Headers headers;
    const char* code;
    const char* fields;
  } const cases[] = {
      {"301 with the header", 301, {{"x-amz-bucket-region", "eu-west-1"}}, "", ""},
      {"PermanentRedirect",
       301,
       {{"x-amz-bucket-region", "eu-west-1"}},
       "PermanentRedirect",
       "<Endpoint>bucket.s3-eu-west-1.amazonaws.com</Endpoint>"},
      {"region in the body", 400, {}, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"},
      {"wrong constraint",
       400,
       {{"x-amz-bucket-region", "eu-west-1"}},
       "IllegalLocationConstraintException",
       ""},
      {"400 to a HEAD", 400, {{"x-amz-bucket-region", "eu-west-1"}}, "", ""},
  };
  for (const auto& c : cases) {
    http_.seen.clear();
    SetUp();
    Answer(c.status, c.headers, c.code, c.fields);
    AnswerFine();
    AnswerFine();
    EXPECT_EQ(Ask(), "none") << c.name;
    EXPECT_EQ(Ask(), "none") << c.name;
    EXPECT_EQ(http_.Urls(), (std::vector<std::string>{kHere, kThere, kThere})) << c.name;
    EXPECT_EQ(http_.Region(0), "us-east-1");
    EXPECT_EQ(http_.Region(1), "eu-west-1");
  }
}

TEST_F(BucketAccessTest, ARegionIsCorrectedOnceForARequest) {
  Answer(301, {{"x-amz-bucket-region", "eu-west-1"}});
  Answer(301, {{"x-amz-bucket-region", "us-east-1"}});
  EXPECT_EQ(Ask(), "invalid");
  EXPECT_EQ(http_.seen.size(), 2U);
}

TEST_F(BucketAccessTest, WhatIsNoRegionIsNotFollowed) {
  for (const char* region : {"evil.com/#", "", "us-east-1", "EU", "a..b", "eu-west-1@evil.com"}) {
    http_.seen.clear();
    Answer(301, {{"x-amz-bucket-region", region}}, "PermanentRedirect");
    EXPECT_EQ(Ask(), "invalid") << region;
    EXPECT_EQ(http_.Urls(), std::vector<std::string>{kHere}) << region;
  }
}

TEST_F(BucketAccessTest, AConfiguredEndpointStaysAndOnlyItsSignatureIsCorrected) {
  UseEndpoint("https://s3.example.com");
  const std::string here = "https://bucket.s3.example.com/k?tagging=";
  Answer(301, {{"x-amz-bucket-region", "eu-west-1"}}, "PermanentRedirect");
  EXPECT_EQ(Ask(), "invalid");
  Answer(400, {}, "AuthorizationHeaderMalformed", "<Region>home</Region>");
  AnswerFine();
  EXPECT_EQ(Ask(), "none");
  EXPECT_EQ(http_.Urls(), (std::vector<std::string>{here, here, here}));
  EXPECT_EQ(http_.Region(2), "home");
}

TEST_F(BucketAccessTest, AnErrorNamesTheRegionOfTheBucket) {
  UseEndpoint("https://s3.example.com");
  Answer(301, {{"x-amz-bucket-region", "eu-west-1"}}, "PermanentRedirect");
  const auto error =
      test::ErrorOf([&] { runner_.Await([&] { return store_->GetTags(Key("k")); }); });
  ASSERT_TRUE(error);
  EXPECT_NE(std::string(error->what()).find("the bucket is in region eu-west-1"), std::string::npos)
      << error->what();
}

TEST_F(BucketAccessTest, ATemporaryRedirectIsFollowedOnceAndSignedAnew) {
  const std::string there = "https://bucket.s3-us-west-2.amazonaws.com/k";
  Answer(307, {{"location", there}}, "TemporaryRedirect");
  AnswerFine();
  EXPECT_EQ(Ask(), "none");
  ASSERT_EQ(http_.seen.size(), 2U);
  EXPECT_EQ(http_.seen[1].url, there + "?tagging=");
  EXPECT_EQ(FindHeader(http_.seen[1].headers, "host"), "bucket.s3-us-west-2.amazonaws.com");
  EXPECT_NE(FindHeader(http_.seen[0].headers, "authorization"),
            FindHeader(http_.seen[1].headers, "authorization"));
  // A redirect from there goes on no further.
  Answer(307, {{"location", "https://bucket.s3-eu-west-1.amazonaws.com/k"}}, "TemporaryRedirect");
  Answer(307, {{"location", "https://bucket.s3-us-west-1.amazonaws.com/k"}}, "TemporaryRedirect");
  EXPECT_EQ(Ask(), "invalid");
  EXPECT_EQ(http_.seen.size(), 4U);
}

TEST_F(BucketAccessTest, ATemporaryRedirectIsForgottenAfterAWhile) {
  Answer(307, {{"location", "https://bucket.s3-us-west-2.amazonaws.com/k"}}, "TemporaryRedirect");
  for (int i = 0; i < 3; ++i) AnswerFine();
  Ask();
  Ask();
  clock_.passed += minutes(10);
  Ask();
  ASSERT_EQ(http_.seen.size(), 4U);
  EXPECT_EQ(http_.seen[2].url, "https://bucket.s3-us-west-2.amazonaws.com/k?tagging=");
  EXPECT_EQ(http_.seen[3].url, kHere);
}

TEST_F(BucketAccessTest, NothingIsSentToAPlaceThatIsNotTheProvidersOwn) {
  for (const char* location :
       {"https://bucket.evil.com/k", "https://bucket.s3.amazonaws.com.evil.com/k",
        "https://bucket.evilamazonaws.com/k", "http://bucket.s3-us-west-2.amazonaws.com/k",
        "https://other.s3-us-west-2.amazonaws.com/k", "https://bucket.s3.amazonaws.com:8443/k",
        "https://user@bucket.s3.amazonaws.com/k", "https://bucket.S3.amazonaws.com/k", "/k", ""}) {
    http_.seen.clear();
    Answer(307, {{"location", location}}, "TemporaryRedirect");
    EXPECT_EQ(Ask(), "invalid") << location;
    EXPECT_EQ(http_.Urls(), std::vector<std::string>{kHere}) << location;
  }
}

TEST_F(BucketAccessTest, ABodyThatFlowsIsTriedAgainByItsCopyAndThenGoesOutAsItShould) {
  struct {
    const char* name;
    int status;
    Headers headers;
    const char* code;
  } const cases[] = {
      {"region", 301, {{"x-amz-bucket-region", "eu-west-1"}}, "PermanentRedirect"},
      {"host", 307, {{"location", "https://bucket.s3-us-west-2.amazonaws.com/k"}}, ""},
      {"token", 400, {}, "ExpiredToken"},
      {"clock", 403, {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}}, "RequestTimeTooSkewed"},
  };
  for (const auto& c : cases) {
    SetUp();
    http_.seen.clear();
    keys_.newest = keys_.current + 1;
    Answer(c.status, c.headers, c.code);
    EXPECT_EQ(PutFlowing(), "unavailable") << c.name;
    EXPECT_EQ(http_.seen.size(), 1U) << c.name;
    AnswerFine();
    EXPECT_EQ(PutFlowing(), "none") << c.name;
    const auto& [first, second] = std::pair(http_.seen.at(0), http_.seen.at(1));
    EXPECT_NE(first.url + std::string(FindHeader(first.headers, "authorization")),
              second.url + std::string(FindHeader(second.headers, "authorization")))
        << c.name;
  }
}

TEST_F(BucketAccessTest, KeysThatWereReplacedAreReadAnewAndTheSameOnesAreFinal) {
  for (const char* code : {"ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"}) {
    http_.seen.clear();
    Answer(403, {}, code);
    EXPECT_EQ(Ask(), "credentials") << code;  // nothing else was found
    EXPECT_EQ(PutFlowing(), "unavailable");   // no more answers: not the keys
    EXPECT_EQ(http_.seen.size(), 2U) << code;
    keys_.newest += 1;
    Answer(403, {}, code);
    AnswerFine();
    EXPECT_EQ(Ask(), "none") << code;
  }
  Answer(400, {}, "ExpiredToken");
  EXPECT_EQ(PutFlowing(), "credentials");  // for a body that flows too
}

TEST_F(BucketAccessTest, WhileOtherKeysAreFetchedARequestIsToBeSentAgainLater) {
  keys_.being_fetched = true;
  Answer(403, {}, "ExpiredToken");
  EXPECT_EQ(Ask(), "unavailable");
  EXPECT_EQ(http_.seen.size(), 1U);
  Answer(403, {}, "AccessDenied");  // has nothing to do with them
  EXPECT_EQ(Ask(), "denied");
  keys_.newest = 1;
  Answer(403, {}, "ExpiredToken");
  AnswerFine();
  EXPECT_EQ(Ask(), "none");
}

TEST_F(BucketAccessTest, AHeadLearnsFromTheReadThatExplainsIt) {
  keys_.newest = 1;
  Answer(400, {});
  Answer(400, {}, "ExpiredToken");
  Answer(206, {{"etag", "\"e\""}});
  AnswerFine();
  const auto head = runner_.Await([&] { return store_->Head(Key("k")); });
  EXPECT_EQ(head.etag, "e");
  EXPECT_EQ(http_.seen.size(), 4U);
  // An empty object has no first byte to read.
  Answer(403, {});
  Answer(416, {}, "InvalidRange");
  AnswerFine();
  EXPECT_EQ(runner_.Await([&] { return store_->Head(Key("k")); }).etag, "e");
}

TEST_F(BucketAccessTest, AHiddenObjectIsDeniedByItsName) {
  // Without the right to list, a key that is not there is a 403.
  Answer(403, {});
  Answer(403, {}, "AccessDenied");
  const auto error = test::ErrorOf([&] { runner_.Await([&] { return store_->Head(Key("k")); }); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kDenied);
  EXPECT_EQ(error->code(), "AccessDenied");
  EXPECT_EQ(http_.seen.size(), 2U);
}

TEST_F(BucketAccessTest, AClockThatIsSetRightAgainIsLearntAnew) {
  const char* code = "RequestTimeTooSkewed";
  // 15 January 2027, 08:00:00 by this host.
  const std::string at_eight = "Fri, 15 Jan 2027 08:00:00 GMT";
  clock_.passed = {};
  clock_.jumped = -hours(1);
  Answer(403, {{"date", at_eight}}, code);
  AnswerFine();
  EXPECT_EQ(Ask(), "none");
  const std::string right(FindHeader(http_.seen.at(1).headers, "x-amz-date"));
  EXPECT_NE(FindHeader(http_.seen.at(0).headers, "x-amz-date"), right);
  clock_.jumped = {};
  Answer(403, {{"date", at_eight}}, code);
  AnswerFine();
  EXPECT_EQ(Ask(), "none");
  EXPECT_EQ(FindHeader(http_.seen.at(3).headers, "x-amz-date"), right);
}

TEST_F(BucketAccessTest, AClockThatIsRightCannotBeBlamed) {
  Answer(403, {{"date", "Fri, 15 Jan 2027 08:02:00 GMT"}}, "RequestTimeTooSkewed");
  EXPECT_EQ(Ask(), "credentials");
  EXPECT_EQ(http_.seen.size(), 1U);
}

}  // namespace
}  // namespace ferry
