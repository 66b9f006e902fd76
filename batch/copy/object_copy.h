// Bringing one object, or one part of one, from store to store, and proving it.
//
// Tasks on one event loop, over two ObjectStores. They know nothing of queues: what they are told
// are values, what they return are values, and a failure is an Error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/digest.h"
#include "batch/base/task.h"
#include "batch/copy/side.h"
#include "batch/plan/object.h"
#include "batch/plan/part_plan.h"
#include "batch/provider/provider.h"
#include "batch/store/event_loop.h"
#include "batch/store/object_store.h"

namespace ferry {

// By what `done` is proven (job.proof), the first that applies.
inline constexpr std::string_view kProofChecksum = "checksum";
inline constexpr std::string_view kProofEtag = "etag_md5";
inline constexpr std::string_view kProofComposite = "composite_etag";
inline constexpr std::string_view kProofContentMd5 = "content_md5";
inline constexpr std::string_view kProofReadBack = "read_back";
inline constexpr std::string_view kProofDeleted = "deleted";  // the store answered so
inline constexpr std::string_view kProofAdopted = "adopted";  // equal, but not by our doing
// Not compared: equal size and a later time were taken for it (`adopt: trust`).
inline constexpr std::string_view kProofTrusted = "trusted";

class ChecksumAnswers;
class ServerSideCopies;
class TagLosses;

// What objects get at the destination that is not as it is at the source.
struct WriteRules {
  enum class Tags { kCopied, kNone, kFixed };
  Tags tags = Tags::kCopied;
  NameValues fixed_tags;  // Tags::kFixed
  NameValues headers;     // in place of the source's of that name
  bool keeps_storage_class = false;
  NameValues storage_classes;  // the source's class and that at the destination

  // A copy by the store takes all along as it is.
  bool AllAsAtSource() const {
    return tags == Tags::kCopied && headers.empty() && !keeps_storage_class &&
           storage_classes.empty();
  }
};

// How archived objects of the source are restored.
struct RestoreRules {
  std::string tier;  // Expedited, Standard, Bulk
  std::uint32_t days = 0;
};

// The two ends of a task on one loop.
struct Ends {
  EventLoop& loop;
  ObjectStore& source;
  ObjectStore& destination;
  const Provider& source_provider;
  const Provider& destination_provider;
  VersionPolicy versions = VersionPolicy::kLatest;  // of the source
  ServerSideCopies* server_side = nullptr;          // null: bytes are always moved
  ChecksumAnswers* checksums = nullptr;             // of the destination; null: nothing is learnt
  TagLosses* tag_losses = nullptr;                  // of the destination; null: nobody is told
  const WriteRules* rules = nullptr;                // null: all is as at the source
  const RestoreRules* restore = nullptr;            // null: nothing is restored
};

// Error::code() of an object that was another one at each of several looks.
inline constexpr std::string_view kKeptChanging = "SourceKeptChanging";
// ... of an object that no parts can hold any more.
inline constexpr std::string_view kBecameEmpty = "SourceBecameEmpty";

struct ObjectToCopy {
  Key source_key;
  Key destination_key;
  SourceIdentity source;  // as listed, or as the job says
  // An object at which an attempt failed is moved: whatever a copy by the store may have to do with
  // that, it is no second time.
  bool store_may_copy = true;
};

struct Traffic {
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;
};

struct Copied {
  SourceIdentity source;  // as it was read
  std::string destination_etag;
  std::string proof;
};

// Bodies up to this size are whole in memory and are sent with their digest up front.
inline constexpr std::size_t kWholeBytesMax = std::size_t{1} << 20;

// How much memory one copy of `bytes` holds at a time.
std::size_t BodyMemory(std::uint64_t bytes, std::size_t ring_bytes);
// What a body that flows from one side to the other holds, a part above all.
std::size_t FlowMemory(std::uint64_t bytes, std::size_t ring_bytes);
// Besides its ring: libcurl's buffers at both ends, bytes that wait for their MD5 (BatchMd5), and
// what the allocator makes of it, as measured with 185 parts at once.
inline constexpr std::size_t kBesideRing = std::size_t{576} << 10;

// One GET, one PUT; or one copy by the store. `ring_bytes` bounds the memory of a body larger than
// kWholeBytesMax. An object that changed since `object.source` was seen, or whose version is gone,
// is examined and read anew, three times; after that it is a conflict with the code kKeptChanging.
// Throws SideError. `traffic` counts what moved, also when it throws.
Task<Copied> CopyWhole(Ends ends, ObjectToCopy object, std::size_t ring_bytes, Traffic& traffic);

// Reads both sides, and compares them by CRC: what is to be found is an accident, and nobody who
// may write to either side has to forge a digest. Empty: they differ.
Task<std::optional<Copied>> CompareBytes(Ends ends, ObjectToCopy object, Traffic& traffic);

struct DonePart {
  std::uint32_t number = 0;
  std::string etag;
  // Made of the bytes that were sent; nullopt: they did not pass here, and the store copied them.
  std::optional<Digest> digest;
};

struct OpenUpload {
  std::string nonce;  // of its row
  std::string upload_id;
  std::uint64_t part_bytes = 0;
  SourceIdentity source;
  std::vector<DonePart> parts;
};

// A row that was written before Create was sent.
struct Intent {
  std::string nonce;
  SteadyTime since{};  // when it was written
};

struct SplitOptions {
  std::uint64_t part_bytes = 0;
  std::optional<OpenUpload> open;         // from an earlier run
  std::string nonce;                      // of the row for the upload that may be begun
  std::vector<Intent> intents;            // of earlier attempts that heard no answer
  std::vector<std::string> recorded_ids;  // uploads of this object that have a row
};

// What has become of intents.
struct Settlement {
  std::vector<std::string> settled;  // nonces: no upload of them is left that is not recorded
  std::optional<Error> problem;      // why that cannot be said of others
};

// Makes an upload ready for its parts: goes on with the open one when it is still there and of
// the same bytes (its parts checked against the store's own list), else aborts it and creates one.
// With a pinned version that is still there, that one counts, else what is current.
// `settlement` says what is known of the intents, also when it throws.
Task<OpenUpload> OpenOrResume(Ends ends, ObjectToCopy object, SplitOptions options,
                              Settlement& settlement);

struct PartToCopy {
  std::string upload_id;
  Part part;
};
// kConflict where the source is another object by now, or only the pinned version is gone;
// kNotFound where the key is.
Task<DonePart> CopyPart(Ends ends, ObjectToCopy object, PartToCopy part, std::size_t ring_bytes,
                        Traffic& traffic);

// Completes with the ETags that were hashed, and proves the whole. An answer that was lost is
// settled by what is at the destination. Throws LostParts where the store copied parts that are not
// those of the source.
Task<Copied> Complete(Ends ends, ObjectToCopy object, OpenUpload upload, Traffic& traffic);

// The destination does not have these parts as they were sent: somebody else's attempt at one
// landed later, or the store lost it, or copied something else. They are to be sent again; the
// upload and the other parts are good.
class LostParts final : public SideError {
 public:
  LostParts(const Error& error, std::vector<std::uint32_t> numbers)
      : SideError(Side::kDestination, error), numbers_(std::move(numbers)) {}
  const std::vector<std::uint32_t>& numbers() const noexcept { return numbers_; }

 private:
  std::vector<std::uint32_t> numbers_;
};

// As Complete. Throws LostParts where parts are in the way; any other upload that cannot become the
// object is aborted, so that nothing is left to pay for.
Task<Copied> CompleteOrAbort(Ends ends, ObjectToCopy object, OpenUpload upload, Traffic& traffic);

// "md5(md5s)-N" as hex. The MD5 of a part is ours, or else what its ETag says; nullopt: neither is
// one.
std::optional<std::string> CompositeEtag(const std::vector<DonePart>& parts);

}  // namespace ferry
