#include "batch/store/paced_store.h"

#include <algorithm>

namespace ferry {

PacedSink::PacedSink(BodySink& inner, EventLoop& loop, TokenBucket& bucket)
    : inner_(inner), loop_(loop), bucket_(bucket) {}

PacedSink::~PacedSink() {
  turn_->gone = true;
  turn_->wake = {};
}

void PacedSink::WakeWriterBy(std::function<void()> wake) {
  turn_->wake = wake;
  inner_.WakeWriterBy(std::move(wake));
}

BodySink::Demand PacedSink::Push(std::string_view bytes) {
  if (turn_->waiting) return Demand::kLater;  // woken by the other end, and not yet by the clock
  while (passed_on_ < bytes.size()) {
    std::string_view piece = bytes.substr(passed_on_);
    piece =
        piece.substr(0, std::max(bucket_.PieceBytes(loop_.clock().SteadyNow()), std::size_t{1}));
    if (!Pay(piece.size())) return Demand::kLater;
    const Demand demand = inner_.Push(piece);
    if (demand != Demand::kTaken) return demand;  // what was paid is used when it comes back
    turn_->bytes_paid -= piece.size();
    passed_on_ += piece.size();
  }
  passed_on_ = 0;
  return Demand::kTaken;
}

// False: later; the writer will be woken.
bool PacedSink::Pay(std::size_t bytes) {
  if (turn_->bytes_paid >= bytes) return true;
  const std::size_t missing = bytes - turn_->bytes_paid;
  const SteadyTime now = loop_.clock().SteadyNow();
  const std::uint64_t place = bucket_.TakePlace(missing, now);
  if (bucket_.Wait(place, now).count() == 0) {
    turn_->bytes_paid += missing;
    return true;
  }
  turn_->waiting = true;
  Detach(AwaitTurn(loop_, bucket_, turn_, place, missing),
         [](std::optional<Unit>, const std::exception_ptr&) {});
  return false;
}

Task<Unit> PacedSink::AwaitTurn(EventLoop& loop, TokenBucket& bucket, std::shared_ptr<Turn> turn,
                                std::uint64_t place, std::size_t bytes) {
  while (!turn->gone) {
    const std::chrono::milliseconds wait = bucket.Wait(place, loop.clock().SteadyNow());
    if (wait.count() == 0) break;
    const bool slept = co_await loop.Sleep(wait);
    if (!slept) co_return Unit{};  // the loop stops, and with it the writer
  }
  turn->bytes_paid += bytes;
  turn->waiting = false;
  if (turn->wake) turn->wake();
  co_return Unit{};
}

Task<ObjectHead> PacedStore::Get(GetRequest request, BodySink& sink,
                                 std::function<void(const ObjectHead&)> on_head) {
  PacedSink paced(sink, loop_, bucket_);
  co_return co_await inner_.Get(std::move(request), paced, std::move(on_head));
}

}  // namespace ferry
