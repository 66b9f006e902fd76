// Packets on their way, in the order in which they come out, in one piece of memory that is asked
// for once: a packet is read into the ring and written from it. One thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace ferry::bench {

class PacketRing {
 public:
  struct Packet {
    std::chrono::nanoseconds due;
    std::span<const std::byte> bytes;  // valid until Pop
  };

  // Holds at least `capacity_bytes` of TCP packets of up to `packet_bytes_max` each, be they only
  // acknowledgements.
  PacketRing(std::size_t capacity_bytes, std::size_t packet_bytes_max);

  // Where the next packet may be read to, packet_bytes_max long; empty: the ring is full. Nothing
  // is taken until Push, and until then it is the same place.
  std::span<std::byte> Room();

  // Takes the first `bytes` of Room().
  // REQUIRES: Room() was not empty, 0 < bytes <= packet_bytes_max
  void Push(std::size_t bytes, std::chrono::nanoseconds due);

  bool Empty() const { return count_ == 0; }

  // REQUIRES: not Empty()
  Packet Front() const;
  void Pop();

 private:
  struct Header {
    std::int64_t due_ns;
    std::uint64_t bytes;
  };

  std::size_t Footprint(std::size_t bytes) const;
  std::size_t Wrapped(std::size_t at) const;

  const std::size_t packet_bytes_max_;
  const std::size_t memory_bytes_;
  const std::unique_ptr<std::byte[]> memory_;
  std::size_t head_ = 0;  // of the oldest packet
  std::size_t tail_ = 0;  // where the next one goes
  std::size_t count_ = 0;
};

}  // namespace ferry::bench
