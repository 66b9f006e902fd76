// The habits of each provider, as data. What is measured at run time (a checksum seen, an ETag that
// was an MD5) is not here; this is what to begin with, and a configuration may say otherwise
// (stores.NAME.habits).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/digest.h"

namespace ferry {

enum class AddressStyle {
  kAuto,  // virtual where bucket, host and certificate allow it
  kPath,
  kVirtual,
};

// What an ETag of 32 hex digits says about an object that one PUT wrote without KMS or SSE-C.
enum class EtagHabit {
  kMd5,      // is its MD5; and "md5(md5s)-N" after multipart
  kUnknown,  // may be, once it was seen to hold for this bucket
};

// Which keys there are, beside their length: see KeyRefusal.
enum class KeyRule { kAnyBytes, kUtf8, kMinio, kOss, kGcs };

struct SizeLimits {
  std::uint64_t part_bytes_min;  // all parts but the last
  std::uint64_t part_bytes_max;
  std::uint32_t parts_max;
  std::uint64_t object_bytes_max;
  std::uint64_t single_put_bytes_max;
};

struct Provider {
  std::string_view name;
  // Where it is, with {region} and {domain} in it; empty: only the configuration knows.
  std::string_view endpoint;
  std::string_view dual_stack_endpoint;  // of IPv4 and IPv6; empty: there is none
  std::string_view region;          // that is signed for where none is configured; empty: needed
  std::string_view region_example;  // for people
  AddressStyle addressing;
  int list_version;        // 2; a V1-shaped answer switches to V1 whatever stands here
  bool list_url_encoding;  // ask for encoding-type=url
  bool versions;           // ListObjectVersions
  bool expect_100;         // send Expect: 100-continue with large bodies
  // The checksum it keeps of each object, over all its bytes, checks where one is sent, and
  // answers.
  std::optional<DigestKind> checksum;
  // It says so in a header of its own (x-goog-hash, x-oss-hash-crc64ecma), unasked, also of HEAD;
  // false: in x-amz-checksum-*, which requests ask for and name.
  bool checksum_in_head;
  bool tags;                 // objects have some
  bool tags_on_create;       // x-amz-tagging of CreateMultipartUpload is kept
  bool part_copy;            // UploadPartCopy
  bool copy_keeps_redirect;  // CopyObject takes the website redirect along
  bool copy_old_if_match;    // CopyObject is pinned by x-amz-copy-if-match
  EtagHabit etag;
  bool upper_case_etags;  // until an answer shows it
  SizeLimits limits;
  std::uint32_t key_bytes_max;
  KeyRule keys;
  // RestoreObject: the element of its body that holds the tier; empty: it has no such call.
  std::string_view restore_parameters;
  // A list says of archived objects whether they can be read for now, where it is asked to
  // (API_ListObjectsV2, x-amz-optional-object-attributes).
  bool lists_restored;
  // Its own names of classes that must be restored before they are read, beside AWS's.
  std::array<std::string_view, 3> archive_classes;
};

// Throws Error{kConfig} for a name nobody knows.
const Provider& FindProvider(std::string_view name);

// In the order of the table.
const std::vector<std::string_view>& ProviderNames();

// "https://s3.eu-west-1.amazonaws.com", "https://s3.cn-north-1.amazonaws.com.cn".
// Throws Error{kConfig} where an endpoint must be configured, or the region is no region name.
std::string DefaultEndpoint(const Provider& provider, std::string_view region);
// As DefaultEndpoint, for hosts of both IP versions. Throws also where there are none.
std::string DualStackEndpoint(const Provider& provider, std::string_view region);

// AWS's name for a class that this provider names otherwise, where it matters: GLACIER for one that
// must be restored. Any other as it is.
std::string_view UsualStorageClass(const Provider& provider, std::string_view storage_class);

// [a-z0-9-], 1 to 40. A region becomes part of a host name, and a server may have named it.
bool IsRegionName(std::string_view region);

}  // namespace ferry
