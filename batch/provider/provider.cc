#include "batch/provider/provider.h"

#include <algorithm>
#include <iterator>

#include "batch/base/error.h"
#include "batch/base/key.h"

namespace ferry {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::uint64_t kTiB = 1024 * kGiB;

constexpr std::uint32_t kPartsMax = 10'000;

// docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts: parts of 5 MiB to 5 GiB, 10,000 of them,
// objects to 48.8 TiB (10,000 x 5 GiB); one PUT to 5 GiB.
constexpr SizeLimits kAwsLimits = {.part_bytes_min = 5 * kMiB,
                                   .part_bytes_max = 5 * kGiB,
                                   .parts_max = kPartsMax,
                                   .object_bytes_max = kPartsMax * 5 * kGiB,
                                   .single_put_bytes_max = 5 * kGiB};

constexpr SizeLimits Limits(std::uint64_t part_min, std::uint64_t part_max,
                            std::uint64_t object_max) {
  SizeLimits limits = kAwsLimits;
  limits.part_bytes_min = part_min;
  limits.part_bytes_max = part_max;
  limits.object_bytes_max = object_max;
  limits.single_put_bytes_max = std::min(part_max, 5 * kGiB);
  return limits;
}

// Compatible servers took AWS's over when AWS still ended at 5 TiB. minio: docs/minio-limits.md
// (50 TiB in new ones, 5 TiB in old).
constexpr SizeLimits kCompatibleLimits = Limits(5 * kMiB, 5 * kGiB, 5 * kTiB);

// What every provider starts from; each says below what is different. Headers that a server may
// not know are off: servers refused unknown x-amz-checksum-* (minio/minio#20845,
// apache/doris#58467), and Expect broke old gateways (cloudfoundry/bosh-s3cli#16).
constexpr Provider kAnyS3 = {.name = "s3",
                             .endpoint = {},
                             .dual_stack_endpoint = {},
                             .region = "us-east-1",  // which servers without regions take
                             .region_example = "us-east-1",
                             .addressing = AddressStyle::kPath,
                             .list_version = 2,
                             .list_url_encoding = true,
                             .versions = true,
                             .expect_100 = false,
                             .checksum = std::nullopt,
                             .checksum_in_head = false,
                             .amz_checksums = true,
                             .tags = true,
                             .tags_on_create = false,  // RGW 16.2 drops it, measured
                             .part_copy = true,
                             .copy_keeps_redirect = false,
                             .copy_old_if_match = false,
                             .etag = EtagHabit::kUnknown,
                             .upper_case_etags = false,
                             .limits = kCompatibleLimits,
                             .key_bytes_max = 1024,
                             .keys = KeyRule::kAnyBytes,
                             .restore_parameters = "GlacierJobParameters",
                             .lists_restored = false,
                             .archive_classes = {}};

constexpr Provider Aws() {
  Provider aws = kAnyS3;
  aws.name = "aws";
  // docs.aws.amazon.com/general/latest/gr/s3.html; docs.amazonaws.cn/en_us/aws/latest/userguide/
  // endpoints-Ningxia.html and -Beijing.html: the partition aws-cn has its own domain.
  aws.endpoint = "https://s3.{region}.{domain}";
  // userguide/dual-stack-endpoints; in China, too.
  aws.dual_stack_endpoint = "https://s3.dualstack.{region}.{domain}";
  aws.region = {};
  aws.region_example = "eu-west-1 or cn-north-1";
  aws.addressing = AddressStyle::kAuto;  // path style is deprecated; dots break the certificate
  aws.expect_100 = true;                 // an early 503 of a 50 MB PUT cost 0 body bytes, measured
  // userguide/checking-object-integrity: of every object, also where the request named none; of an
  // upload over all its bytes, without being told those of its parts.
  aws.checksum = DigestKind::kCrc64Nvme;
  aws.tags_on_create = true;  // API_CreateMultipartUpload, x-amz-tagging
  // API_CopyObject: x-amz-website-redirect-location "is unique to each object and is not copied".
  aws.copy_keeps_redirect = false;
  // API_Object: the MD5 with SSE-S3 or none, not with SSE-KMS or SSE-C. That is seen per object.
  aws.etag = EtagHabit::kMd5;
  aws.limits = kAwsLimits;
  aws.lists_restored = true;
  return aws;
}

constexpr Provider Oss() {
  Provider oss = kAnyS3;
  oss.name = "oss";
  // help.aliyun.com/en/oss/developer-reference/use-aws-sdks-to-access-oss: "S3-compatible endpoint
  // format"; .../compatibility-with-amazon-s3: "only supports virtual hosted style".
  oss.endpoint = "https://s3.oss-{region}.aliyuncs.com";
  oss.region = {};
  oss.region_example = "cn-hangzhou";
  oss.addressing = AddressStyle::kVirtual;
  // API PutObject, CompleteMultipartUpload, HeadObject: x-oss-hash-crc64ecma. Where the
  // S3-compatible endpoint leaves it out, MD5 takes its place at run time.
  oss.checksum = DigestKind::kCrc64Ecma;
  oss.checksum_in_head = true;
  oss.upper_case_etags = true;  // API PutObject, examples of answers
  // .../oss/user-guide/limits: parts of 100 KB to 5 GB, 10,000 of them.
  oss.limits = Limits(100 * kKiB, 5 * kGiB, kPartsMax * 5 * kGiB);
  oss.key_bytes_max = 1023;  // .../object-naming-conventions
  oss.keys = KeyRule::kOss;
  oss.restore_parameters = "JobParameters";  // API RestoreObject
  // .../oss/user-guide/overview-53: its own protocol's names, beside GLACIER of the other.
  oss.archive_classes = {"Archive", "ColdArchive", "DeepColdArchive"};
  return oss;
}

constexpr Provider Cos() {
  Provider cos = kAnyS3;
  cos.name = "cos";
  // tencentcloud.com/document/product/436/32537 (AWS SDKs); 403 PathStyleDomainForbidden otherwise.
  cos.endpoint = "https://cos.{region}.myqcloud.com";
  cos.region = {};
  cos.region_example = "ap-guangzhou";
  cos.addressing = AddressStyle::kVirtual;
  cos.list_version = 1;  // rclone backend/s3/provider/TencentCOS.yaml
  // 436/7729 (common response headers): x-cos-hash-crc64ecma.
  cos.checksum = DigestKind::kCrc64Ecma;
  cos.checksum_in_head = true;
  // 436/14112, 436/7750: parts of 1 MB to 5 GB, 10,000 of them.
  cos.limits = Limits(kMiB, 5 * kGiB, kPartsMax * 5 * kGiB);
  cos.key_bytes_max = 850;  // 436/13324
  cos.keys = KeyRule::kUtf8;
  cos.restore_parameters = "CASJobParameters";  // 436/12633, POST Object restore
  cos.archive_classes = {"ARCHIVE"};  // 436/33417; that of Google Cloud Storage is read at once
  return cos;
}

constexpr Provider Kodo() {
  Provider kodo = kAnyS3;
  kodo.name = "kodo";
  // developer.qiniu.com/kodo/4088 (service endpoints); both address styles.
  kodo.endpoint = "https://s3.{region}.qiniucs.com";
  kodo.region = {};
  kodo.region_example = "cn-east-1";
  kodo.list_url_encoding = false;  // rclone backend/s3/provider/Qiniu.yaml
  kodo.versions = false;           // kodo/4086: no versioning among the compatible calls
  kodo.amz_checksums = false;      // nor checksums
  kodo.tags = false;               // nor tagging
  kodo.part_copy = false;          // nor UploadPartCopy
  // kodo/6368 (multipart v2): parts of 1 MB to 1 GB.
  kodo.limits = Limits(kMiB, kGiB, kPartsMax * kGiB);
  kodo.restore_parameters = {};  // nor restoring: its own protocol has it
  kodo.key_bytes_max = 750;      // kodo/3914
  kodo.keys = KeyRule::kUtf8;
  return kodo;
}

constexpr Provider Gcs() {
  Provider gcs = kAnyS3;
  gcs.name = "gcs";
  gcs.endpoint = "https://storage.googleapis.com";  // cloud.google.com/storage/docs/xml-api
  gcs.region = "auto";
  gcs.region_example = "auto";
  gcs.versions =
      false;  // it has generations; ?versions fails on it (s3.test "unrecognized option")
  // docs/xml-api/reference-headers, x-goog-hash: crc32c of every object.
  gcs.checksum = DigestKind::kCrc32c;
  gcs.checksum_in_head = true;
  gcs.tags = false;                // objects have none
  gcs.part_copy = false;           // issuetracker.google.com/issues/323465186
  gcs.limits = kCompatibleLimits;  // docs/quotas: 5 TiB; docs/multipart-uploads: 5 MiB to 5 GiB
  gcs.keys = KeyRule::kGcs;
  gcs.restore_parameters = {};  // every class is read at once
  return gcs;
}

constexpr Provider R2() {
  Provider r2 = kAnyS3;
  r2.name = "r2";  // ACCOUNT.r2.cloudflarestorage.com: the endpoint has to be configured
  r2.region = "auto";
  r2.region_example = "auto";
  // developers.cloudflare.com/r2/api/s3/api: neither versioning nor object tagging.
  r2.versions = false;
  r2.tags = false;
  // r2/platform/limits; all parts but the last are equal here anyway, as it asks for.
  r2.limits = kCompatibleLimits;
  r2.keys = KeyRule::kUtf8;
  r2.restore_parameters = {};
  return r2;
}

constexpr Provider Minio() {
  Provider minio = kAnyS3;
  minio.name = "minio";
  minio.tags_on_create = true;  // cmd/erasure-multipart.go keeps it with the metadata
  // PUT: MD5, or random where the server runs with --no-compat or compresses or encrypts.
  minio.etag = EtagHabit::kUnknown;
  minio.expect_100 = true;  // Go's net/http answers 100 at the first read
  minio.keys = KeyRule::kMinio;
  return minio;
}

constexpr Provider Ceph() {
  Provider ceph = kAnyS3;
  ceph.name = "ceph";
  ceph.etag = EtagHabit::kMd5;  // rgw_op.cc: MD5 of the body, "md5(md5s)-N" after Complete
  // rgw_multipart_min_part_size, rgw_multipart_part_upload_limit, rgw_max_put_size (5 GiB); it has
  // no limit of an object of its own.
  ceph.limits = kAwsLimits;
  // RGW 16.2, measured: all headers and tags go along; the pin is heeded under this name only, and
  // UploadPartCopy heeds none.
  ceph.copy_keeps_redirect = true;
  ceph.copy_old_if_match = true;
  return ceph;
}

constexpr Provider kProviders[] = {Aws(), Oss(),   Cos(),  Kodo(), Gcs(),
                                   R2(),  Minio(), Ceph(), kAnyS3};

std::string AllNames() {
  std::string names;
  for (const Provider& provider : kProviders) {
    if (!names.empty()) names += ", ";
    names += provider.name;
  }
  return names;
}

// The partition aws-cn.
bool IsInChina(std::string_view region) { return region.starts_with("cn-"); }

void Fill(std::string& text, std::string_view name, std::string_view value) {
  const std::size_t at = text.find(name);
  if (at != std::string::npos) text.replace(at, name.size(), value);
}

std::string Filled(const Provider& provider, std::string_view pattern, std::string_view region) {
  const std::string name(provider.name);
  std::string text(pattern);
  if (text.find("{region}") != std::string::npos) {
    if (region.empty()) {
      throw Error(ErrorKind::kConfig, "provider " + name + " needs a region, such as " +
                                          std::string(provider.region_example) +
                                          ", or an endpoint");
    }
    if (!IsRegionName(region)) {
      throw Error(ErrorKind::kConfig, EscapeBytes(region) + " is no region name");
    }
  }
  Fill(text, "{region}", region);
  Fill(text, "{domain}", IsInChina(region) ? "amazonaws.com.cn" : "amazonaws.com");
  return text;
}

}  // namespace

const Provider& FindProvider(std::string_view name) {
  const auto* const found = std::ranges::find(kProviders, name, &Provider::name);
  if (found != std::end(kProviders)) return *found;
  throw Error(ErrorKind::kConfig, "unknown provider " + EscapeBytes(name) + "; known are " +
                                      AllNames() + " (any other that is S3-compatible)");
}

const std::vector<std::string_view>& ProviderNames() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Provider& provider : kProviders) all.push_back(provider.name);
    return all;
  }();
  return names;
}

std::string_view UsualStorageClass(const Provider& provider, std::string_view storage_class) {
  const auto& own = provider.archive_classes;
  const bool archived =
      !storage_class.empty() && std::ranges::find(own, storage_class) != own.end();
  return archived ? "GLACIER" : storage_class;
}

bool IsRegionName(std::string_view region) {
  return !region.empty() && region.size() <= 40 &&
         std::all_of(region.begin(), region.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::string DefaultEndpoint(const Provider& provider, std::string_view region) {
  if (provider.endpoint.empty()) {
    throw Error(ErrorKind::kConfig,
                "provider " + std::string(provider.name) + " needs an endpoint");
  }
  return Filled(provider, provider.endpoint, region);
}

std::string DualStackEndpoint(const Provider& provider, std::string_view region) {
  if (provider.dual_stack_endpoint.empty()) {
    throw Error(ErrorKind::kConfig, "provider " + std::string(provider.name) +
                                        " has no endpoints of its own for both IP versions");
  }
  return Filled(provider, provider.dual_stack_endpoint, region);
}

}  // namespace ferry
