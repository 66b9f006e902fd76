// How a task writes: `storage_class`, `sse`, `acl`, `tags`, `metadata`, `checksum`, `retention`.

#include <algorithm>
#include <array>

#include "batch/config/sections.h"

namespace ferry {
namespace {

using yaml::Map;
using yaml::Value;

constexpr std::size_t kClassBytesMax = 40;
constexpr std::size_t kValueBytesMax = 2048;
constexpr std::size_t kTagsMax = 10;  // API_PutObjectTagging
constexpr std::size_t kTagNameBytesMax = 128;
constexpr std::size_t kTagValueBytesMax = 256;
constexpr std::size_t kMetadataMax = 50;

// userguide/acl-overview, "Canned ACL".
constexpr std::array<std::string_view, 7> kAcls = {
    "private",           "public-read",   "public-read-write",        "authenticated-read",
    "bucket-owner-read", "aws-exec-read", "bucket-owner-full-control"};

// Beside user metadata.
constexpr std::array<std::string_view, 6> kSystemHeaders = {
    "content-type",     "content-encoding", "content-disposition",
    "content-language", "cache-control",    "expires"};

std::string ReadClass(const Value& value) {
  const std::string name = value.Word(kClassBytesMax, "_");
  const bool capitals =
      std::none_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (!capitals) value.Fail(value.Shown() + " is not a storage class such as STANDARD_IA");
  return name;
}

StorageClassRule ReadStorageClass(const Value& value, const Provider& source,
                                  const Provider& destination) {
  StorageClassRule rule;
  if (value.IsMap()) {
    rule.kind = StorageClassRule::Kind::kMapped;
    for (const auto& [from, to] : value.Named(kMetadataMax)) {
      // As a listing of the source names it.
      rule.classes.emplace_back(UsualStorageClass(source, from), ReadClass(to));
    }
    if (rule.classes.empty()) value.Fail("is an empty map");
  } else if (value.Text() == "keep") {
    if (source.name != destination.name) {
      value.Fail("classes of provider " + std::string(source.name) + " are not those of " +
                 std::string(destination.name) + ": write a map of them");
    }
    rule.kind = StorageClassRule::Kind::kKept;
  } else {
    rule.kind = StorageClassRule::Kind::kFixed;
    rule.name = ReadClass(value);
  }
  return rule;
}

EncryptionRule ReadEncryption(const Value& value) {
  EncryptionRule rule;
  if (value.IsMap()) {
    rule.kind = EncryptionRule::Kind::kKms;
    rule.kms_key = value.Keys({"kms"}).Need("kms").Word(kValueBytesMax, ":/-_");
    return rule;
  }
  const std::string text = value.Text();
  if (text == "s3") {
    rule.kind = EncryptionRule::Kind::kS3;
  } else if (text == "kms") {
    rule.kind = EncryptionRule::Kind::kKms;
  } else {
    value.Fail(value.Shown() + " is not s3, kms, or {kms: KEY}");
  }
  return rule;
}

std::string BoundedText(const Value& value, std::size_t bytes_max) {
  const std::string text = value.AnyText();
  if (text.size() > bytes_max) value.Fail("is longer than " + std::to_string(bytes_max) + " bytes");
  const bool printable = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (!printable) value.Fail("holds a control character");
  return text;
}

TagsRule ReadTags(const Value& value, const Provider& provider) {
  TagsRule rule;
  if (!value.IsMap()) {
    const std::string text = value.Text();
    if (text != "copy" && text != "none")
      value.Fail(value.Shown() + " is not copy, none, or a map");
    rule.kind = text == "copy" ? TagsRule::Kind::kCopied : TagsRule::Kind::kNone;
    return rule;
  }
  if (!provider.tags) {
    value.Fail("provider " + std::string(provider.name) + " of the destination keeps no tags");
  }
  rule.kind = TagsRule::Kind::kFixed;
  for (const auto& [name, text] : value.Named(kTagsMax)) {
    if (name.size() > kTagNameBytesMax) text.Fail("has a name that is too long");
    rule.tags.emplace_back(name, BoundedText(text, kTagValueBytesMax));
  }
  return rule;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::vector<std::pair<std::string, std::string>> ReadMetadata(const Value& value) {
  std::vector<std::pair<std::string, std::string>> headers;
  std::size_t bytes = 0;
  for (const auto& [name, text] : value.Named(kMetadataMax)) {
    const std::string lower = Lower(name);
    const bool system = std::ranges::find(kSystemHeaders, lower) != kSystemHeaders.end();
    if (lower.starts_with("x-amz-")) text.Fail("is written without x-amz-meta-");
    const std::string content = BoundedText(text, kValueBytesMax);
    if (content.starts_with(' ') || content.ends_with(' ')) {
      text.Fail("has a blank at an end, which no header keeps");
    }
    bytes += lower.size() + content.size();
    if (bytes > kValueBytesMax) text.Fail("is too much: objects take 2 KB of metadata together");
    if (lower.starts_with("bucketferry-")) text.Fail("is a name that bucketferry keeps for itself");
    headers.emplace_back(system ? lower : "x-amz-meta-" + lower, content);
  }
  return headers;
}

struct NamedChecksum {
  std::string_view name;
  ChecksumRule rule;
};
constexpr std::array<NamedChecksum, 5> kChecksums = {
    {{"auto", {ChecksumRule::Kind::kAuto, DigestKind::kMd5}},
     {"crc32c", {ChecksumRule::Kind::kNamed, DigestKind::kCrc32c}},
     {"crc64nvme", {ChecksumRule::Kind::kNamed, DigestKind::kCrc64Nvme}},
     {"sha256", {ChecksumRule::Kind::kNamed, DigestKind::kSha256}},
     {"md5", {ChecksumRule::Kind::kMd5, DigestKind::kMd5}}}};

// Whether it can be asked for one in x-amz-checksum-*.
bool TakesChecksums(const Provider& provider) {
  return provider.amz_checksums && !provider.checksum_in_head;
}

ChecksumRule ReadChecksum(const Value& value, const Provider& provider) {
  std::array<std::string_view, kChecksums.size()> names;
  std::ranges::transform(kChecksums, names.begin(), &NamedChecksum::name);
  const ChecksumRule rule = kChecksums.at(value.Choice(names)).rule;
  if (rule.kind != ChecksumRule::Kind::kNamed || TakesChecksums(provider)) return rule;
  const bool own = provider.checksum && rule.digest == *provider.checksum;
  if (own) return rule;
  const bool choice =
      provider.checksum && std::ranges::find(names, ToString(*provider.checksum)) != names.end();
  const std::string can = choice ? "auto, " + std::string(ToString(*provider.checksum)) : "auto";
  value.Fail("provider " + std::string(provider.name) + " of the destination keeps no " +
             std::string(ToString(rule.digest)) + "; it can be " + can + " or md5");
}

RetentionRule ReadRetention(const Value& value) {
  constexpr std::array<std::string_view, 2> kModes = {"governance", "compliance"};
  constexpr std::uint64_t kDaysMax = 36'500;
  const Map keys = value.Keys({"mode", "days"});
  RetentionRule rule;
  rule.mode = keys.Need("mode").Choice(kModes) == 0 ? "GOVERNANCE" : "COMPLIANCE";
  rule.days = static_cast<std::uint32_t>(keys.Need("days").Integer({1, kDaysMax}));
  return rule;
}

// Object Lock takes no body without Content-MD5 or x-amz-checksum-* (API_PutObject), and one that
// flows has its digest behind it, where there is no MD5.
void CheckRetention(const Value& value, const ChecksumRule& checksum, const Provider& provider) {
  const bool has_one = provider.checksum && *provider.checksum != DigestKind::kCrc64Ecma;
  const std::string name(provider.name);
  if (!TakesChecksums(provider)) {
    value.Fail("needs a destination that takes x-amz-checksum-*, and provider " + name +
               " takes none");
  }
  if (checksum.kind == ChecksumRule::Kind::kMd5) {
    value.Fail(
        "needs a checksum that large bodies can carry, and there md5 is none: checksum: can "
        "be crc32c, crc64nvme or sha256");
  }
  if (checksum.kind == ChecksumRule::Kind::kAuto && !has_one) {
    value.Fail("needs a checksum, and for provider " + name +
               " none is known to be there: set "
               "checksum: crc32c, crc64nvme or sha256, as the server has it");
  }
}

}  // namespace

void ReadWriteRules(const Map& keys, const Config& config, TaskConfig& task) {
  WriteConfig& write = task.write;
  if (const auto value = keys.Find("storage_class")) {
    write.storage_class = ReadStorageClass(*value, config.Store(task.source.store).provider,
                                           config.Store(task.destination.store).provider);
  }
  if (const auto value = keys.Find("sse")) write.encryption = ReadEncryption(*value);
  if (const auto value = keys.Find("acl")) write.acl = kAcls.at(value->Choice(kAcls));
  if (const auto value = keys.Find("tags")) {
    write.tags = ReadTags(*value, config.Store(task.destination.store).provider);
  }
  if (const auto value = keys.Find("metadata")) write.metadata = ReadMetadata(*value);
  const Provider& provider = config.Store(task.destination.store).provider;
  if (const auto value = keys.Find("checksum")) write.checksum = ReadChecksum(*value, provider);
  if (const auto value = keys.Find("retention")) {
    write.retention = ReadRetention(*value);
    CheckRetention(*value, write.checksum, provider);
  }
}

}  // namespace ferry
