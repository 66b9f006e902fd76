#include "batch/config/bounded_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "batch/base/key.h"

namespace ferry {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void ThrowUnreadable(const std::filesystem::path& file, int error, ErrorKind kind) {
  throw Error(kind, "cannot read " + Shown(file) + ": " + std::generic_category().message(error));
}

}  // namespace

std::string Shown(const std::filesystem::path& file) { return EscapeBytes(file.native()); }

std::string ReadBoundedFile(const std::filesystem::path& file, std::size_t bytes_max,
                            ErrorKind kind) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (descriptor.number() < 0) ThrowUnreadable(file, errno, kind);
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = ::read(descriptor.number(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) ThrowUnreadable(file, errno, kind);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > bytes_max) {
      throw Error(kind, Shown(file) + " holds more than " + std::to_string(bytes_max) + " bytes");
    }
  }
}

}  // namespace ferry
