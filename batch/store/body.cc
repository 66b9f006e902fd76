#include "batch/store/body.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "batch/base/error.h"

namespace ferry {

Ring::Ring(std::size_t capacity_bytes, std::function<void(std::string_view)> watch)
    : capacity_(capacity_bytes), watch_(std::move(watch)) {}

BodySource::Piece Ring::Pull(char* to, std::size_t size) {
  if (failed_) return {BodySource::Supply::kFailed, 0};
  if (size_ == 0) {
    if (closed_) return {BodySource::Supply::kEnd, 0};
    reader_waits_ = true;
    return {BodySource::Supply::kLater, 0};
  }
  const std::size_t moved = std::min(size, size_);
  const std::size_t first = std::min(moved, capacity_ - begin_);
  std::memcpy(to, buffer_.get() + begin_, first);
  std::memcpy(to + first, buffer_.get(), moved - first);
  begin_ = (begin_ + moved) % capacity_;
  size_ -= moved;
  // Half empty before the writer goes on: fewer pauses, and none while the reader has enough.
  if (writer_waits_ && size_ <= capacity_ / 2) {
    writer_waits_ = false;
    if (wake_writer_) wake_writer_();
  }
  return {BodySource::Supply::kSome, moved};
}

BodySink::Demand Ring::Push(std::string_view bytes) {
  if (refused_ || bytes.size() > capacity_) return BodySink::Demand::kRefused;
  if (bytes.size() > capacity_ - size_) {
    writer_waits_ = true;
    return BodySink::Demand::kLater;
  }
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(capacity_);
  watch_(bytes);
  const std::size_t end = (begin_ + size_) % capacity_;
  const std::size_t first = std::min(bytes.size(), capacity_ - end);
  std::memcpy(buffer_.get() + end, bytes.data(), first);
  std::memcpy(buffer_.get(), bytes.data() + first, bytes.size() - first);
  size_ += bytes.size();
  pushed_ += bytes.size();
  if (reader_waits_) {
    reader_waits_ = false;
    if (wake_reader_) wake_reader_();
  }
  return BodySink::Demand::kTaken;
}

void Ring::Close() {
  closed_ = true;
  if (std::exchange(reader_waits_, false) && wake_reader_) wake_reader_();
}

void Ring::Fail() {
  failed_ = true;
  if (std::exchange(reader_waits_, false) && wake_reader_) wake_reader_();
}

void Ring::Refuse() {
  refused_ = true;
  if (std::exchange(writer_waits_, false) && wake_writer_) wake_writer_();
}

BodySink::Demand MemorySink::Push(std::string_view bytes) {
  if (bytes.size() > bytes_max_ - body_.size()) return Demand::kRefused;
  body_.append(bytes);
  return Demand::kTaken;
}

BodySink::Demand ExactSink::Push(std::string_view bytes) {
  if (bytes.size() > missing_) {
    throw Error(ErrorKind::kCorrupt, "the store sent more bytes than the object has");
  }
  const Demand demand = inner_.Push(bytes);
  if (demand == Demand::kTaken) missing_ -= bytes.size();
  return demand;
}

}  // namespace ferry
