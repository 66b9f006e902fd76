// What one request, one listed key and one job cost on the processor: signing, reading a page,
// deciding, and a claim with its outcomes. What a byte of a body costs is in digest_bench.cc.
//
// The last needs a database with a planned run of the task "claims" (bench/claims.py), whose URI is
// BUCKETFERRY_BENCH_DATABASE, and is left out without.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batch/base/clock.h"
#include "batch/pg/session.h"
#include "batch/plan/diff.h"
#include "batch/queue/job_queue.h"
#include "batch/queue/worker_lease.h"
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

// A key of which all is as the ledger says: what most keys are.
void DecideUnchanged(benchmark::State& state) {
  ListedEntry source;
  source.key = Key("dir-000000/object-0000000000");
  source.etag = "ef4bac55f4818d59fa464b845edf6814";
  source.size_bytes = 1024;
  source.modified_ms = 1'709'208'000'000;
  LedgerEntry ledger;
  ledger.key = source.key;
  ledger.source = IdentityOf(source);
  ledger.destination_etag = source.etag;
  const Sides sides{&source, &source, &ledger};
  for (auto _ : state) {
    const Finding finding = Decide(sides, AdoptPolicy::kVerify);
    if (finding.decision != Decision::kNothing) state.SkipWithError("something is to be done");
  }
}
BENCHMARK(DecideUnchanged);

Outcomes AllDone(const std::vector<Job>& jobs) {
  Outcomes outcomes;
  for (const Job& job : jobs) {
    outcomes.done.push_back({job.job_id, job.source, job.source.etag, "etag_md5", 4096});
  }
  return outcomes;
}

// `range(0)` jobs at a time; items are jobs. The time is that of the database, mostly.
void ClaimAndRecord(benchmark::State& state) {
  const char* const uri = std::getenv("BUCKETFERRY_BENCH_DATABASE");
  if (uri == nullptr) {
    state.SkipWithError("BUCKETFERRY_BENCH_DATABASE is not set");
    return;
  }
  const auto connect = [uri] {
    pg::ConnectOptions options;
    options.uri = uri;
    return std::make_unique<pg::Session>(std::move(options));
  };
  SystemClock clock;
  const WorkerLease lease(connect, clock, {});
  JobQueue queue(connect(), lease.worker_id(), /*attempts_max=*/5);
  const OpenRun run = queue.FindOpenRuns({"claims"}).at(0);
  std::int64_t cursor = 0;
  for (auto _ : state) {
    const std::vector<Job> jobs = queue.ClaimJobs(run.run_id, cursor, state.range(0));
    if (jobs.empty()) state.SkipWithError("no jobs are left");
    queue.Record(run.run_id, run.task_id, AllDone(jobs));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ClaimAndRecord)->Arg(96)->Arg(1024)->Iterations(50)->UseRealTime();

}  // namespace
}  // namespace ferry::bench

BENCHMARK_MAIN();
