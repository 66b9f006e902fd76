// What the values of a task's configuration make of the parts that work it off.
#include "batch/app/task_parts.h"

#include <gtest/gtest.h>

#include "batch/copy/object_copy.h"

namespace ferry {
namespace {

constexpr std::uint64_t kLarge = std::uint64_t{1} << 32;

WorkerOptions OptionsOf(std::uint64_t memory, std::uint32_t concurrency) {
  TransferConfig transfer;
  transfer.memory = memory;
  transfer.concurrency = concurrency;
  return WorkerOptionsOf(transfer);
}

TEST(WorkerOptionsOf, AllTransfersAtOnceFitTheMemoryBudget) {
  for (const std::uint64_t mebibytes : {16, 32, 64, 256}) {
    const WorkerOptions options = OptionsOf(mebibytes * kMiB, 16);
    EXPECT_LE(16 * BodyMemory(kLarge, options.ring_bytes), mebibytes * kMiB) << mebibytes;
  }
}

TEST(WorkerOptionsOf, ARingKeepsAUsefulSizeHoweverSmallTheBudget) {
  EXPECT_EQ(OptionsOf(8 * kMiB, 1024).ring_bytes, 256 * kKiB);
  EXPECT_EQ(OptionsOf(8 * kGiB, 4).ring_bytes, kMiB);
}

}  // namespace
}  // namespace ferry
