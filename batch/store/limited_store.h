// LimitedStore: bounds how many requests of one bucket are under way on one loop.
//
// What finds no free slot waits its turn, first come first served. GetTags passes freely: it is
// asked in the middle of a read that holds a slot, and would wait for itself.
#pragma once

#include <coroutine>
#include <deque>

#include "batch/store/event_loop.h"
#include "batch/store/object_store.h"

namespace ferry {

// Counts what is under way. On the loop's thread.
class Slots {
 public:
  // REQUIRES: limit > 0.
  Slots(EventLoop& loop, int limit) : loop_(loop), free_(limit) {}

  // Gives its slot back at its end.
  class Slot {
   public:
    explicit Slot(Slots& slots) : slots_(slots) {}
    ~Slot() { slots_.GiveBack(); }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

   private:
    Slots& slots_;
  };

  // co_await slots.Free(); then make a Slot.
  auto Free() {
    struct Awaiter {
      Slots& slots;
      bool await_ready() const noexcept {
        if (slots.free_ == 0) return false;
        slots.free_ -= 1;
        return true;
      }
      void await_suspend(std::coroutine_handle<> waiter) { slots.waiting_.push_back(waiter); }
      void await_resume() const noexcept {}
    };
    return Awaiter{*this};
  }

 private:
  void GiveBack();

  EventLoop& loop_;
  int free_;
  std::deque<std::coroutine_handle<>> waiting_;
};

class LimitedStore final : public ObjectStore {
 public:
  // `inner` and `loop` outlive this object.
  LimitedStore(ObjectStore& inner, EventLoop& loop, int limit)
      : inner_(inner), slots_(loop, limit) {}

  Task<ListPage> List(ListRequest request) override;
  Task<ObjectHead> Head(Key key) override;
  Task<ObjectHead> Get(GetRequest request, BodySink& sink,
                       std::function<void(const ObjectHead&)> on_head) override;
  Task<NameValues> GetTags(Key key) override { return inner_.GetTags(std::move(key)); }
  Task<Unit> PutTags(Key key, NameValues tags) override;
  Task<PutAnswer> Put(PutRequest request) override;
  Task<Unit> Delete(Key key) override;
  Task<std::string> CreateUpload(Key key, const ObjectMetadata& metadata) override;
  Task<ListPartsPage> ListParts(Key key, std::string upload_id,
                                std::uint32_t after_number) override;
  Task<CompletedUpload> CompleteUpload(Key key, std::string upload_id,
                                       std::vector<PartToComplete> parts) override;
  Task<Unit> AbortUpload(Key key, std::string upload_id) override;
  Task<ListUploadsPage> ListUploads(std::string prefix, std::string key_marker,
                                    std::string upload_id_marker) override;

 private:
  template <typename T>
  Task<T> Limited(Task<T> request);

  ObjectStore& inner_;
  Slots slots_;
};

}  // namespace ferry
