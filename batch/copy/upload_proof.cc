#include "batch/copy/upload_proof.h"

#include <algorithm>

#include "batch/copy/body_proof.h"
#include "batch/copy/examine.h"

namespace ferry {
namespace {

// Of a part that the store copied, what its ETag says.
Digest DigestOf(const DonePart& part) {
  return part.digest ? *part.digest : Digest{DigestKind::kMd5, FromHex(part.etag)};
}

std::uint64_t SizeOf(const DonePart& part, const OpenUpload& upload, const ObjectToCopy& object) {
  const std::uint64_t first = (part.number - 1) * upload.part_bytes;
  return std::min(upload.part_bytes, object.source.size_bytes - first);
}

// Of all bytes, from those of the parts; nullopt: not all of them have a CRC, and of one kind.
std::optional<Digest> DigestOfAll(const OpenUpload& upload, const ObjectToCopy& object) {
  std::optional<Digest> all;
  for (const DonePart& part : upload.parts) {
    if (!part.digest || !CrcKindOf(part.digest->kind)) return std::nullopt;
    if (!all) {
      all = part.digest;
    } else if (all->kind == part.digest->kind) {
      all = CombineDigests(*all, *part.digest, SizeOf(part, upload, object));
    } else {
      return std::nullopt;
    }
  }
  return all;
}

// Of the SHA-256s of the parts; nullopt: not all of them have one.
std::optional<CompositeDigest> CompositeOfAll(const OpenUpload& upload) {
  Sha256 all;
  for (const DonePart& part : upload.parts) {
    if (!part.digest || part.digest->kind != DigestKind::kSha256) return std::nullopt;
    all.Update(part.digest->bytes);
  }
  return CompositeDigest{{DigestKind::kSha256, all.Finish()}, upload.parts.size()};
}

// Whether the MD5s of the parts are ours: what the store made of those it took proves nothing of
// what was sent.
bool AllMd5sAreOurs(const std::vector<DonePart>& parts) {
  return std::all_of(parts.begin(), parts.end(), [](const DonePart& part) {
    return part.digest && part.digest->kind == DigestKind::kMd5;
  });
}

// Of the object that was completed: some stores say it in the head only. Empty: it is another one
// by now.
Task<Digests> AnsweredChecksums(Ends& ends, const ObjectToCopy& object,
                                const Completion& completion) {
  const Provider& provider = ends.destination_provider;
  const bool said = FindDigest(*completion.checksums, *provider.checksum) != nullptr;
  if (said || !provider.checksum_in_head) co_return *completion.checksums;
  const ObjectHead head =
      co_await On(Side::kDestination, ends.destination.Head(object.destination_key));
  if (head.etag != completion.etag) co_return Digests();
  co_return head.checksums;
}

}  // namespace

std::optional<std::string> CompositeEtag(const std::vector<DonePart>& parts) {
  Md5 md5;
  for (const DonePart& part : parts) {
    if (part.digest && part.digest->kind == DigestKind::kMd5) {
      md5.Update(part.digest->bytes);
    } else if (KindOfEtag(part.etag) == EtagKind::kMd5) {
      md5.Update(FromHex(part.etag));
    } else {
      return std::nullopt;
    }
  }
  return ToHex(md5.Finish()) + "-" + std::to_string(parts.size());
}

Task<bool> ReadBackParts(Ends& ends, const ObjectToCopy& object, const OpenUpload& upload,
                         const std::string& etag, Traffic& traffic) {
  for (const DonePart& part : upload.parts) {
    const Digest ours = DigestOf(part);
    GetRequest get;
    get.key = object.destination_key;
    get.if_match = etag;
    get.first_byte = (part.number - 1) * upload.part_bytes;
    get.range_bytes = SizeOf(part, upload, object);
    get.expected_bytes = get.range_bytes;
    const Digest stored =
        co_await ReadDigest(ends.destination, Side::kDestination, get, ours.kind, traffic);
    if (stored != ours) co_return false;
  }
  co_return true;
}

Task<std::string> ProveComplete(Ends& ends, const ObjectToCopy& object, const OpenUpload& upload,
                                const Completion& completion, Traffic& traffic) {
  const std::string& etag = completion.etag;
  if (completion.composite) {
    const std::optional<CompositeDigest> ours = CompositeOfAll(upload);
    if (ours && *ours != *completion.composite) ThrowStoredOtherBytes();
    if (ours) co_return std::string(kProofChecksum);
  }
  if (completion.checksums && ends.destination_provider.checksum) {
    const std::optional<Digest> ours = DigestOfAll(upload, object);
    const Digests answered = co_await AnsweredChecksums(ends, object, completion);
    NoteChecksums(ends, answered);
    const Digest* const stored = ours ? FindDigest(answered, ours->kind) : nullptr;
    if (stored != nullptr && *stored != *ours) ThrowStoredOtherBytes();
    if (stored != nullptr) co_return std::string(kProofChecksum);
  }
  const std::optional<std::string> composite = CompositeEtag(upload.parts);
  if (etag == composite && (AllMd5sAreOurs(upload.parts) || etag == object.source.etag)) {
    co_return std::string(kProofComposite);
  }
  const bool says_so = ends.destination_provider.etag == EtagHabit::kMd5 && composite &&
                       etag != composite && KindOfEtag(etag) == EtagKind::kComposite;
  if (says_so) {
    // KMS and SSE-C show in the head only.
    const ObjectHead head =
        co_await On(Side::kDestination, ends.destination.Head(object.destination_key));
    if (!head.etag_hides_md5) ThrowStoredOtherBytes();
  }
  if (!co_await ReadBackParts(ends, object, upload, etag, traffic)) ThrowStoredOtherBytes();
  co_return std::string(kProofReadBack);
}

}  // namespace ferry
