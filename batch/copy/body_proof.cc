#include "batch/copy/body_proof.h"

#include <algorithm>

#include "batch/base/log.h"
#include "batch/copy/examine.h"

namespace ferry {
namespace {

// Whether the ETag of an object written in one piece is the MD5 of its bytes for certain.
bool EtagIsMd5(const Provider& provider, std::string_view etag, bool hides_md5) {
  return provider.etag == EtagHabit::kMd5 && !hides_md5 && KindOfEtag(etag) == EtagKind::kMd5;
}

bool IsMd5(const Digest& digest) { return digest.kind == DigestKind::kMd5; }

// What to read back by: a CRC of 64 bits before MD5, which is the dear one, and one of 32 bits only
// where nothing else was made.
const Digest& BestOf(const Digests& made) {
  constexpr std::size_t kLongBytes = 8;
  const auto crc = std::find_if(made.begin(), made.end(), [](const Digest& digest) {
    return !IsMd5(digest) && digest.bytes.size() >= kLongBytes;
  });
  if (crc != made.end()) return *crc;
  const auto md5 = std::find_if(made.begin(), made.end(), IsMd5);
  return md5 == made.end() ? made.front() : *md5;
}

}  // namespace

void ChecksumAnswers::Missing() {
  if (missing_.exchange(true)) return;
  log::Warn(demanded_ ? "the destination does not answer the checksum that the task asks for; "
                        "nothing says that it is kept, and what is written is proven otherwise"
                      : "the destination should answer a checksum and does not; proving by MD5 "
                        "instead",
            {{"destination", destination_}});
}

bool DemandsChecksum(const Ends& ends) {
  return ends.rules != nullptr && ends.rules->demands_checksum &&
         ends.destination_provider.checksum.has_value();
}

DigestKind DigestForDestination(const Ends& ends) {
  const bool answered =
      ends.checksums == nullptr || ends.checksums->expected() || DemandsChecksum(ends);
  const std::optional<DigestKind>& checksum = ends.destination_provider.checksum;
  return checksum && answered ? *checksum : DigestKind::kMd5;
}

DigestKinds DigestsOfWhole(const Provider& source, const ObjectHead& head,
                           DigestKind for_destination) {
  DigestKinds kinds = {for_destination};
  const bool etag = EtagIsMd5(source, head.etag, head.etag_hides_md5);
  // SHA-256 is the dearest: where it is made for nobody else, the ETag does.
  const auto cheap =
      std::find_if(head.checksums.begin(), head.checksums.end(),
                   [](const Digest& digest) { return digest.kind != DigestKind::kSha256; });
  const bool checksum = source.checksum && cheap != head.checksums.end();
  const bool one_does =
      for_destination == DigestKind::kMd5
          ? etag
          : source.checksum && FindDigest(head.checksums, for_destination) != nullptr;
  if (one_does) return kinds;
  if (checksum) {
    kinds.push_back(cheap->kind);
  } else if (etag) {
    kinds.push_back(DigestKind::kMd5);
  }
  return kinds;
}

void CheckRead(const Provider& source, const ObjectHead& head, const Digests& made) {
  const auto refuse = [](const std::string& what) {
    throw SideError(Side::kSource,
                    Error(ErrorKind::kCorrupt, "the bytes read do not have " + what));
  };
  for (const Digest& digest : made) {
    if (IsMd5(digest)) {
      const bool says = EtagIsMd5(source, head.etag, head.etag_hides_md5);
      if (says && head.etag != ToHex(digest.bytes)) refuse("the MD5 of the ETag");
    } else if (source.checksum) {
      const Digest* const says = FindDigest(head.checksums, digest.kind);
      if (says != nullptr && *says != digest) refuse("the checksum of the object");
    }
  }
}

std::optional<std::string_view> ProofByAnswer(const Ends& ends, const PutAnswer& answer,
                                              const Digests& made) {
  const Provider& destination = ends.destination_provider;
  for (const Digest& digest : made) {
    if (IsMd5(digest) || !destination.checksum) continue;
    const Digest* const stored = FindDigest(answer.checksums, digest.kind);
    if (stored == nullptr) continue;
    if (*stored != digest) ThrowStoredOtherBytes();
    return kProofChecksum;
  }
  const Digest* const md5 = FindDigest(made, DigestKind::kMd5);
  if (md5 == nullptr) return std::nullopt;
  const bool comparable = !answer.etag_hides_md5 && KindOfEtag(answer.etag) == EtagKind::kMd5;
  if (comparable && answer.etag == ToHex(md5->bytes)) return kProofEtag;
  if (EtagIsMd5(destination, answer.etag, answer.etag_hides_md5)) ThrowStoredOtherBytes();
  return std::nullopt;
}

void NoteChecksums(const Ends& ends, const Digests& answered) {
  const std::optional<DigestKind>& due = ends.destination_provider.checksum;
  if (!due || ends.checksums == nullptr) return;
  if (FindDigest(answered, *due) == nullptr) ends.checksums->Missing();
}

Task<std::string> ProveWhole(Ends& ends, const ObjectToCopy& object, const PutAnswer& answer,
                             const Digests& made, bool md5_up_front, Traffic& traffic) {
  if (const auto proof = ProofByAnswer(ends, answer, made)) co_return std::string(*proof);
  if (md5_up_front) co_return std::string(kProofContentMd5);
  const Digest& ours = BestOf(made);
  const Digest stored = co_await ReadBack(ends, object.destination_key, answer.etag,
                                          object.source.size_bytes, ours.kind, traffic);
  if (stored != ours) ThrowStoredOtherBytes();
  co_return std::string(kProofReadBack);
}

}  // namespace ferry
