// `stores.NAME.habits`: each entry of a provider's table, as far as a server may differ in it.

#include <algorithm>
#include <array>

#include "batch/config/sections.h"

namespace ferry {
namespace {

using yaml::Map;
using yaml::Value;

constexpr std::uint64_t kPartBytesMax = 5 * kGiB;  // what a part size may be here at all
constexpr std::uint64_t kPartsMax = 10'000;
constexpr std::uint64_t kKeyBytesMax = 1024;

// In the order of the enum.
constexpr std::array<std::string_view, 2> kEtags = {"md5", "unknown"};

struct NamedChecksum {
  std::string_view name;
  std::optional<DigestKind> kind;
};
constexpr std::array<NamedChecksum, 5> kChecksums = {{{"none", std::nullopt},
                                                      {"crc32", DigestKind::kCrc32},
                                                      {"crc32c", DigestKind::kCrc32c},
                                                      {"crc64ecma", DigestKind::kCrc64Ecma},
                                                      {"crc64nvme", DigestKind::kCrc64Nvme}}};

struct Switch {
  std::string_view name;
  bool Provider::*habit;
};
constexpr std::array<Switch, 8> kSwitches = {
    {{"list_url_encoding", &Provider::list_url_encoding},
     {"versions", &Provider::versions},
     {"expect_100", &Provider::expect_100},
     {"checksum_in_head", &Provider::checksum_in_head},
     {"tags", &Provider::tags},
     {"tags_on_create", &Provider::tags_on_create},
     {"part_copy", &Provider::part_copy},
     {"copy_keeps_redirect", &Provider::copy_keeps_redirect}}};

void ReadChecksum(const Value& value, Provider& provider) {
  std::array<std::string_view, kChecksums.size()> names;
  std::ranges::transform(kChecksums, names.begin(), &NamedChecksum::name);
  provider.checksum = kChecksums.at(value.Choice(names)).kind;
}

void ReadLimits(const Map& keys, SizeLimits& limits) {
  if (const auto least = keys.Find("part_size_min")) {
    limits.part_bytes_min = least->Size({1, kPartBytesMax});
  }
  if (const auto most = keys.Find("part_size_max")) {
    limits.part_bytes_max = most->Size({limits.part_bytes_min, kPartBytesMax});
    limits.single_put_bytes_max = std::min(limits.single_put_bytes_max, limits.part_bytes_max);
  }
  if (limits.part_bytes_max < limits.part_bytes_min) {
    keys.Need("part_size_min").Fail("is more than the largest part");
  }
  if (const auto parts = keys.Find("parts_max")) {
    limits.parts_max = static_cast<std::uint32_t>(parts->Integer({1, kPartsMax}));
  }
  limits.object_bytes_max =
      std::min(limits.object_bytes_max, limits.part_bytes_max * limits.parts_max);
}

}  // namespace

void ReadHabits(const Value& value, Provider& provider) {
  const Map keys =
      value.Keys({"list_version", "list_url_encoding", "versions", "expect_100", "checksum",
                  "checksum_in_head", "tags", "tags_on_create", "part_copy", "copy_keeps_redirect",
                  "etag", "part_size_min", "part_size_max", "parts_max", "key_bytes_max"});
  for (const auto& [name, habit] : kSwitches) {
    if (const auto said = keys.Find(name)) provider.*habit = said->Bool();
  }
  if (const auto version = keys.Find("list_version")) {
    provider.list_version = static_cast<int>(version->Integer({1, 2}));
  }
  if (const auto checksum = keys.Find("checksum")) ReadChecksum(*checksum, provider);
  if (const auto etag = keys.Find("etag")) {
    provider.etag = static_cast<EtagHabit>(etag->Choice(kEtags));
  }
  if (const auto most = keys.Find("key_bytes_max")) {
    provider.key_bytes_max = static_cast<std::uint32_t>(most->Integer({1, kKeyBytesMax}));
  }
  ReadLimits(keys, provider.limits);
}

}  // namespace ferry
