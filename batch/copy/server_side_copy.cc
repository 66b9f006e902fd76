#include "batch/copy/server_side_copy.h"

#include <algorithm>

#include "batch/base/log.h"
#include "batch/copy/examine.h"
#include "batch/store/checksum_headers.h"

namespace ferry {
namespace {

using Step = ServerSideCopies::Step;

constexpr int kFailuresInARowMax = 3;
constexpr std::string_view kRedirectHeader = "x-amz-website-redirect-location";

// Not for want of luck: it will be so the next time.
bool IsRefusal(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kDenied:
    case ErrorKind::kCredentials:
    case ErrorKind::kInvalid:
    case ErrorKind::kConfig:
    case ErrorKind::kNotFound: return true;  // the source is there: it was read
    case ErrorKind::kThrottled:
    case ErrorKind::kUnavailable:
    case ErrorKind::kConflict:
    case ErrorKind::kArchived:
    case ErrorKind::kCorrupt:
    case ErrorKind::kInDoubt:
    case ErrorKind::kStopped: return false;
  }
  return false;
}

// Whether the ETags of both ends are made of MD5s, and so can be held against each other.
bool EtagsTell(const Ends& ends) {
  return ends.source_provider.etag == EtagHabit::kMd5 &&
         ends.destination_provider.etag == EtagHabit::kMd5;
}

bool MayCopyObject(const Ends& ends, const ObjectToCopy& object) {
  return ends.server_side != nullptr && ends.server_side->MayCopyObjects() &&
         object.store_may_copy && EtagsTell(ends) &&
         (ends.rules == nullptr || ends.rules->AllAsAtSource()) &&
         KindOfEtag(object.source.etag) == EtagKind::kMd5 &&
         object.source.size_bytes <= ends.destination_provider.limits.single_put_bytes_max;
}

bool MayCopyParts(const Ends& ends, const ObjectToCopy& object) {
  // Completing such an upload needs the checksum of each part, made here.
  const std::optional<DigestKind>& checksum = ends.destination_provider.checksum;
  if (checksum && IsComposite(*checksum)) return false;
  return ends.server_side != nullptr && ends.server_side->MayCopyParts() &&
         ends.destination_provider.part_copy && object.store_may_copy && EtagsTell(ends);
}

// The source as it is now, where a copy would bring all that moving it would; nullopt: not all.
Task<std::optional<SourceIdentity>> Examine(Ends& ends, const ObjectToCopy& object) {
  const std::string version = PinnedVersion(ends, object.source);
  const ObjectHead head = co_await On(Side::kSource, ends.source.Head(object.source_key, version));
  if (head.etag != object.source.etag) {
    throw SideError(Side::kSource,
                    Error(ErrorKind::kConflict, "the object changed since it was listed"));
  }
  const bool redirects =
      std::any_of(head.metadata_headers.begin(), head.metadata_headers.end(),
                  [](const NameValue& header) { return header.first == kRedirectHeader; });
  if (redirects || head.etag_hides_md5 || !head.upload_nonce.empty()) co_return std::nullopt;
  co_return IdentityOf(head, object.source);
}

// Where a copy alone says all there is to know, it is the only request of its object.
bool MustExamine(const Ends& ends, const SourceIdentity& source) {
  const bool names_version = ends.versions == VersionPolicy::kLatest || !source.version.empty();
  return !ends.destination_provider.copy_keeps_redirect || !names_version;
}

CopyRequest PinnedCopy(const Ends& ends, const ObjectToCopy& object) {
  CopyRequest copy;
  copy.source_bucket = ends.server_side->source_bucket();
  copy.source_key = object.source_key;
  copy.source_etag = object.source.etag;
  copy.source_version_id = PinnedVersion(ends, object.source);
  copy.key = object.destination_key;
  copy.range_bytes = object.source.size_bytes;
  return copy;
}

// Copies, or says why not. What tells of the object or of its side for certain is thrown.
Task<ByStore<CopyAnswer>> Ask(Ends& ends, const CopyRequest& request) {
  ByStore<CopyAnswer> answer;
  try {
    answer.done = co_await ends.destination.Copy(request);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kStopped) throw;
    if (error.kind() == ErrorKind::kThrottled) throw SideError(Side::kDestination, error);
    if (error.kind() == ErrorKind::kConflict) throw SideError(Side::kSource, error);
    answer.failed = error;
  }
  co_return answer;
}

// How long the parts before this one are, each.
std::uint64_t PartBytesOf(const Part& part) {
  return part.number == 1 ? part.size_bytes : part.first_byte / (part.number - 1);
}

}  // namespace

void ServerSideCopies::Failed(Step step, const Error& error) {
  const int in_a_row = ++failures_[Index(step)];
  if (!IsRefusal(error) && in_a_row < kFailuresInARowMax) return;
  if (over_[Index(step)].exchange(true)) return;
  log::Info(step == Step::kObject ? "the store does not copy objects itself; moving their bytes"
                                  : "the store does not copy parts itself; moving their bytes",
            {{"task", task_}, {"error", error.what()}});
}

Task<ByStore<Copied>> CopyByStore(Ends ends, ObjectToCopy object) {
  ByStore<Copied> result;
  if (!MayCopyObject(ends, object)) co_return result;
  if (MustExamine(ends, object.source)) {
    const std::optional<SourceIdentity> now = co_await Examine(ends, object);
    if (!now) co_return result;
    object.source = *now;
  }
  const CopyRequest request = PinnedCopy(ends, object);
  ByStore<CopyAnswer> asked = co_await Ask(ends, request);
  if (!asked.done) {
    result.failed = std::move(asked.failed);
    co_return result;
  }
  const CopyAnswer& answer = *asked.done;
  if (answer.etag != object.source.etag || answer.etag_hides_md5) {
    result.failed =
        Error(ErrorKind::kCorrupt, "the ETag of what the store copied proves nothing: it is " +
                                       answer.etag + " and was " + object.source.etag);
    co_return result;
  }
  ends.server_side->Succeeded(Step::kObject);
  result.done.emplace();
  result.done->source = object.source;
  if (object.source.version.empty()) result.done->source.version = answer.source_version_id;
  result.done->destination_etag = answer.etag;
  result.done->proof = kProofEtag;
  co_return result;
}

Task<ByStore<DonePart>> CopyPartByStore(Ends ends, ObjectToCopy object, PartToCopy part) {
  ByStore<DonePart> result;
  if (!MayCopyParts(ends, object)) co_return result;
  const std::uint32_t parts = PartsOfEtag(object.source.etag);
  if (parts == 0 || CountParts(object.source.size_bytes, PartBytesOf(part.part)) != parts) {
    co_return result;
  }
  CopyRequest request = PinnedCopy(ends, object);
  request.upload_id = part.upload_id;
  request.part_number = part.part.number;
  request.first_byte = part.part.first_byte;
  request.range_bytes = part.part.size_bytes;
  ByStore<CopyAnswer> asked = co_await Ask(ends, request);
  if (!asked.done) {
    result.failed = std::move(asked.failed);
    co_return result;
  }
  const CopyAnswer& answer = *asked.done;
  if (KindOfEtag(answer.etag) != EtagKind::kMd5 || answer.etag_hides_md5) {
    result.failed = Error(ErrorKind::kCorrupt, "the ETag of a part that was copied is no MD5");
    co_return result;
  }
  ends.server_side->Succeeded(Step::kPart);
  result.done = DonePart{part.part.number, answer.etag, std::nullopt};
  co_return result;
}

std::optional<std::uint64_t> PartBytesToCopy(const Ends& ends, const ObjectToCopy& object,
                                             const ObjectHead& head, std::uint64_t wanted_bytes) {
  const std::uint32_t parts = PartsOfEtag(head.etag);
  if (parts == 0 || head.etag_hides_md5 || !MayCopyParts(ends, object)) return std::nullopt;
  const auto part_bytes = GuessPartBytes(head.size_bytes, parts, wanted_bytes);
  const SizeLimits& limits = ends.destination_provider.limits;
  const bool allowed = part_bytes && (parts == 1 || *part_bytes >= limits.part_bytes_min) &&
                       *part_bytes <= limits.part_bytes_max && parts <= limits.parts_max;
  return allowed ? part_bytes : std::nullopt;
}

std::vector<std::uint32_t> UnprovenParts(const SourceIdentity& source,
                                         const std::vector<DonePart>& parts) {
  std::vector<std::uint32_t> numbers;
  if (CompositeEtag(parts) == source.etag) return numbers;
  for (const DonePart& part : parts) {
    if (!part.digest) numbers.push_back(part.number);
  }
  return numbers;
}

}  // namespace ferry
