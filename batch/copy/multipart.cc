// The frame of a multipart copy: opening, resuming, completing.
#include <algorithm>
#include <map>

#include "batch/copy/belongings.h"
#include "batch/copy/examine.h"
#include "batch/copy/object_copy.h"
#include "batch/copy/restore.h"
#include "batch/copy/server_side_copy.h"
#include "batch/copy/stray_upload.h"
#include "batch/copy/upload_proof.h"

namespace ferry {
namespace {

// The parts that the store has, as we sent them. Empty optional: the upload is no more.
Task<std::optional<std::vector<DonePart>>> PartsStillThere(Ends& ends, const Key& key,
                                                           const OpenUpload& upload) {
  std::map<std::uint32_t, std::string> stored;
  std::uint32_t after = 0;
  try {
    while (true) {
      const ListPartsPage page =
          co_await On(Side::kDestination, ends.destination.ListParts(key, upload.upload_id, after));
      for (const ListedPart& part : page.parts) stored[part.number] = part.etag;
      if (!page.truncated || page.parts.empty()) break;
      const std::uint32_t next = std::max(page.next_part_number_marker, page.parts.back().number);
      if (next <= after) {
        throw SideError(Side::kDestination,
                        Error(ErrorKind::kCorrupt, "the list of parts goes on, but not further"));
      }
      after = next;
    }
  } catch (const SideError& error) {
    if (error.kind() == ErrorKind::kNotFound) co_return std::nullopt;
    throw;
  }
  std::vector<DonePart> kept;
  for (const DonePart& part : upload.parts) {
    const auto found = stored.find(part.number);
    if (found != stored.end() && found->second == part.etag) kept.push_back(part);
  }
  co_return kept;
}

// The numbers of `parts` that are not in `kept`, which is a part of it in the same order.
std::vector<std::uint32_t> NumbersWithout(const std::vector<DonePart>& parts,
                                          const std::vector<DonePart>& kept) {
  std::vector<std::uint32_t> numbers;
  auto next = kept.begin();
  for (const DonePart& part : parts) {
    if (next != kept.end() && next->number == part.number) {
      ++next;
    } else {
      numbers.push_back(part.number);
    }
  }
  return numbers;
}

Task<Unit> AbortQuietly(Ends& ends, const Key& key, const std::string& upload_id) {
  try {
    co_await ends.destination.AbortUpload(key, upload_id);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kStopped) throw;
    // Gone already, or not allowed: it costs storage until a lifecycle rule ends it.
  }
  co_return Unit{};
}

// Whether the store still has the upload: then nothing that is there came from it.
Task<bool> IsStillOpen(Ends& ends, const Key& key, const std::string& upload_id) {
  try {
    co_await On(Side::kDestination, ends.destination.ListParts(key, upload_id, 0));
    co_return true;
  } catch (const SideError& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
  }
  co_return false;
}

// The pinned version while it is there, else what is current.
Task<ObjectHead> HeadOfSource(Ends& ends, const ObjectToCopy& object) {
  const std::string version = PinnedVersion(ends, object.source);
  std::optional<SideError> gone;
  try {
    co_return co_await On(Side::kSource, ends.source.Head(object.source_key, version));
  } catch (const SideError& error) {
    gone = error;
  }
  co_return co_await LookAgain(ends, object, *gone);
}

// Whether what stands there carries the headers and tags that this copy would have given it.
Task<bool> BelongingsAreEqual(Ends& ends, const ObjectToCopy& object, const ObjectHead& there) {
  const ObjectHead here = co_await HeadOfSource(ends, object);
  if (here.etag != object.source.etag) co_return false;  // of that one nothing is known any more
  const NameValues wanted = HeadersThere(ends, here.metadata_headers);
  if (!CompareHeaders(wanted, there.metadata_headers).empty()) co_return false;
  // Where Create forgets them, they are written after completion, in any case.
  if (!ends.destination_provider.tags_on_create) co_return true;
  if (!HasTags(ends, here) && there.tag_count == 0) co_return true;
  const ObjectMetadata ours = co_await MetadataOf(ends, object.source_key, here);
  const NameValues theirs = co_await On(
      Side::kDestination, ends.destination.GetTags(object.destination_key, there.version_id));
  co_return CompareTags(ours.tags, theirs).empty();
}

// Of a completion that was answered, but for what came of it. RGW 16.2, which never names an ETag,
// also answers so for an upload that was gone before, where an object of the same parts stands.
Task<bool> IsWhatWasAnswered(Ends& ends, const ObjectToCopy& object, const std::string& composite,
                             const ObjectHead& there) {
  if (there.size_bytes != object.source.size_bytes || there.etag != composite) co_return false;
  try {
    co_return co_await BelongingsAreEqual(ends, object, there);
  } catch (const SideError& error) {
    // Deleted since: what was brought over is there all the same.
    if (error.side() != Side::kSource || error.kind() != ErrorKind::kNotFound) throw;
  }
  co_return true;
}

// Whether what stands there is what the upload was to become: it says so, or it is equal to it in
// all that a copy carries, and then it does not matter who brought it.
Task<bool> IsWhatWasToBe(Ends& ends, const ObjectToCopy& object, const OpenUpload& upload,
                         const std::optional<std::string>& composite, const ObjectHead& there,
                         Traffic& traffic) {
  if (there.size_bytes != object.source.size_bytes) co_return false;
  const bool says_so = !upload.nonce.empty() && there.upload_nonce == upload.nonce;
  const bool may_be = there.etag == composite || there.etag_hides_md5;
  if (!says_so && !may_be) co_return false;
  if (co_await IsStillOpen(ends, object.destination_key, upload.upload_id)) co_return false;
  if (says_so) co_return true;
  if (!co_await BelongingsAreEqual(ends, object, there)) co_return false;
  if (there.etag == composite) co_return true;
  co_return co_await ReadBackParts(ends, object, upload, there.etag, traffic);
}

// Complete, or what stands there when its answer was lost or the upload is gone.
Task<Completion> CompleteOrFind(Ends& ends, const ObjectToCopy& object, const OpenUpload& upload,
                                const std::optional<std::string>& composite, Traffic& traffic) {
  std::vector<PartToComplete> parts;
  parts.reserve(upload.parts.size());
  for (const DonePart& part : upload.parts) parts.push_back({part.number, part.etag});
  std::optional<SideError> problem;
  std::optional<Digests> checksums;  // it was answered
  try {
    const CompletedUpload completed = co_await On(
        Side::kDestination,
        ends.destination.CompleteUpload(object.destination_key, upload.upload_id, parts));
    if (!completed.etag.empty()) co_return Completion{completed.etag, completed.checksums};
    checksums = completed.checksums;
    problem = SideError(Side::kDestination,
                        Error(ErrorKind::kInDoubt, "the answer to the completion names no ETag"));
  } catch (const SideError& error) {
    const bool unclear = error.kind() == ErrorKind::kInDoubt || error.code() == "NoSuchUpload" ||
                         IsRetryable(error.kind());
    if (!unclear) throw;
    problem = error;
  }
  try {
    const ObjectHead there =
        co_await On(Side::kDestination, ends.destination.Head(object.destination_key));
    if (checksums && composite) {
      if (co_await IsWhatWasAnswered(ends, object, *composite, there)) {
        co_return Completion{there.etag, checksums};
      }
    }
    if (co_await IsWhatWasToBe(ends, object, upload, composite, there, traffic)) {
      co_return Completion{there.etag, std::nullopt};
    }
  } catch (const SideError& error) {
    // Gone at the destination, or changed at the source: nothing there is what was to be.
    if (error.kind() != ErrorKind::kNotFound && error.kind() != ErrorKind::kConflict) throw;
  }
  // RGW answers the completion of an upload that is gone with InternalError.
  if (IsRetryable(problem->kind())) {
    co_await On(Side::kDestination,
                ends.destination.ListParts(object.destination_key, upload.upload_id, 0));
  }
  throw *problem;
}

// For stores that forget the tags of Create.
Task<Unit> TagAfterwards(Ends& ends, const ObjectToCopy& object) {
  ObjectMetadata metadata;
  try {
    const ObjectHead head = co_await HeadOfSource(ends, object);
    // Another object's tags are not those of what was brought; the next run brings that one.
    if (head.etag != object.source.etag || !HasTags(ends, head)) co_return Unit{};
    metadata = co_await MetadataOf(ends, object.source_key, head);
    co_await CheckTagsBelong(ends, object.source_key, head);
  } catch (const SideError& error) {
    // Gone or changed since: what was brought over is there all the same.
    if (error.kind() != ErrorKind::kNotFound && error.kind() != ErrorKind::kConflict) throw;
    co_return Unit{};
  }
  co_await On(Side::kDestination, ends.destination.PutTags(object.destination_key, metadata.tags));
  co_return Unit{};
}

// The source as it is now. What has gone leaves no upload behind: nothing would ever complete it.
Task<ObjectHead> HeadOrAbort(Ends& ends, const ObjectToCopy& object,
                             const std::optional<OpenUpload>& open) {
  std::exception_ptr gone;
  try {
    co_return co_await HeadOfSource(ends, object);
  } catch (const SideError& error) {
    // A bucket or an endpoint that is gone for a while takes no upload along.
    const bool object_gone = error.code() == "NoSuchKey" || error.code() == "NoSuchVersion";
    if (!object_gone || !open) throw;
    gone = std::current_exception();
  }
  co_await AbortQuietly(ends, object.destination_key, open->upload_id);
  std::rethrow_exception(gone);
}

// Goes on with an upload of the same bytes; empty: it is no more, or is aborted now.
Task<std::optional<OpenUpload>> Resume(Ends& ends, const ObjectToCopy& object,
                                       const ObjectHead& head, OpenUpload open) {
  if (!open.source.SameAs(IdentityOf(head, object.source))) {
    co_await AbortQuietly(ends, object.destination_key, open.upload_id);
    co_return std::nullopt;
  }
  auto kept = co_await PartsStillThere(ends, object.destination_key, open);
  if (!kept) co_return std::nullopt;
  open.parts = std::move(*kept);
  co_return open;
}

Task<OpenUpload> Create(Ends& ends, const ObjectToCopy& object, const ObjectHead& head,
                        const SplitOptions& options, Settlement& settlement) {
  OpenUpload upload;
  upload.nonce = options.nonce;
  upload.source = IdentityOf(head, object.source);
  // Before anything is opened: an object that no parts can hold is refused here.
  const SizeLimits& limits = ends.destination_provider.limits;
  const std::uint64_t part_bytes =
      ChoosePartBytes(head.size_bytes, options.part_bytes,
                      {limits.part_bytes_min, limits.part_bytes_max, limits.parts_max});
  upload.part_bytes = PartBytesToCopy(ends, object, head, part_bytes).value_or(part_bytes);
  ObjectMetadata metadata = co_await MetadataOf(ends, object.source_key, head);
  co_await CheckTagsBelong(ends, object.source_key, head);
  // Elsewhere the composite ETag tells whether a lost Complete was ours.
  if (ends.destination_provider.etag != EtagHabit::kMd5) metadata.upload_nonce = options.nonce;
  std::erase(settlement.settled, options.nonce);
  try {
    upload.upload_id = co_await On(Side::kDestination,
                                   ends.destination.CreateUpload(object.destination_key, metadata));
  } catch (const Error& error) {
    if (!MayHaveBegun(error.kind())) settlement.settled.push_back(options.nonce);
    throw;
  }
  co_return upload;
}

// Before anything is put together of them: parts that are not of one source must never be seen.
void CheckCopiedParts(const Ends& ends, const ObjectToCopy& object, const OpenUpload& upload) {
  std::vector<std::uint32_t> unproven = UnprovenParts(object.source, upload.parts);
  if (unproven.empty()) {
    const bool copied = std::any_of(upload.parts.begin(), upload.parts.end(),
                                    [](const DonePart& one) { return !one.digest; });
    if (copied && ends.server_side != nullptr) {
      ends.server_side->Succeeded(ServerSideCopies::Step::kComplete);
    }
    return;
  }
  const Error error(ErrorKind::kConflict,
                    "the parts that the store copied do not make the ETag of the source");
  if (ends.server_side != nullptr) {
    ends.server_side->Failed(ServerSideCopies::Step::kComplete, error);
  }
  throw LostParts(error, std::move(unproven));
}

}  // namespace

Task<OpenUpload> OpenOrResume(Ends ends, ObjectToCopy object, SplitOptions options,
                              Settlement& settlement) {
  settlement.settled.push_back(options.nonce);  // as long as no Create was sent for it
  const ObjectHead head = co_await HeadOrAbort(ends, object, options.open);
  CheckReadable(head);
  if (head.size_bytes == 0) {
    throw SideError(Side::kSource, Error(ErrorKind::kConflict, "the object became empty",
                                         std::string(kBecameEmpty)));
  }
  std::optional<OpenUpload> upload;
  if (options.open) upload = co_await Resume(ends, object, head, *options.open);
  if (!upload) upload = co_await Create(ends, object, head, options, settlement);
  if (!options.intents.empty()) {
    options.recorded_ids.push_back(upload->upload_id);
    co_await SettleIntents(ends, object.destination_key, options.intents, options.recorded_ids,
                           settlement);
  }
  co_return std::move(*upload);
}

Task<Copied> Complete(Ends ends, ObjectToCopy object, OpenUpload upload, Traffic& traffic) {
  // A composite digest of fewer parts would prove a shorter object.
  if (upload.parts.size() != CountParts(object.source.size_bytes, upload.part_bytes)) {
    throw SideError(Side::kDestination,
                    Error(ErrorKind::kCorrupt, "parts of the upload are missing"));
  }
  CheckCopiedParts(ends, object, upload);
  const Completion completion =
      co_await CompleteOrFind(ends, object, upload, CompositeEtag(upload.parts), traffic);
  Copied copied;
  copied.source = object.source;
  copied.destination_etag = completion.etag;
  copied.proof = co_await ProveComplete(ends, object, upload, completion, traffic);
  if (!ends.destination_provider.tags_on_create) co_await TagAfterwards(ends, object);
  co_return copied;
}

Task<Copied> CompleteOrAbort(Ends ends, ObjectToCopy object, OpenUpload upload, Traffic& traffic) {
  std::exception_ptr problem;
  std::optional<Error> about_parts;
  try {
    co_return co_await Complete(ends, object, upload, traffic);
  } catch (const LostParts&) {
    throw;
  } catch (const Error& error) {
    if (IsRetryable(error.kind()) || error.kind() == ErrorKind::kStopped) throw;
    problem = std::current_exception();
    if (error.code() == "InvalidPart" || error.code() == "InvalidPartOrder") about_parts = error;
  }
  if (about_parts) {
    const auto kept = co_await PartsStillThere(ends, object.destination_key, upload);
    std::vector<std::uint32_t> lost;
    if (kept) lost = NumbersWithout(upload.parts, *kept);
    if (!lost.empty()) throw LostParts(*about_parts, std::move(lost));
  }
  co_await AbortQuietly(ends, object.destination_key, upload.upload_id);
  std::rethrow_exception(problem);
}

}  // namespace ferry
