#include "batch/store/provider.h"

#include <algorithm>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::uint64_t kTiB = 1024 * kGiB;

// docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts: parts of 5 MiB to 5 GiB, 10,000 of them,
// objects to 48.8 TiB (10,000 x 5 GiB); one PUT to 5 GiB.
constexpr SizeLimits kAwsLimits = {.part_bytes_min = 5 * kMiB,
                                   .part_bytes_max = 5 * kGiB,
                                   .parts_max = 10'000,
                                   .object_bytes_max = 10'000 * 5 * kGiB,
                                   .single_put_bytes_max = 5 * kGiB};

// Compatible servers took these over when AWS still ended at 5 TiB. minio: docs/minio-limits.md
// (50 TiB in new ones, 5 TiB in old). Ceph: rgw_multipart_min_part_size, rgw_multipart_part_upload_
// limit, rgw_max_put_size (5 GiB); it has no limit of an object of its own.
constexpr SizeLimits kCompatibleLimits = {.part_bytes_min = 5 * kMiB,
                                          .part_bytes_max = 5 * kGiB,
                                          .parts_max = 10'000,
                                          .object_bytes_max = 5 * kTiB,
                                          .single_put_bytes_max = 5 * kGiB};

constexpr SizeLimits kCephLimits = {.part_bytes_min = 5 * kMiB,
                                    .part_bytes_max = 5 * kGiB,
                                    .parts_max = 10'000,
                                    .object_bytes_max = 10'000 * 5 * kGiB,
                                    .single_put_bytes_max = 5 * kGiB};

// What every provider that is served starts from; each says below what is different. Headers that
// a server may not know are off: servers refused unknown x-amz-checksum-* (minio/minio#20845,
// apache/doris#58467), and Expect broke old gateways (cloudfoundry/bosh-s3cli#16).
constexpr Provider kAnyS3 = {
    .name = "s3",
    .served = true,
    .has_region_endpoint = false,
    .addressing = AddressStyle::kPath,
    .list_version = 2,
    .list_url_encoding = true,
    .expect_100 = false,
    .checksum = std::nullopt,
    .size_on_complete = false,
    .tags_on_create = false,  // RGW 16.2 drops it, measured; asked after Complete
    .copy_keeps_redirect = false,
    .copy_old_if_match = false,
    .etag = EtagHabit::kUnknown,
    .limits = kCompatibleLimits,
    .key_bytes_max = 1024};

constexpr Provider Aws() {
  Provider aws = kAnyS3;
  aws.name = "aws";
  aws.has_region_endpoint = true;
  aws.addressing = AddressStyle::kAuto;  // path style is deprecated; dots break the certificate
  aws.expect_100 = true;                 // an early 503 of a 50 MB PUT cost 0 body bytes, measured
  // userguide/checking-object-integrity: of every object, also where the request named none; of an
  // upload over all its bytes, without being told those of its parts.
  aws.checksum = DigestKind::kCrc64Nvme;
  aws.tags_on_create = true;  // API_CreateMultipartUpload, x-amz-tagging
  // API_CopyObject: x-amz-website-redirect-location "is unique to each object and is not copied".
  aws.copy_keeps_redirect = false;
  aws.size_on_complete = true;  // API_CompleteMultipartUpload, x-amz-mp-object-size
  // API_Object: the MD5 with SSE-S3 or none, not with SSE-KMS or SSE-C. That is seen per object.
  aws.etag = EtagHabit::kMd5;
  aws.limits = kAwsLimits;
  return aws;
}

constexpr Provider Minio() {
  Provider minio = kAnyS3;
  minio.name = "minio";
  minio.tags_on_create = true;  // cmd/erasure-multipart.go keeps it with the metadata
  // PUT: MD5, or random where the server runs with --no-compat or compresses or encrypts.
  minio.etag = EtagHabit::kUnknown;
  minio.expect_100 = true;  // Go's net/http answers 100 at the first read
  return minio;
}

constexpr Provider Ceph() {
  Provider ceph = kAnyS3;
  ceph.name = "ceph";
  ceph.etag = EtagHabit::kMd5;  // rgw_op.cc: MD5 of the body, "md5(md5s)-N" after Complete
  ceph.limits = kCephLimits;
  // RGW 16.2, measured: all headers and tags go along; the pin is heeded under this name only, and
  // UploadPartCopy heeds none.
  ceph.copy_keeps_redirect = true;
  ceph.copy_old_if_match = true;
  return ceph;
}

constexpr Provider NotYet(std::string_view name) {
  Provider provider = kAnyS3;
  provider.name = name;
  provider.served = false;
  return provider;
}

constexpr Provider kProviders[] = {
    Aws(),          Minio(), Ceph(), kAnyS3,
    NotYet("oss"),   // virtual hosts only, own part limits, CRC64 (ECMA), x-oss-forbid-overwrite
    NotYet("cos"),   // virtual hosts only, list V1, CRC64 (ECMA), keys to 850 bytes
    NotYet("kodo"),  // endpoints by age, bucket names of its own, keys to 750 bytes
    NotYet("gcs"),   // no part copy, CRC32C in x-goog-hash, decompresses on the way
    NotYet("r2"),    // all parts equal, random ETags
};

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kWhite = " \t\n\v\f\r";
  text.remove_prefix(std::min(text.find_first_not_of(kWhite), text.size()));
  return text.substr(0, text.find_last_not_of(kWhite) + 1);
}

// MinIO maps keys to paths: IsValidObjectPrefix, checkObjectNameForLengthAndSlash (cmd/object-api-
// utils.go), hasBadPathComponent (cmd/generic-handlers.go), checkPathLength (cmd/xl-storage.go).
// A backslash is refused on Windows only (minio#16856), and so not here.
std::optional<std::string> MinioKeyRefusal(std::string_view key) {
  constexpr std::size_t kSegmentBytesMax = 255;
  if (key.starts_with('/')) return "MinIO refuses a leading slash";
  if (key.find("//") != std::string_view::npos) return "MinIO refuses //";
  if (key.find('\0') != std::string_view::npos) return "MinIO refuses a NUL byte";
  if (!IsUtf8(key)) return "MinIO refuses a key that is not UTF-8";
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('/', begin), key.size());
    std::string_view segment = key.substr(begin, end - begin);
    if (segment.size() > kSegmentBytesMax) return "MinIO refuses a segment of over 255 bytes";
    segment = Trimmed(segment);  // so does MinIO, before it looks
    if (segment == "." || segment == "..") return "MinIO refuses . and .. between slashes";
    begin = end + 1;
  }
  return std::nullopt;
}

}  // namespace

const Provider& FindProvider(std::string_view name) {
  for (const Provider& provider : kProviders) {
    if (provider.name != name) continue;
    if (provider.served) return provider;
    throw Error(ErrorKind::kConfig, "provider " + std::string(name) +
                                        " is known but not supported yet; supported are aws, "
                                        "minio, ceph, s3");
  }
  throw Error(ErrorKind::kConfig, "unknown provider " + EscapeBytes(name) +
                                      "; write aws, minio, ceph, or s3 for any other");
}

bool IsRegionName(std::string_view region) {
  return !region.empty() && region.size() <= 40 &&
         std::all_of(region.begin(), region.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::string DefaultEndpoint(const Provider& provider, std::string_view region) {
  if (!provider.has_region_endpoint) {
    throw Error(ErrorKind::kConfig,
                "provider " + std::string(provider.name) + " needs an endpoint");
  }
  if (region.empty()) {
    throw Error(ErrorKind::kConfig,
                "provider " + std::string(provider.name) + " needs a region or an endpoint");
  }
  if (!IsRegionName(region)) {
    throw Error(ErrorKind::kConfig, EscapeBytes(region) + " is no region name");
  }
  // docs.aws.amazon.com/general/latest/gr/s3.html; docs.amazonaws.cn/en_us/aws/latest/userguide/
  // endpoints-Ningxia.html and -Beijing.html: the partition aws-cn has its own domain.
  const bool china = region.starts_with("cn-");
  return "https://s3." + std::string(region) + (china ? ".amazonaws.com.cn" : ".amazonaws.com");
}

std::optional<std::string> KeyRefusal(const Provider& provider, const Key& key) {
  if (key.empty()) return "an empty key is the bucket itself";
  if (key.bytes().size() > provider.key_bytes_max) {
    return "the key has over " + std::to_string(provider.key_bytes_max) + " bytes";
  }
  if (provider.name == "minio") return MinioKeyRefusal(key.bytes());
  return std::nullopt;
}

}  // namespace ferry
