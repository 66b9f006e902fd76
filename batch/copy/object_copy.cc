#include "batch/copy/object_copy.h"

#include <algorithm>
#include <memory>

#include "batch/copy/body_proof.h"
#include "batch/copy/examine.h"
#include "batch/copy/server_side_copy.h"

namespace ferry {
namespace {

// How often an object that changes under our hands is looked at again before it counts as a
// failed attempt.
constexpr int kLooksMax = 3;

// Of two bodies that are both read here.
constexpr DigestKind kForComparing = DigestKind::kCrc64Nvme;

void CheckLength(std::uint64_t got, std::uint64_t expected) {
  if (got == expected) return;
  throw SideError(Side::kSource, Error(ErrorKind::kUnavailable,
                                       "the source sent fewer or more bytes than it has"));
}

GetRequest PinnedGet(const Ends& ends, const ObjectToCopy& object) {
  GetRequest get;
  get.key = object.source_key;
  get.if_match = object.source.etag;
  get.version_id = PinnedVersion(ends, object.source);
  get.expected_bytes = object.source.size_bytes;
  return get;
}

Task<Copied> CopyInMemory(Ends& ends, const ObjectToCopy& object, Traffic& traffic) {
  MemorySink sink(kWholeBytesMax);
  std::function<void(const ObjectHead&)> ignore = [](const ObjectHead&) {};
  GetRequest get = PinnedGet(ends, object);
  const ObjectHead head = co_await On(Side::kSource, ends.source.Get(get, sink, ignore));
  traffic.read_bytes += sink.body().size();
  CheckLength(sink.body().size(), object.source.size_bytes);
  const DigestKind up_front = DigestForDestination(ends);
  Digests made = BodyDigest::Of(DigestsOfWhole(ends.source_provider, head, up_front), sink.body());
  CheckRead(ends.source_provider, head, made);
  const ObjectMetadata metadata = co_await MetadataOf(ends, object.source_key, head);
  co_await CheckTagsBelong(ends, object.source_key, head);

  PutRequest request;
  request.key = object.destination_key;
  request.metadata = &metadata;
  request.body = sink.body();
  request.bytes = sink.body().size();
  request.digest = *FindDigest(made, up_front);
  const PutAnswer put = co_await On(Side::kDestination, ends.destination.Put(request));
  traffic.written_bytes += request.bytes;
  NoteChecksums(ends, put.checksums);
  const bool md5_up_front = up_front == DigestKind::kMd5;
  // No checksum came, and the body is still here: its MD5 is cheaper than to read it back.
  if (!md5_up_front && FindDigest(put.checksums, up_front) == nullptr &&
      FindDigest(made, DigestKind::kMd5) == nullptr) {
    made.push_back({DigestKind::kMd5, Md5::Of(sink.body())});
  }
  Copied copied;
  copied.proof = co_await ProveWhole(ends, object, put, made, md5_up_front, traffic);
  copied.source = IdentityOf(head, object.source);
  copied.destination_etag = put.etag;
  co_return copied;
}

[[noreturn]] void ThrowKeptChanging(const SideError& last) {
  throw SideError(Side::kSource,
                  Error(ErrorKind::kConflict,
                        "the source kept changing while it was copied: " + std::string(last.what()),
                        std::string(kKeptChanging)));
}

// One GET whose body flows through a ring into one PUT, on the same loop.
class Stream {
 public:
  Stream(Ends& ends, std::size_t ring_bytes)
      : ends_(ends),
        digest_({DigestForDestination(ends)}),
        ring_(ring_bytes, [this](std::string_view bytes) { digest_.Update(bytes); }),
        head_known_(std::make_shared<Event>()) {}

  // A whole object, or a range of one that becomes a part.
  enum class Body { kObject, kPart };

  // The whole body of `get` becomes the body of `put`; what the GET says of an object goes along
  // with it. Both requests have ended when this returns or throws.
  Task<PutAnswer> Run(GetRequest get, PutRequest put, Body body) {
    Started<ObjectHead> download(Download(get, body));
    PutAnswer answer;
    std::exception_ptr error;
    bool source_failed = false;
    try {
      answer = co_await Upload(get, put, body);
    } catch (...) {
      error = std::current_exception();
      source_failed = failed_;  // its end is the reason, not the consequence
    }
    ring_.Refuse();  // nobody reads any more: a body that is longer than it should be ends too
    co_await download.End();
    if (error && !source_failed) std::rethrow_exception(error);
    head_ = download.Take();
    if (error) std::rethrow_exception(error);
    CheckLength(ring_.pushed_bytes(), put.bytes);
    co_return answer;
  }

  const ObjectHead& head() const { return head_; }
  // Once the whole body has passed.
  const Digests& FinishDigests() {
    if (!made_) made_ = digest_.Finish();
    return *made_;
  }
  std::uint64_t moved_bytes() const { return ring_.pushed_bytes(); }

 private:
  Task<ObjectHead> Download(GetRequest get, Body body) {
    // Resuming here would start a request inside libcurl's callback, which it forbids; the event
    // is shared because this frame may be gone when the loop gets round to it.
    std::function<void(const ObjectHead&)> on_head = [this, body](const ObjectHead& head) {
      head_ = head;
      if (body == Body::kObject) {
        digest_ =
            BodyDigest(DigestsOfWhole(ends_.source_provider, head, DigestForDestination(ends_)));
      }
      ends_.loop.Post([event = head_known_] { event->Set(); });
    };
    try {
      ObjectHead head = co_await On(Side::kSource, ends_.source.Get(get, ring_, on_head));
      ring_.Close();
      head_known_->Set();
      co_return head;
    } catch (...) {
      ring_.Fail();
      failed_ = true;
      head_known_->Set();
      throw;
    }
  }

  Task<PutAnswer> Upload(GetRequest get, PutRequest put, Body body) {
    co_await *head_known_;
    if (failed_) throw Error(ErrorKind::kUnavailable, "the source failed before its first byte");
    ObjectMetadata metadata;
    if (body == Body::kObject) {
      metadata = co_await MetadataOf(ends_, get.key, head_);
      put.metadata = &metadata;
    }
    put.source = &ring_;
    if (DemandsChecksum(ends_)) {
      put.kind_behind = DigestForDestination(ends_);
      put.digest_behind = [this, kind = put.kind_behind] {
        return *FindDigest(FinishDigests(), kind);
      };
    }
    co_return co_await On(Side::kDestination, ends_.destination.Put(put));
  }

  Ends& ends_;
  BodyDigest digest_;
  std::optional<Digests> made_;
  Ring ring_;
  std::shared_ptr<Event> head_known_;
  ObjectHead head_;
  bool failed_ = false;
};

Task<Copied> CopyStreaming(Ends& ends, const ObjectToCopy& object, std::size_t ring_bytes,
                           Traffic& traffic) {
  PutRequest put;
  put.key = object.destination_key;
  put.bytes = object.source.size_bytes;
  GetRequest get = PinnedGet(ends, object);
  Stream stream(ends, ring_bytes);
  PutAnswer answer;
  try {
    answer = co_await stream.Run(get, put, Stream::Body::kObject);
  } catch (...) {
    traffic.read_bytes += stream.moved_bytes();
    throw;
  }
  traffic.read_bytes += stream.moved_bytes();
  traffic.written_bytes += put.bytes;
  const Digests made = stream.FinishDigests();
  CheckRead(ends.source_provider, stream.head(), made);
  NoteChecksums(ends, answer.checksums);
  co_await CheckTagsBelong(ends, object.source_key, stream.head());
  Copied copied;
  copied.proof = co_await ProveWhole(ends, object, answer, made, /*md5_up_front=*/false, traffic);
  copied.source = IdentityOf(stream.head(), object.source);
  copied.destination_etag = answer.etag;
  co_return copied;
}

Task<Copied> MoveWhole(Ends& ends, const ObjectToCopy& object, std::size_t ring_bytes,
                       Traffic& traffic) {
  if (object.source.size_bytes <= kWholeBytesMax) return CopyInMemory(ends, object, traffic);
  return CopyStreaming(ends, object, ring_bytes, traffic);
}

// By the store, or else the ordinary way.
Task<Copied> CopyOnce(Ends& ends, const ObjectToCopy& object, std::size_t ring_bytes,
                      Traffic& traffic) {
  ByStore<Copied> by_store = co_await CopyByStore(ends, object);
  if (by_store.done) co_return std::move(*by_store.done);
  Copied copied = co_await MoveWhole(ends, object, ring_bytes, traffic);
  if (by_store.failed) {
    ends.server_side->Failed(ServerSideCopies::Step::kObject, *by_store.failed);
  }
  co_return copied;
}

Task<DonePart> MovePart(Ends& ends, const ObjectToCopy& object, const PartToCopy& part,
                        std::size_t ring_bytes, Traffic& traffic) {
  GetRequest get = PinnedGet(ends, object);
  get.first_byte = part.part.first_byte;
  get.range_bytes = part.part.size_bytes;
  get.expected_bytes = part.part.size_bytes;
  PutRequest put;
  put.key = object.destination_key;
  put.upload_id = part.upload_id;
  put.part_number = part.part.number;
  put.bytes = part.part.size_bytes;
  Stream stream(ends, std::min<std::size_t>(ring_bytes, kWholeBytesMax));
  PutAnswer answer;
  std::optional<SideError> gone;
  try {
    answer = co_await stream.Run(get, put, Stream::Body::kPart);
  } catch (const SideError& error) {
    traffic.read_bytes += stream.moved_bytes();
    if (error.side() != Side::kSource || error.kind() != ErrorKind::kNotFound) throw;
    gone = error;
  } catch (...) {
    traffic.read_bytes += stream.moved_bytes();
    throw;
  }
  if (gone) {
    // The key is there, the version is not: the object is another one now.
    co_await LookAgain(ends, object, *gone);
    throw SideError(Side::kSource, Error(ErrorKind::kConflict, gone->what(), gone->code()));
  }
  traffic.read_bytes += stream.moved_bytes();
  traffic.written_bytes += put.bytes;
  DonePart done;
  done.number = part.part.number;
  done.etag = answer.etag;
  const Digests made = stream.FinishDigests();
  done.digest = made.front();
  // Whether it proves the part or says nothing: the whole is proven after Complete.
  ProofByAnswer(ends, answer, made);
  co_return done;
}

}  // namespace

std::size_t BodyMemory(std::uint64_t bytes, std::size_t ring_bytes) {
  if (bytes <= kWholeBytesMax) return static_cast<std::size_t>(bytes);
  return FlowMemory(bytes, ring_bytes);
}

std::size_t FlowMemory(std::uint64_t bytes, std::size_t ring_bytes) {
  return std::min<std::size_t>(ring_bytes, static_cast<std::size_t>(bytes)) + kBesideRing;
}

Task<Copied> CopyWhole(Ends ends, ObjectToCopy object, std::size_t ring_bytes, Traffic& traffic) {
  for (int look = 1;; ++look) {
    std::optional<SideError> problem;
    try {
      co_return co_await CopyOnce(ends, object, ring_bytes, traffic);
    } catch (const SideError& error) {
      problem = error;
    }
    const ObjectHead now = co_await LookAgain(ends, object, *problem);
    if (look == kLooksMax) ThrowKeptChanging(*problem);
    // It did not change, whatever the store that was to copy it says.
    if (now.etag == object.source.etag) object.store_may_copy = false;
    object.source = IdentityOf(now, object.source);
  }
}

Task<std::optional<Copied>> CompareBytes(Ends ends, ObjectToCopy object, Traffic& traffic) {
  ObjectHead theirs;
  try {
    theirs = co_await On(Side::kDestination, ends.destination.Head(object.destination_key));
  } catch (const SideError& error) {
    if (error.code() != "NoSuchKey") throw;
    co_return std::nullopt;
  }
  if (theirs.size_bytes != object.source.size_bytes) co_return std::nullopt;
  Started<Digest> stored(ReadBack(ends, object.destination_key, theirs.etag, theirs.size_bytes,
                                  kForComparing, traffic));
  const GetRequest get = PinnedGet(ends, object);
  Digest ours;
  std::exception_ptr error;
  try {
    ours = co_await ReadDigest(ends.source, Side::kSource, get, kForComparing, traffic);
  } catch (...) {
    error = std::current_exception();
  }
  co_await stored.End();
  if (error) std::rethrow_exception(error);
  if (stored.Take() != ours) co_return std::nullopt;
  Copied copied;
  copied.source = object.source;
  copied.destination_etag = theirs.etag;
  copied.proof = kProofAdopted;
  co_return copied;
}

Task<DonePart> CopyPart(Ends ends, ObjectToCopy object, PartToCopy part, std::size_t ring_bytes,
                        Traffic& traffic) {
  ByStore<DonePart> by_store = co_await CopyPartByStore(ends, object, part);
  if (by_store.done) co_return std::move(*by_store.done);
  DonePart done = co_await MovePart(ends, object, part, ring_bytes, traffic);
  if (by_store.failed) {
    ends.server_side->Failed(ServerSideCopies::Step::kPart, *by_store.failed);
  }
  co_return done;
}

}  // namespace ferry
