#include "batch/plan/part_plan.h"

#include <algorithm>

#include "batch/base/check.h"
#include "batch/base/error.h"

namespace ferry {

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// Of aws and boto3, rclone and the least of S3, ours and mc, then what people set.
constexpr std::uint64_t kUsualPartMiB[] = {8,  5,  16, 64, 32,  100, 128,
                                           10, 15, 25, 50, 256, 512, 1024};

std::uint64_t DivideUp(std::uint64_t a, std::uint64_t b) { return a / b + (a % b == 0 ? 0 : 1); }

}  // namespace

std::uint64_t PartBytesForALongWay(std::uint64_t object_bytes, std::uint64_t part_bytes) {
  constexpr std::uint64_t kParts = 384;
  constexpr std::uint64_t kPartBytesMin = 5 * kMiB;
  return std::min(part_bytes, std::max(kPartBytesMin, object_bytes / kParts + 1));
}

std::uint64_t ChoosePartBytes(std::uint64_t object_bytes, std::uint64_t wanted_bytes,
                              const PartLimits& limits) {
  FERRY_CHECK(object_bytes > 0 && limits.parts_max > 0);
  std::uint64_t part_bytes = std::max(wanted_bytes, limits.part_bytes_min);
  const std::uint64_t needed = DivideUp(object_bytes, limits.parts_max);
  if (needed > part_bytes) part_bytes = DivideUp(needed, kMiB) * kMiB;
  part_bytes = std::min(part_bytes, limits.part_bytes_max);
  if (DivideUp(object_bytes, part_bytes) > limits.parts_max) {
    throw Error(ErrorKind::kInvalid, "the object is larger than the destination can hold");
  }
  return part_bytes;
}

std::optional<std::uint64_t> GuessPartBytes(std::uint64_t object_bytes, std::uint32_t parts,
                                            std::uint64_t wanted_bytes) {
  FERRY_CHECK(object_bytes > 0 && parts > 0);
  const auto makes_as_many = [&](std::uint64_t part_bytes) {
    return DivideUp(object_bytes, part_bytes) == parts;
  };
  if (parts == 1) return object_bytes;
  if (makes_as_many(wanted_bytes)) return wanted_bytes;
  for (const std::uint64_t mib : kUsualPartMiB) {
    if (makes_as_many(mib * kMiB)) return mib * kMiB;
  }
  const std::uint64_t least = DivideUp(DivideUp(object_bytes, parts), kMiB) * kMiB;
  if (makes_as_many(least)) return least;
  return std::nullopt;
}

std::uint32_t CountParts(std::uint64_t object_bytes, std::uint64_t part_bytes) {
  return static_cast<std::uint32_t>(DivideUp(object_bytes, part_bytes));
}

std::vector<Part> PlanParts(std::uint64_t object_bytes, std::uint64_t part_bytes) {
  std::vector<Part> parts;
  parts.reserve(CountParts(object_bytes, part_bytes));
  for (std::uint64_t first = 0; first < object_bytes; first += part_bytes) {
    parts.push_back({static_cast<std::uint32_t>(parts.size() + 1), first,
                     std::min(part_bytes, object_bytes - first)});
  }
  return parts;
}

}  // namespace ferry
