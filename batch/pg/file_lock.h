// FileLock: a flock() on a file of its own. The kernel gives it up with the last process that has
// the open file, however that process ends.
#pragma once

#include <chrono>
#include <filesystem>

namespace ferry::pg {

class FileLock {
 public:
  enum class Mode { kShared, kExclusive };

  // Opens `path`, creating it (0600), but takes no lock yet. Throws Error{kConfig}.
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;

  bool Try(Mode mode);
  bool WaitFor(Mode mode, std::chrono::milliseconds patience);  // false: not within that time
  void Unlock();

  // To be inherited by a child: the lock then lives as long as that does, too.
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace ferry::pg
