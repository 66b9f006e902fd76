#include "bench/wan/tun_device.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace ferry::bench {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

class File {
 public:
  File(const std::string& path, int flags) : fd(::open(path.c_str(), flags | O_CLOEXEC)) {
    if (fd < 0) Fail(path);
  }
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int fd;
};

// This thread is in that network namespace until the end of the scope.
class Visit {
 public:
  explicit Visit(const std::string& network_namespace)
      : home_("/proc/thread-self/ns/net", O_RDONLY) {
    const File there("/run/netns/" + network_namespace, O_RDONLY);
    if (::setns(there.fd, CLONE_NEWNET) != 0) Fail("setns " + network_namespace);
  }
  ~Visit() { ::setns(home_.fd, CLONE_NEWNET); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  const File home_;
};

}  // namespace

TunDevice::TunDevice(const std::string& network_namespace, const std::string& name) {
  const Visit visit(network_namespace);
  File device("/dev/net/tun", O_RDWR | O_NONBLOCK);
  // No IFF_VNET_HDR: the kernel then cuts everything to the MTU before it comes here, as it must
  // for a line.
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  if (::ioctl(device.fd, TUNSETIFF, &request) != 0) Fail("TUNSETIFF " + name);
  fd_ = std::exchange(device.fd, -1);
}

TunDevice::~TunDevice() { ::close(fd_); }

std::size_t TunDevice::Read(std::span<std::byte> room) {
  const ssize_t got = ::read(fd_, room.data(), room.size());
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

bool TunDevice::Write(std::span<const std::byte> packet) {
  return ::write(fd_, packet.data(), packet.size()) == static_cast<ssize_t>(packet.size());
}

}  // namespace ferry::bench
