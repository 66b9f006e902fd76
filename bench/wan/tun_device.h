// A network device whose other side is this process: what the kernel sends into it can be read
// here as an IP packet, and what is written here the kernel receives.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace ferry::bench {

class TunDevice {
 public:
  // Creates `name` (at most 15 characters) in the network namespace that `ip netns` knows as
  // `network_namespace`. The device is there for as long as this object. Needs CAP_NET_ADMIN and
  // CAP_SYS_ADMIN; this thread is in its own namespace again afterwards.
  // Throws std::system_error.
  TunDevice(const std::string& network_namespace, const std::string& name);
  ~TunDevice();
  TunDevice(const TunDevice&) = delete;
  TunDevice& operator=(const TunDevice&) = delete;

  // For poll(): readable when Read() would find a packet.
  int fd() const { return fd_; }

  // The size of the next packet; 0: there is none now. Never waits.
  std::size_t Read(std::span<std::byte> room);

  // False: the kernel would not take it, and it is gone.
  bool Write(std::span<const std::byte> packet);

 private:
  int fd_ = -1;
};

}  // namespace ferry::bench
