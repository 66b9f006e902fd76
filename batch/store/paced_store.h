// PacedStore: lets the bodies that are read from a store through no faster than a TokenBucket has
// it. Only Get is slowed; what is not a body (listings, heads, tags) is not counted.
//
// libcurl stops reading while its sink says "later", TCP holds the server back, and the ring behind
// the sink runs empty, which holds the other side of the copy back. Neither side may take that for
// a dead connection: bytes come in small pieces and often, in turn. Whoever starts copies sees to
// it that not too many share a small rate (TaskLimits::BodyBytesMax): with less than about 64 KiB a
// second each, a server that wants its 4 MiB sent within a minute (RGW) cuts transfers off.
#pragma once

#include <memory>
#include <utility>

#include "batch/store/event_loop.h"
#include "batch/store/object_store.h"
#include "batch/store/token_bucket.h"

namespace ferry {

// On the loop's thread, for one body. What stands before a piece that waits may be passed on
// already: the writer comes back with bytes that begin as those did.
class PacedSink final : public BodySink {
 public:
  // All outlive this object, but for a last timer, which the loop keeps.
  PacedSink(BodySink& inner, EventLoop& loop, TokenBucket& bucket);
  ~PacedSink() override;
  PacedSink(const PacedSink&) = delete;
  PacedSink& operator=(const PacedSink&) = delete;

  Demand Push(std::string_view bytes) override;
  void WakeWriterBy(std::function<void()> wake) override;

 private:
  // Outlives the sink for as long as its timer runs.
  struct Turn {
    std::size_t bytes_paid = 0;
    bool waiting = false;
    bool gone = false;  // the sink is
    std::function<void()> wake;
  };
  bool Pay(std::size_t bytes);
  static Task<Unit> AwaitTurn(EventLoop& loop, TokenBucket& bucket, std::shared_ptr<Turn> turn,
                              std::uint64_t place, std::size_t bytes);

  BodySink& inner_;
  EventLoop& loop_;
  TokenBucket& bucket_;
  std::size_t passed_on_ = 0;  // of the bytes that the writer will come back with
  const std::shared_ptr<Turn> turn_ = std::make_shared<Turn>();
};

class PacedStore final : public ObjectStore {
 public:
  // All outlive this object; `bucket` is shared by the stores of all loops.
  PacedStore(ObjectStore& inner, EventLoop& loop, TokenBucket& bucket)
      : inner_(inner), loop_(loop), bucket_(bucket) {}

  Task<ObjectHead> Get(GetRequest request, BodySink& sink,
                       std::function<void(const ObjectHead&)> on_head) override;

  Task<ListPage> List(ListRequest request) override { return inner_.List(std::move(request)); }
  Task<ListVersionsPage> ListVersions(ListVersionsRequest request) override {
    return inner_.ListVersions(std::move(request));
  }
  Task<ObjectHead> Head(Key key, std::string version_id) override {
    return inner_.Head(std::move(key), std::move(version_id));
  }
  Task<NameValues> GetTags(Key key, std::string version_id) override {
    return inner_.GetTags(std::move(key), std::move(version_id));
  }
  Task<Unit> PutTags(Key key, NameValues tags) override {
    return inner_.PutTags(std::move(key), std::move(tags));
  }
  Task<PutAnswer> Put(PutRequest request) override { return inner_.Put(std::move(request)); }
  // Moves no bytes of ours.
  Task<CopyAnswer> Copy(CopyRequest request) override { return inner_.Copy(std::move(request)); }
  Task<Unit> Delete(Key key) override { return inner_.Delete(std::move(key)); }
  Task<Unit> Restore(RestoreRequest request) override { return inner_.Restore(std::move(request)); }
  Task<std::string> CreateUpload(Key key, const ObjectMetadata& metadata) override {
    return inner_.CreateUpload(std::move(key), metadata);
  }
  Task<ListPartsPage> ListParts(Key key, std::string upload_id,
                                std::uint32_t after_number) override {
    return inner_.ListParts(std::move(key), std::move(upload_id), after_number);
  }
  Task<CompletedUpload> CompleteUpload(Key key, std::string upload_id,
                                       std::vector<PartToComplete> parts) override {
    return inner_.CompleteUpload(std::move(key), std::move(upload_id), std::move(parts));
  }
  Task<Unit> AbortUpload(Key key, std::string upload_id) override {
    return inner_.AbortUpload(std::move(key), std::move(upload_id));
  }
  Task<ListUploadsPage> ListUploads(std::string prefix, std::string key_marker,
                                    std::string upload_id_marker) override {
    return inner_.ListUploads(std::move(prefix), std::move(key_marker),
                              std::move(upload_id_marker));
  }

 private:
  ObjectStore& inner_;
  EventLoop& loop_;
  TokenBucket& bucket_;
};

}  // namespace ferry
