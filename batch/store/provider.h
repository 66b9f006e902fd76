// The habits of each provider, as data. What is measured at run time (a checksum seen, an ETag that
// was an MD5) is not here; this is what to begin with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "batch/base/digest.h"
#include "batch/base/key.h"

namespace ferry {

enum class AddressStyle { kAuto, kPath, kVirtual };

// What an ETag of 32 hex digits says about an object that one PUT wrote without KMS or SSE-C.
enum class EtagHabit {
  kMd5,      // is its MD5; and "md5(md5s)-N" after multipart
  kUnknown,  // may be, once it was seen to hold for this bucket
};

struct SizeLimits {
  std::uint64_t part_bytes_min;  // all parts but the last
  std::uint64_t part_bytes_max;
  std::uint32_t parts_max;
  std::uint64_t object_bytes_max;
  std::uint64_t single_put_bytes_max;
};

struct Provider {
  std::string_view name;
  bool served;               // false: known by name, refused for now
  bool has_region_endpoint;  // DefaultEndpoint knows one
  AddressStyle addressing;   // kAuto: virtual where bucket, host and certificate allow it
  int list_version;          // 2; a V1-shaped answer switches to V1 whatever stands here
  bool list_url_encoding;    // ask for encoding-type=url
  bool expect_100;           // send Expect: 100-continue with large bodies
  // The checksum it keeps of each object, over all its bytes, checks where one is sent, and
  // answers.
  std::optional<DigestKind> checksum;
  bool size_on_complete;     // x-amz-mp-object-size is checked
  bool tags_on_create;       // x-amz-tagging of CreateMultipartUpload is kept
  bool copy_keeps_redirect;  // CopyObject takes the website redirect along
  bool copy_old_if_match;    // CopyObject is pinned by x-amz-copy-if-match
  EtagHabit etag;
  SizeLimits limits;
  std::uint32_t key_bytes_max;
};

// Throws Error{kConfig} for a name nobody knows, and for one that is known and not served yet.
const Provider& FindProvider(std::string_view name);

// "https://s3.eu-west-1.amazonaws.com", "https://s3.cn-north-1.amazonaws.com.cn".
// Throws Error{kConfig} where an endpoint must be configured, or the region is no region name.
std::string DefaultEndpoint(const Provider& provider, std::string_view region);

// [a-z0-9-], 1 to 40. A region becomes part of a host name, and a server may have named it.
bool IsRegionName(std::string_view region);

// Why this provider would not take the key, for the per-key verdict "key not allowed there";
// nullopt: it would. Says only what is certain: a key wrongly refused here is never copied.
std::optional<std::string> KeyRefusal(const Provider& provider, const Key& key);

}  // namespace ferry
