#include "batch/pg/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "batch/base/clock.h"
#include "batch/base/error.h"

namespace ferry::pg {

namespace {

// flock() itself can only wait for ever.
constexpr std::chrono::milliseconds kPollPause{10};

}  // namespace

FileLock::FileLock(const std::filesystem::path& path)
    : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  if (fd_ < 0) {
    throw Error(ErrorKind::kConfig, fmt::format("embedded database: cannot open {}: {}",
                                                path.string(), std::strerror(errno)));
  }
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

bool FileLock::Try(Mode mode) {
  return flock(fd_, (mode == Mode::kShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0;
}

bool FileLock::WaitFor(Mode mode, std::chrono::milliseconds patience) {
  SystemClock clock;
  const SteadyTime deadline = clock.SteadyNow() + patience;
  while (!Try(mode)) {
    if (clock.SteadyNow() >= deadline) return false;
    clock.SleepFor(kPollPause, {});
  }
  return true;
}

void FileLock::Unlock() { flock(fd_, LOCK_UN); }

}  // namespace ferry::pg
