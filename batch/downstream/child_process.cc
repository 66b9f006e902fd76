#include "batch/downstream/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "batch/base/error.h"
#include "batch/base/key.h"

namespace ferry {
namespace {

constexpr std::size_t kTailBytesMax = 4096;
constexpr int kReadsMax = 16;

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct SpawnSettings {
  explicit SpawnSettings(int output) {
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    // Threads of ours block signals and ignore SIGPIPE; the program starts as from a shell.
    sigset_t none;
    sigemptyset(&none);
    sigset_t usual;
    sigemptyset(&usual);
    for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&usual, signal);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
};

}  // namespace

ChildProcess::ChildProcess(std::vector<std::string> arguments,
                           std::vector<std::string> environment) {
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) {
    throw Error(ErrorKind::kUnavailable, fmt::format("pipe: {}", std::strerror(errno)));
  }
  output_ = pipe[0];
  fcntl(output_, F_SETFL, O_NONBLOCK);
  const std::string program = arguments.front();
  std::vector<char*> argv = Pointers(arguments);
  std::vector<char*> envp = Pointers(environment);
  const SpawnSettings settings(pipe[1]);
  const int failed = posix_spawnp(&pid_, program.c_str(), &settings.files, &settings.attributes,
                                  argv.data(), envp.data());
  close(pipe[1]);
  if (failed != 0) {
    close(output_);
    throw Error(ErrorKind::kInvalid, fmt::format("{} cannot be started: {}", EscapeBytes(program),
                                                 std::strerror(failed)));
  }
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
}

ChildProcess::~ChildProcess() {
  // Also what it started and left behind.
  kill(-pid_, SIGKILL);
  if (!status_) waitpid(pid_, nullptr, 0);
  if (pidfd_ >= 0) close(pidfd_);
  if (output_ >= 0) close(output_);
}

void ChildProcess::Terminate() const { kill(-pid_, SIGTERM); }

// So much at a time: who writes without end must not be listened to without end.
void ChildProcess::Read() {
  std::array<char, 4096> buffer{};
  for (int i = 0; i < kReadsMax && output_ >= 0; ++i) {
    const ssize_t count = read(output_, buffer.data(), buffer.size());
    if (count < 0) return;
    if (count == 0) {  // nobody holds the other end any more
      close(output_);
      output_ = -1;
      return;
    }
    tail_.append(buffer.data(), static_cast<std::size_t>(count));
    if (tail_.size() > kTailBytesMax) tail_.erase(0, tail_.size() - kTailBytesMax);
  }
}

std::optional<int> ChildProcess::Wait(std::chrono::milliseconds patience) {
  if (status_) return status_;
  // Of a descriptor below zero poll hears nothing.
  std::array<pollfd, 2> watched = {pollfd{output_, POLLIN, 0}, pollfd{pidfd_, POLLIN, 0}};
  poll(watched.data(), watched.size(), static_cast<int>(patience.count()));
  Read();
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) {
    Read();
    status_ = status;
  }
  return status_;
}

std::string ChildProcess::LastLine() const {
  std::string text = tail_;
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace ferry
