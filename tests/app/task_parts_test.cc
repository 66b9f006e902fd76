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

TEST(FilterOf, CountsAgesFromNow) {
  TaskConfig task;
  task.min_age = std::chrono::hours(1);
  task.max_age = std::chrono::hours(24);
  constexpr std::int64_t kHourMs = 3'600'000;
  constexpr std::int64_t kNowMs = 1'800'000'000'000;
  const ObjectFilter filter = FilterOf(task, WallTime(std::chrono::milliseconds(kNowMs)));
  const auto matches = [&](std::int64_t age_ms) {
    return filter.Matches({Key("k"), "etag", 1, kNowMs - age_ms});
  };
  EXPECT_FALSE(matches(kHourMs - 1));
  EXPECT_TRUE(matches(kHourMs));
  EXPECT_TRUE(matches(24 * kHourMs));
  EXPECT_FALSE(matches(24 * kHourMs + 1));
}

TEST(FilterOf, WithoutAgesTakesWhatIsYoungerThanOurClockSays) {
  EXPECT_TRUE(FilterOf(TaskConfig(), WallTime()).Matches({Key("k"), "etag", 1, 1'000}));
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

TEST(DestinationProviderOf, KeepsTheChecksumThatTheTaskAsksFor) {
  StoreConfig aws, gcs;
  aws.provider = FindProvider("aws");
  gcs.provider = FindProvider("gcs");
  TaskConfig task;
  EXPECT_EQ(DestinationProviderOf(task, aws).checksum, DigestKind::kCrc64Nvme);
  EXPECT_FALSE(DemandsChecksum(task, aws));
  task.write.retention = RetentionRule{"GOVERNANCE", 1};
  EXPECT_EQ(DestinationProviderOf(task, aws).checksum, DigestKind::kCrc64Nvme);
  EXPECT_TRUE(DemandsChecksum(task, aws));
  task.write.retention.reset();
  task.write.checksum = {ChecksumRule::Kind::kNamed, DigestKind::kSha256};
  EXPECT_EQ(DestinationProviderOf(task, aws).checksum, DigestKind::kSha256);
  EXPECT_TRUE(DemandsChecksum(task, aws));
  task.write.checksum = {ChecksumRule::Kind::kMd5, DigestKind::kMd5};
  EXPECT_EQ(DestinationProviderOf(task, aws).checksum, std::nullopt);
  EXPECT_FALSE(DemandsChecksum(task, aws));
  task.write.checksum = {ChecksumRule::Kind::kNamed, DigestKind::kCrc32c};
  EXPECT_EQ(DestinationProviderOf(task, gcs).checksum, DigestKind::kCrc32c);
  EXPECT_FALSE(DemandsChecksum(task, gcs));  // it says so unasked
}

}  // namespace
}  // namespace ferry
