// How many retries an endpoint gets, and that a dead one gets few.
#include "batch/store/retry_budget.h"

#include <gtest/gtest.h>

#include "batch/store/curl_http.h"
#include "batch/store/retrying_store.h"
#include "batch/store/s3_store.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scripted_http_server.h"

namespace ferry {
namespace {

using std::chrono::seconds;
using test::HttpText;
using test::KindOf;
using test::ScriptedHttpServer;

constexpr SteadyTime kNow{seconds(1000)};

int SpendAll(RetryBudget& budget, SteadyTime now) {
  int taken = 0;
  while (taken < 1000 && budget.Take(now)) taken += 1;
  return taken;
}

TEST(RetryBudget, HoldsAFewAtFirstAndNoMore) {
  RetryBudget budget;
  for (int i = 0; i < 10'000; ++i) budget.Earn();
  EXPECT_EQ(SpendAll(budget, kNow), RetryBudget::kSavedMax);
  EXPECT_FALSE(budget.Take(kNow));
}

TEST(RetryBudget, RequestsAndTimeEarnMore) {
  RetryBudget budget;
  SpendAll(budget, kNow);
  for (int i = 0; i < 40; ++i) budget.Earn();
  EXPECT_EQ(SpendAll(budget, kNow), 4);
  EXPECT_EQ(SpendAll(budget, kNow + seconds(3)), 3);
  EXPECT_EQ(SpendAll(budget, kNow + std::chrono::hours(9)), RetryBudget::kSavedMax);
}

TEST(RetryBudget, TimeThatGoesBackEarnsNothing) {
  RetryBudget budget;
  SpendAll(budget, kNow);
  EXPECT_EQ(SpendAll(budget, kNow - seconds(100)), 0);
}

class NoCredentials final : public CredentialsSource {
 public:
  std::optional<Credentials> Get() override { return std::nullopt; }
  bool Refused() override { return false; }
};

TEST(RetryBudget, AStoreThatRefusesForEverIsNotHammered) {
  constexpr std::size_t kRequests = 300;
  ScriptedHttpServer server;
  test::LoopRunner runner;
  NoCredentials anonymous;
  CurlHttp http(runner.loop(), {});
  S3Store s3({"far", "bucket", {.endpoint = server.url()}}, http, anonymous, runner.clock());
  EndpointMemory memory;
  RetryOptions options;
  options.backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(1)};
  RetryingStore store(s3, runner.loop(), memory, options, 1, [](const Error&) {});
  server.AnswerAlways({.bytes = HttpText(503)});
  const SteadyTime began = runner.clock().SteadyNow();
  for (std::size_t i = 0; i < kRequests; ++i) {
    EXPECT_EQ(KindOf([&] { runner.Await([&] { return store.GetTags(Key("k")); }); }), "throttled");
  }
  const auto took = std::chrono::ceil<seconds>(runner.clock().SteadyNow() - began).count();
  const auto retries_max = RetryBudget::kSavedMax + took * RetryBudget::kPerSecond +
                           static_cast<std::int64_t>(kRequests) / RetryBudget::kRequestsPerRetry;
  // Without a budget there were four times as many requests.
  EXPECT_LE(server.seen(), kRequests + static_cast<std::size_t>(retries_max));
  EXPECT_GT(server.seen(), kRequests + RetryBudget::kSavedMax);
  runner.Stop();
}

}  // namespace
}  // namespace ferry
