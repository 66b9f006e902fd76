#include "batch/pg/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <string_view>
#include <system_error>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/base/log.h"

namespace ferry::pg {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kInitdbTimeout{180'000};

// Exit codes of children that could not become what they should.
constexpr int kNoUser = 125;
constexpr int kNoNamespace = 126;

// Waits for the server, so its process id stays its own, and stops it through a watcher that gets
// the users' lock (8) exclusively: twice, a second apart, for a user may follow another. Everything
// here dies with the keeper, and the keeper with its server. 9 is the server's lock. The directory
// of the socket goes only where no user is left who could be about to start another server.
constexpr const char* kKeeperScript = R"(
run=$1; shift
setpriv --pdeathsig INT "$@" 8>&- &
server=$!
exec 9>&-
setpriv --pdeathsig KILL sh -c '
  while flock -x 8; flock -u 8; sleep 1; ! flock -n -x 8; do :; done
  kill -INT "$1"' bucketferry-keeper $server &
wait $server
flock -n -x 8 && rmdir "$run"
kill -KILL 0
)";

// A child's command line and environment, made before fork: after it only system calls are safe.
// The environment is new, because ours may hold secrets, PG* variables and locales that are not
// installed.
struct Command {
  std::vector<std::string> arguments;
  std::vector<std::string> environment = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/",
      "TZ=UTC"};
};

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Redirect {
  int from;
  int to;
};

// In a child: only these files stay open. What is wanted first moves out of the way of the rest.
bool KeepOnly(std::initializer_list<Redirect> redirects) {
  constexpr int kAboveAll = 20;
  std::array<int, 8> parked{};
  std::size_t count = 0;
  for (const Redirect& redirect : redirects) {
    parked[count++] = fcntl(redirect.from, F_DUPFD, kAboveAll);
  }
  count = 0;
  unsigned next = 0;
  for (const Redirect& redirect : redirects) {
    const auto to = static_cast<unsigned>(redirect.to);
    if (to > next) close_range(next, to - 1, 0);
    if (dup2(parked[count++], redirect.to) < 0) return false;
    next = to + 1;
  }
  return close_range(next, ~0U, 0) == 0;
}

int OpenOrThrow(const fs::path& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0) return fd;
  throw Error(ErrorKind::kConfig, fmt::format("embedded database: cannot open {}: {}",
                                              path.string(), std::strerror(errno)));
}

class OpenFile {
 public:
  OpenFile(const fs::path& path, int flags) : fd_(OpenOrThrow(path, flags)) {}
  ~OpenFile() { close(fd_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

pid_t ForkOrThrow() {
  const pid_t child = fork();
  if (child >= 0) return child;
  throw Error(ErrorKind::kUnavailable,
              fmt::format("embedded database: cannot fork: {}", std::strerror(errno)));
}

// Writes all of `text` into a file of /proc. In a child.
bool WriteProc(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY);
  if (fd < 0) return false;
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return written;
}

// A view in which our uid is `nobody`, who has a passwd entry. Files stay ours.
struct NamespaceMaps {
  std::string uid;
  std::string gid;

  // In a child, as the user.
  bool Enter() const {
    prctl(PR_SET_DUMPABLE, 1);  // after a change of uid, /proc/self would be root's
    return unshare(CLONE_NEWUSER) == 0 && WriteProc("/proc/self/setgroups", "deny") &&
           WriteProc("/proc/self/uid_map", uid) && WriteProc("/proc/self/gid_map", gid);
  }
};

// Runs a command to its end, as the user, with its output appended to the log. Returns its exit
// code; -1: it was killed, or took too long.
int Run(Command command, const ClusterPlace& place, const FileLock& server_lock,
        const std::optional<NamespaceMaps>& maps = std::nullopt) {
  const std::vector<char*> arguments = Pointers(command.arguments);
  const std::vector<char*> environment = Pointers(command.environment);
  const OpenFile null("/dev/null", O_RDWR);
  const OpenFile output(place.log(), O_WRONLY | O_CREAT | O_APPEND);
  GiveTo(place.user, place.log());
  const pid_t child = ForkOrThrow();
  if (child == 0) {
    if (!KeepOnly({{null.fd(), 0}, {output.fd(), 1}, {output.fd(), 2}, {server_lock.fd(), 9}}) ||
        chdir("/") != 0 || !BecomeUser(place.user)) {
      _exit(kNoUser);
    }
    if (maps && !maps->Enter()) _exit(kNoNamespace);
    execve(arguments[0], arguments.data(), environment.data());
    _exit(127);
  }
  SystemClock clock;
  const SteadyTime deadline = clock.SteadyNow() + kInitdbTimeout;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (clock.SteadyNow() >= deadline) kill(child, SIGKILL);
    clock.SleepFor(milliseconds(5), {});
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool HasPasswdEntry(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  return getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
}

std::optional<fs::path> FindNssWrapper() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib", ignored)) {
    const fs::path library = entry.path() / "libnss_wrapper.so";
    if (fs::exists(library, ignored)) return library;
  }
  return std::nullopt;
}

// initdb wants a name for its uid, although it is told another for the database.
int RunInitdb(Command command, const ClusterPlace& place, const FileLock& server_lock) {
  const ServerUser& user = place.user;
  if (HasPasswdEntry(user.uid)) return Run(std::move(command), place, server_lock);
  if (const auto library = FindNssWrapper()) {
    const fs::path passwd_file = place.dir / "initdb.passwd";
    std::ofstream(passwd_file) << fmt::format("bucketferry:x:{}:{}::/:/bin/false\n", user.uid,
                                              user.gid);
    GiveTo(user, passwd_file);
    const fs::path group_file = place.dir / "initdb.group";
    std::ofstream(group_file) << fmt::format("bucketferry:x:{}:\n", user.gid);
    GiveTo(user, group_file);
    command.environment.push_back("LD_PRELOAD=" + library->string());
    command.environment.push_back("NSS_WRAPPER_PASSWD=" + passwd_file.string());
    command.environment.push_back("NSS_WRAPPER_GROUP=" + group_file.string());
    return Run(std::move(command), place, server_lock);
  }
  const NamespaceMaps maps{fmt::format("65534 {} 1", user.uid),
                           fmt::format("{} {} 1", user.gid, user.gid)};
  const int code = Run(std::move(command), place, server_lock, maps);
  if (code == kNoNamespace) {
    throw Error(ErrorKind::kConfig,
                fmt::format("embedded database: uid {} has no passwd entry, which initdb wants: "
                            "install libnss-wrapper, or add an entry",
                            user.uid));
  }
  return code;
}

std::vector<std::string> ServerArguments(const ClusterPlace& place,
                                         const ServerBinaries& binaries) {
  // On the command line, not in postgresql.conf: a new version of this program brings its own.
  const std::string settings[] = {
      "listen_addresses=",
      "unix_socket_directories=" + place.socket_dir.string(),
      "unix_socket_permissions=0700",
      "port=5432",
      "cluster_name=bucketferry",
      "max_connections=50",
      "shared_buffers=64MB",
      "max_wal_size=1GB",
      // Nobody replicates a private server; less WAL, and none for tables filled where created.
      "wal_level=minimal",
      "max_wal_senders=0",
      "jit=off",                 // compiling costs more than these statements
      "autovacuum_naptime=15s",  // the queue's tables turn over fast
      "logging_collector=off",
      "log_destination=stderr",
      "log_checkpoints=off",
      "log_line_prefix=%m [%p] ",
      "log_timezone=UTC",
      "timezone=UTC",
      "lc_messages=C",
  };
  std::vector<std::string> arguments = {(binaries.dir / "postgres").string(), "-D",
                                        place.data().string()};
  for (const std::string& setting : settings) {
    arguments.push_back("-c");
    arguments.push_back(setting);
  }
  return arguments;
}

}  // namespace

bool BecomeUser(const ServerUser& user) {
  if (geteuid() != 0) return true;
  return setgroups(1, &user.gid) == 0 && setresgid(user.gid, user.gid, user.gid) == 0 &&
         setresuid(user.uid, user.uid, user.uid) == 0;
}

void InitializeCluster(const ClusterPlace& place, const ServerBinaries& binaries,
                       const FileLock& server_lock) {
  const fs::path fresh = place.dir / "data.new";
  std::error_code failed;
  fs::remove_all(fresh, failed);  // of one that was killed
  Command command;
  command.arguments = {(binaries.dir / "initdb").string(),
                       "--pgdata=" + fresh.string(),
                       "--username=bucketferry",
                       "--auth=trust",
                       "--encoding=UTF8",
                       "--locale=C",
                       "--no-instructions"};
  const std::uintmax_t before = fs::exists(place.log()) ? fs::file_size(place.log()) : 0;
  const int code = RunInitdb(std::move(command), place, server_lock);
  if (code == 0) {
    fs::rename(fresh, place.data(), failed);
    if (!failed) return;
  }
  std::error_code ignored;
  fs::remove_all(fresh, ignored);
  const std::string reason = code == 0         ? failed.message()
                             : code == kNoUser ? fmt::format("cannot become uid {}", place.user.uid)
                                               : TellingLogLine(place.log(), before);
  throw Error(
      code == kNoUser ? ErrorKind::kConfig : ErrorKind::kUnavailable,
      fmt::format("embedded database: cannot create {}: {}", place.data().string(), reason));
}

void StartKeeper(const ClusterPlace& place, const ServerBinaries& binaries,
                 const FileLock& server_lock, const FileLock& users) {
  Command command;
  command.arguments = {"/bin/sh", "-c", kKeeperScript, "bucketferry-keeper",
                       place.socket_dir.string()};
  for (std::string& argument : ServerArguments(place, binaries)) {
    command.arguments.push_back(std::move(argument));
  }
  const std::vector<char*> arguments = Pointers(command.arguments);
  const std::vector<char*> environment = Pointers(command.environment);
  const OpenFile null("/dev/null", O_RDWR);
  const OpenFile output(place.log(), O_WRONLY | O_CREAT | O_APPEND);
  GiveTo(place.user, place.log());
  const pid_t child = ForkOrThrow();
  if (child == 0) {
    // Twice, so that the keeper is nobody's child, and in a session of its own, so that a
    // terminal's signals pass it by.
    setsid();
    const pid_t keeper = fork();
    if (keeper != 0) _exit(keeper < 0 ? 1 : 0);
    // A group of its own too: it ends by killing that.
    setpgid(0, 0);
    if (KeepOnly({{null.fd(), 0},
                  {output.fd(), 1},
                  {output.fd(), 2},
                  {users.fd(), 8},
                  {server_lock.fd(), 9}}) &&
        chdir("/") == 0 && BecomeUser(place.user)) {
      execve(arguments[0], arguments.data(), environment.data());
    }
    _exit(kNoUser);
  }
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::string TellingLogLine(const fs::path& log, std::uintmax_t offset) {
  std::ifstream file(log);
  file.seekg(static_cast<std::streamoff>(offset));
  std::string telling;
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    last = line;
    for (const std::string_view mark : {"FATAL: ", "PANIC: ", "ERROR: ", "error: "}) {
      if (line.find(mark) != std::string::npos) telling = line;
    }
  }
  if (telling.empty()) telling = last;
  if (telling.empty()) return "no reason given in " + log.string();
  if (const std::size_t process = telling.find("] "); process != std::string::npos) {
    telling.erase(0, process + 2);  // log_line_prefix
  }
  return EscapeBytes(telling);
}

}  // namespace ferry::pg
