// Child: a program under test as a process of its own, its output in files.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ferry::test {

struct Finished {
  int exit_code = -1;  // a signal's number negated; kOverdue
  std::string out;
  std::string err;

  static constexpr int kOverdue = -1000;
};

inline std::ostream& operator<<(std::ostream& stream, const Finished& finished) {
  return stream << "exit code " << finished.exit_code << "\nstdout:\n"
                << finished.out << "\nstderr:\n"
                << finished.err;
}

// EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0)); says on failure what the program said.
MATCHER_P(ExitsWith, code, "") { return arg.exit_code == code; }

inline std::string ReadWholeFile(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class Child {
 public:
  // `environment` is all the child gets. Output goes to files below `dir`.
  Child(std::vector<std::string> command, const std::map<std::string, std::string>& environment,
        const std::filesystem::path& dir) {
    static int count = 0;
    const std::string stem = dir / ("child-" + std::to_string(++count));
    out_ = stem + ".out";
    err_ = stem + ".err";
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, out_.c_str(), kWrite, 0600);
    posix_spawn_file_actions_addopen(&files, 2, err_.c_str(), kWrite, 0600);
    const int failed = posix_spawn(&pid_, command.front().c_str(), &files, nullptr,
                                   Pointers(command).data(), Pointers(variables).data());
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0) throw std::runtime_error("cannot start " + command.front());
    pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  }
  ~Child() {
    if (!status_) {
      Signal(SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(pidfd_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void Signal(int number) const { syscall(SYS_pidfd_send_signal, pidfd_, number, nullptr, 0); }

  bool IsRunning() const {
    pollfd ended{pidfd_, POLLIN, 0};
    return poll(&ended, 1, 0) == 0;
  }

  std::string out() const { return ReadWholeFile(out_); }
  std::string err() const { return ReadWholeFile(err_); }

  // Kills it when it does not end in time.
  Finished Wait(std::chrono::milliseconds patience = std::chrono::seconds(90)) {
    pollfd ended{pidfd_, POLLIN, 0};
    const bool overdue = !status_ && poll(&ended, 1, static_cast<int>(patience.count())) == 0;
    if (overdue) Signal(SIGKILL);
    if (!status_) waitpid(pid_, &status_.emplace(), 0);
    if (overdue) return {Finished::kOverdue, out(), err()};
    return {WIFEXITED(*status_) ? WEXITSTATUS(*status_) : -WTERMSIG(*status_), out(), err()};
  }

 private:
  static std::vector<char*> Pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  pid_t pid_ = 0;
  int pidfd_ = -1;
  std::optional<int> status_;
  std::string out_;
  std::string err_;
};

}  // namespace ferry::test
