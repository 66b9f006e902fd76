// What one request and one listed key cost on the processor: signing, and reading a page.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "batch/base/clock.h"
#include "batch/store/s3_xml.h"
#include "batch/store/sigv4.h"
#include "batch/store/uri.h"
#include "bench/synthetic_bucket.h"

namespace ferry::bench {
namespace {

const WallTime kNow = WallTime{} + std::chrono::hours(24 * 20'000);

Signer TestSigner() {
  return Signer({"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""},
                {"us-east-1", "s3", SignProfile::kS3});
}

// As the store signs the PUT of a small object: bare headers and `range(0)` of metadata.
void SignPut(benchmark::State& state) {
  Signer signer = TestSigner();
  const NameValues query;
  NameValues headers = {{"host", "127.0.0.1:8000"},
                        {"content-type", "application/octet-stream"},
                        {"content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="}};
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    headers.emplace_back("x-amz-meta-name-" + std::to_string(i), "a value of usual length");
  }
  const std::string path = UriEncode("/bucket/dir-000000/object-0000000000", SlashRule::kKeep);
  for (auto _ : state) {
    benchmark::DoNotOptimize(signer.Sign({"PUT", path, query, headers, kUnsignedPayload}, kNow));
  }
}
BENCHMARK(SignPut)->Arg(0)->Arg(10);

void SignList(benchmark::State& state) {
  Signer signer = TestSigner();
  const NameValues query = {
      {"list-type", "2"},
      {"encoding-type", "url"},
      {"max-keys", "1000"},
      {"prefix", "in/"},
      {"continuation-token", "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM="}};
  const NameValues headers = {{"host", "127.0.0.1:8000"}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        signer.Sign({"GET", "/bucket", query, headers, kEmptyPayloadHash}, kNow));
  }
}
BENCHMARK(SignList);

void EncodeKey(benchmark::State& state) {
  const std::string key = "dir-000000/ein Ordner/\xE6\x97\xA5\xE6\x9C\xAC-0000000000.jpeg";
  for (auto _ : state) benchmark::DoNotOptimize(UriEncode(key, SlashRule::kKeep));
}
BENCHMARK(EncodeKey);

// A page of `range(0)` keys; items are keys.
void ReadListPage(benchmark::State& state) {
  const auto keys = static_cast<std::size_t>(state.range(0));
  ListQuery query;
  query.url_encoded = true;
  query.keys_max = keys;
  const std::optional<std::string> page = SyntheticBucket(1'000'000, 50, 0).List(query);
  for (auto _ : state) {
    const ListPage parsed = ParseListPage(*page);
    if (parsed.objects.size() != keys) state.SkipWithError("the page was not read whole");
    benchmark::DoNotOptimize(parsed.objects.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(page->size()));
}
BENCHMARK(ReadListPage)->Arg(1000)->Arg(10);

// The other side of it, so that a bench of listings knows what its server takes.
void WriteListPage(benchmark::State& state) {
  const SyntheticBucket bucket(1'000'000, 50, 0);
  ListQuery query;
  query.url_encoded = true;
  query.continuation_token = "500000";
  for (auto _ : state) benchmark::DoNotOptimize(bucket.List(query));
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(WriteListPage);

}  // namespace
}  // namespace ferry::bench

BENCHMARK_MAIN();
