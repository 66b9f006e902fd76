// ChildProcess: a program with its output in a pipe, in a process group of its own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace ferry {

class ChildProcess {
 public:
  // Starts `arguments` with exactly `environment`, no input, and no file of ours but the pipe.
  // Throws Error{kInvalid}: it cannot be started, and why.
  ChildProcess(std::vector<std::string> arguments, std::vector<std::string> environment);
  // Kills the group.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Reads what it writes for so long at the most. The wait status once it has ended.
  std::optional<int> Wait(std::chrono::milliseconds patience);
  // Asks the whole group to end.
  void Terminate() const;

  // The last line that is not empty, of the last few KiB.
  std::string LastLine() const;

 private:
  void Read();

  pid_t pid_ = -1;
  int pidfd_ = -1;
  int output_ = -1;
  std::string tail_;
  std::optional<int> status_;
};

}  // namespace ferry
