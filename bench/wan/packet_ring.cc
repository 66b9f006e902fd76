#include "bench/wan/packet_ring.h"

#include <cstring>

namespace ferry::bench {
namespace {

constexpr std::size_t kAlignment = 16;
// Headers of IPv4 and TCP. The smaller a packet, the more of its room our own header takes.
constexpr std::size_t kPacketBytesMin = 40;

}  // namespace

PacketRing::PacketRing(std::size_t capacity_bytes, std::size_t packet_bytes_max)
    : packet_bytes_max_(packet_bytes_max),
      memory_bytes_(Footprint(kPacketBytesMin) * (capacity_bytes / kPacketBytesMin + 1) +
                    3 * Footprint(packet_bytes_max)),
      memory_(std::make_unique_for_overwrite<std::byte[]>(memory_bytes_)) {}

std::size_t PacketRing::Footprint(std::size_t bytes) const {
  return sizeof(Header) + (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// A packet lies in one piece: where the end is too near for the largest, the next is at the start.
std::size_t PacketRing::Wrapped(std::size_t at) const {
  return at + Footprint(packet_bytes_max_) > memory_bytes_ ? 0 : at;
}

std::span<std::byte> PacketRing::Room() {
  const bool behind_head = tail_ < head_ || (tail_ == head_ && count_ > 0);
  if (behind_head && tail_ + Footprint(packet_bytes_max_) > head_) return {};
  return {memory_.get() + tail_ + sizeof(Header), packet_bytes_max_};
}

void PacketRing::Push(std::size_t bytes, std::chrono::nanoseconds due) {
  const Header header{due.count(), bytes};
  std::memcpy(memory_.get() + tail_, &header, sizeof header);
  tail_ = Wrapped(tail_ + Footprint(bytes));
  ++count_;
}

PacketRing::Packet PacketRing::Front() const {
  Header header;
  std::memcpy(&header, memory_.get() + head_, sizeof header);
  return {std::chrono::nanoseconds(header.due_ns),
          {memory_.get() + head_ + sizeof header, header.bytes}};
}

void PacketRing::Pop() {
  head_ = Wrapped(head_ + Footprint(Front().bytes.size()));
  --count_;
}

}  // namespace ferry::bench
