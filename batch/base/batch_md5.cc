#include "batch/base/batch_md5.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "batch/base/check.h"
#include "batch/base/md5_blocks.h"

namespace ferry {
namespace {

static_assert(std::endian::native == std::endian::little, "words are written as they lie there");

// Of one body, as long as all bodies of the process have not too much; else the least. A body comes
// in bursts, as long as its ring has room: in what waits of the others, there is enough for them to
// go along with it.
constexpr std::size_t kRoomMax = 512 << 10;
constexpr std::size_t kRoomMin = 16 << 10;
constexpr std::size_t kRoomOfAll = 16 << 20;
// A body is not taken along for less than that share of what the one has that must be taken.
constexpr std::size_t kShareTaken = 4;

// Where bytes wait: a ring of whole blocks, so that no block lies across its end.
class Room {
 public:
  Room() = default;
  ~Room() { Free(); }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  std::size_t waiting() const { return waiting_; }

  // As many of `bytes` as there is room for; how many.
  std::size_t Keep(std::string_view bytes);
  // Whole blocks that lie one behind the other.
  std::size_t Blocks() const { return std::min(waiting_, bytes_ - begin_) / kMd5BlockBytes; }
  void Free() {
    in_use_ -= std::exchange(bytes_, 0);
    ring_.reset();
  }
  const char* Next() const { return ring_.get() + begin_; }
  void Taken(std::size_t blocks) {
    const std::size_t taken = blocks * kMd5BlockBytes;
    begin_ = (begin_ + taken) % bytes_;
    waiting_ -= taken;
  }

 private:
  static inline std::atomic<std::size_t> in_use_ = 0;  // by all

  std::unique_ptr<char[]> ring_;  // from the first byte on
  std::size_t bytes_ = 0;
  std::size_t begin_ = 0;
  std::size_t waiting_ = 0;
};

std::size_t Room::Keep(std::string_view bytes) {
  if (bytes.empty()) return 0;
  if (ring_ == nullptr) {
    bytes_ = in_use_ + kRoomMax <= kRoomOfAll ? kRoomMax : kRoomMin;
    in_use_ += bytes_;
    ring_ = std::make_unique_for_overwrite<char[]>(bytes_);
  }
  const std::size_t kept = std::min(bytes.size(), bytes_ - waiting_);
  const std::size_t end = (begin_ + waiting_) % bytes_;
  const std::size_t first = std::min(kept, bytes_ - end);
  std::memcpy(ring_.get() + end, bytes.data(), first);
  std::memcpy(ring_.get(), bytes.data() + first, kept - first);
  waiting_ += kept;
  return kept;
}

}  // namespace

struct BatchMd5::Body {
  std::shared_ptr<Bodies> others;  // and this one
  Md5State state = kMd5Start;
  std::uint64_t bytes = 0;  // so far, taken or not
  Room room;

  std::size_t Blocks() const { return room.Blocks(); }
  Md5Stretch Next() { return {&state, room.Next()}; }
};

class BatchMd5::Bodies {
 public:
  static const std::shared_ptr<Bodies>& OfThisThread() {
    thread_local const auto bodies = std::make_shared<Bodies>();
    return bodies;
  }

  void Add(Body* body) { all_.push_back(body); }
  void Remove(Body* body) { std::erase(all_, body); }

  // Too few for it to be worth while to wait for others.
  bool FewPass() const { return all_.size() < Md5WidthWorthwhile(); }

  // Some of the blocks of `body`, and as many of others as go along.
  void TakeSome(Body& body);

 private:
  std::vector<Body*> all_;
  std::vector<Body*> chosen_;  // kept for its memory
};

void BatchMd5::Bodies::TakeSome(Body& body) {
  const std::size_t most = body.Blocks();
  const std::size_t least = std::max<std::size_t>(most / kShareTaken, 1);
  chosen_.clear();
  for (Body* const other : all_) {
    if (other != &body && other->Blocks() >= least) chosen_.push_back(other);
  }
  const std::size_t count = std::min(chosen_.size(), Md5Width() - 1);
  if (count + 1 < Md5WidthWorthwhile()) {
    const Md5Stretch alone = body.Next();
    TakeMd5Blocks({&alone, 1}, most);
    body.room.Taken(most);
    return;
  }
  // Those with the most: all go as far as the shortest.
  std::ranges::partial_sort(chosen_, chosen_.begin() + static_cast<std::ptrdiff_t>(count),
                            std::greater<>(), &Body::Blocks);
  chosen_.resize(count);
  chosen_.push_back(&body);
  std::size_t blocks = most;
  for (const Body* const one : chosen_) blocks = std::min(blocks, one->Blocks());
  std::array<Md5Stretch, kMd5WidthMax> stretches;
  std::ranges::transform(chosen_, stretches.begin(), &Body::Next);
  TakeMd5Blocks({stretches.data(), chosen_.size()}, blocks);
  for (Body* const one : chosen_) one->room.Taken(blocks);
}

// What waits, up to its last whole block, and then `bytes` from where they are.
void BatchMd5::TakeAlone(Body& body, std::string_view bytes) {
  const std::size_t missing =
      (kMd5BlockBytes - body.room.waiting() % kMd5BlockBytes) % kMd5BlockBytes;
  bytes.remove_prefix(body.room.Keep(bytes.substr(0, missing)));
  while (body.Blocks() > 0) body.others->TakeSome(body);
  if (bytes.empty()) return;
  const Md5Stretch direct{&body.state, bytes.data()};
  const std::size_t blocks = bytes.size() / kMd5BlockBytes;
  TakeMd5Blocks({&direct, 1}, blocks);
  body.room.Keep(bytes.substr(blocks * kMd5BlockBytes));
}

BatchMd5::BatchMd5() : body_(std::make_unique<Body>()) {
  body_->others = Bodies::OfThisThread();
  body_->others->Add(body_.get());
}

BatchMd5::~BatchMd5() {
  if (body_) body_->others->Remove(body_.get());
}

BatchMd5::BatchMd5(BatchMd5&&) noexcept = default;

BatchMd5& BatchMd5::operator=(BatchMd5&& other) noexcept {
  std::swap(body_, other.body_);
  return *this;
}

void BatchMd5::Update(std::string_view bytes) {
  Body& body = *body_;
  FERRY_CHECK(body.others == Bodies::OfThisThread());
  body.bytes += bytes.size();
  if (body.others->FewPass()) {
    TakeAlone(body, bytes);
    return;
  }
  while (!bytes.empty()) {
    bytes.remove_prefix(body.room.Keep(bytes));
    if (!bytes.empty()) body.others->TakeSome(body);
  }
}

// RFC 1321, sections 3.1 and 3.2: a bit, zeros up to the last eight bytes of a block, and the
// length in bits.
std::string BatchMd5::Finish() {
  Body& body = *body_;
  FERRY_CHECK(body.others == Bodies::OfThisThread());
  const std::uint64_t bits = body.bytes * 8;
  const std::size_t zeros = (kMd5BlockBytes * 2 - 9 - body.bytes % kMd5BlockBytes) % kMd5BlockBytes;
  std::string end = "\x80" + std::string(zeros, '\0');
  end.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  Update(end);
  while (body.room.waiting() > 0) body.others->TakeSome(body);
  body.others->Remove(&body);
  body.room.Free();
  std::string digest(sizeof body.state, '\0');
  std::memcpy(digest.data(), body.state.data(), digest.size());
  return digest;
}

}  // namespace ferry
