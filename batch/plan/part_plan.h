// Sizes -> parts of a multipart upload.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace ferry {

// The size of parts for a long way: 384 of them, so that a connection which turns out to be slow
// has few, and at the end not much of one; but no larger than `part_bytes`, and none smaller than
// S3 takes (API_UploadPart: 5 MiB).
std::uint64_t PartBytesForALongWay(std::uint64_t object_bytes, std::uint64_t part_bytes);

struct PartLimits {
  std::uint64_t part_bytes_min = 0;  // of all parts but the last
  std::uint64_t part_bytes_max = 0;
  std::uint32_t parts_max = 0;
};

struct Part {
  std::uint32_t number = 0;  // from 1
  std::uint64_t first_byte = 0;
  std::uint64_t size_bytes = 0;
};

// The smallest part size from `wanted_bytes` up that needs no more than parts_max parts, in whole
// MiB where it had to grow, within the limits. All parts but the last are equal, which some stores
// demand. Throws Error{kInvalid} when no size fits. REQUIRES: object_bytes > 0.
std::uint64_t ChoosePartBytes(std::uint64_t object_bytes, std::uint64_t wanted_bytes,
                              const PartLimits& limits);

// The part size of an object that somebody wrote in so many parts: `wanted_bytes` where that makes
// as many, else a usual one, else the smallest in whole MiB. A guess: several sizes make the same
// number of parts. nullopt: none of these does. REQUIRES: object_bytes > 0, parts > 0.
std::optional<std::uint64_t> GuessPartBytes(std::uint64_t object_bytes, std::uint32_t parts,
                                            std::uint64_t wanted_bytes);

std::vector<Part> PlanParts(std::uint64_t object_bytes, std::uint64_t part_bytes);

std::uint32_t CountParts(std::uint64_t object_bytes, std::uint64_t part_bytes);

}  // namespace ferry
