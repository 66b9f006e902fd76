// What a byte of a body costs on the processor: MD5, and the CRCs that spare it.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "batch/base/batch_md5.h"
#include "batch/base/crc.h"
#include "batch/base/digest.h"

namespace ferry::bench {
namespace {

// As bodies come from libcurl, and small objects whole.
constexpr std::int64_t kPiece = 16 << 10;
constexpr std::int64_t kSmall = 1 << 10;

std::string Body(const benchmark::State& state) {
  return std::string(static_cast<std::size_t>(state.range(0)), 'x');
}

void CountBytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void DigestMd5(benchmark::State& state) {
  const std::string body = Body(state);
  Md5 md5;
  for (auto _ : state) md5.Update(body);
  benchmark::DoNotOptimize(md5.Finish());
  CountBytes(state);
}
BENCHMARK(DigestMd5)->Arg(kSmall)->Arg(kPiece);

// So many bodies that pass side by side; the figure is of all together.
void DigestMd5SideBySide(benchmark::State& state) {
  const std::string body(128 << 10, 'x');
  std::vector<BatchMd5> bodies(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (BatchMd5& one : bodies) one.Update(body);
  }
  for (BatchMd5& one : bodies) benchmark::DoNotOptimize(one.Finish());
  state.SetBytesProcessed(state.iterations() * state.range(0) * std::ssize(body));
}
BENCHMARK(DigestMd5SideBySide)->Arg(1)->Arg(2)->Arg(4)->Arg(8)->Arg(12)->Arg(16)->Arg(24);

void DigestCrc(benchmark::State& state, CrcKind kind, CrcWay way) {
  const std::string body = Body(state);
  Crc crc(kind, way);
  for (auto _ : state) crc.Update(body);
  benchmark::DoNotOptimize(crc.value());
  CountBytes(state);
}
BENCHMARK_CAPTURE(DigestCrc, Crc64Nvme, CrcKind::kCrc64Nvme, FastestCrcWay())
    ->Arg(kSmall)
    ->Arg(kPiece);
BENCHMARK_CAPTURE(DigestCrc, Crc64Ecma, CrcKind::kCrc64Ecma, FastestCrcWay())->Arg(kPiece);
BENCHMARK_CAPTURE(DigestCrc, Crc32c, CrcKind::kCrc32c, FastestCrcWay())->Arg(kPiece);
BENCHMARK_CAPTURE(DigestCrc, Crc32, CrcKind::kCrc32, FastestCrcWay())->Arg(kPiece);
BENCHMARK_CAPTURE(DigestCrc, Crc64NvmeByTables, CrcKind::kCrc64Nvme, CrcWay::kTables)->Arg(kPiece);

void CombinePartCrcs(benchmark::State& state) {
  std::uint64_t crc = 1;
  for (auto _ : state) crc = CombineCrcs(CrcKind::kCrc64Nvme, crc, 7, 64 << 20);
  benchmark::DoNotOptimize(crc);
}
BENCHMARK(CombinePartCrcs);

}  // namespace
}  // namespace ferry::bench
