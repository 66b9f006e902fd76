#include "batch/pg/cluster_place.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/pg/server_process.h"

namespace ferry::pg {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPointerName = "postgres.path";
constexpr std::string_view kReachableRoot = "/var/lib/bucketferry";

// sun_path holds 107 bytes and a NUL; the server appends this to its directory.
constexpr std::string_view kSocketName = "/.s.PGSQL.5432";
constexpr std::size_t kSocketPathBytesMax = 107;

[[noreturn]] void Fail(const std::string& what) {
  throw Error(ErrorKind::kConfig, "embedded database: " + what);
}

[[noreturn]] void FailErrno(std::string_view what, const fs::path& path) {
  Fail(fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

// FNV-1a: a short name for a path, the same in every program and build.
std::string PathHash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return fmt::format("{:016x}", hash);
}

std::optional<struct stat> Look(const fs::path& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

std::optional<ServerUser> FindUser(const char* name) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwnam_r(name, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return ServerUser{entry.pw_uid, entry.pw_gid};
}

// The owner of what is there already, so that root and that user can take turns.
std::optional<ServerUser> OwnerBesidesRoot(const fs::path& path) {
  const auto status = Look(path);
  if (!status || status->st_uid == 0) return std::nullopt;
  return ServerUser{status->st_uid, status->st_gid};
}

ServerUser ChooseUser(const fs::path& state_dir, const fs::path& cluster_dir) {
  if (geteuid() != 0) return {geteuid(), getegid()};
  if (const auto owner = OwnerBesidesRoot(cluster_dir)) return *owner;
  if (const auto owner = OwnerBesidesRoot(state_dir)) return *owner;
  if (const auto postgres = FindUser("postgres")) return *postgres;
  if (const auto nobody = FindUser("nobody")) return *nobody;
  return {65534, 65534};
}

// Asked by becoming that user: mode bits alone do not know of access lists and mounts.
bool CanEnter(const ServerUser& user, const fs::path& dir) {
  if (geteuid() != 0) return true;
  const pid_t child = fork();
  if (child < 0) Fail("cannot fork");
  if (child == 0) _exit(BecomeUser(user) && access(dir.c_str(), X_OK) == 0 ? 0 : 1);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string ReadPointer(const fs::path& state_dir) {
  std::ifstream file(state_dir / kPointerName);
  std::string path;
  std::getline(file, path);
  return path;
}

void WritePointer(const fs::path& state_dir, const fs::path& target) {
  const fs::path fresh = state_dir / fmt::format("{}.{}", kPointerName, getpid());
  std::ofstream(fresh) << target.string() << '\n';
  std::error_code failed;
  fs::rename(fresh, state_dir / kPointerName, failed);
  if (failed) Fail(fmt::format("cannot write below {}: {}", state_dir.string(), failed.message()));
}

// A directory only `user` can enter. One that is there must already be so: in /tmp it could be
// anybody's.
void CreatePrivateDir(const fs::path& dir, const ServerUser& user) {
  if (mkdir(dir.c_str(), 0700) == 0) {
    GiveTo(user, dir);
  } else if (errno != EEXIST) {
    FailErrno("create", dir);
  }
  auto status = Look(dir);
  if (!status || !S_ISDIR(status->st_mode)) Fail(dir.string() + " is no directory");
  if (status->st_uid == 0 && geteuid() == 0) {  // another root is just between mkdir and chown
    GiveTo(user, dir);
    status = Look(dir);
  }
  if (!status || status->st_uid != user.uid) {
    Fail(fmt::format("{} belongs to uid {}: run as that user, or as root", dir.string(),
                     status ? status->st_uid : 0));
  }
  if ((status->st_mode & 077) != 0) {
    Fail(dir.string() + " can be entered by others: remove it, or chmod 700");
  }
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
         c == '.' || c == '_' || c == '-';
}

// Beside the data where that fits a socket's name and needs no quoting in a list of directories or
// hosts. The inode is in the name of the other: a server that still runs on a state directory that
// was removed meanwhile must not be taken for the new one's.
fs::path ChooseSocketDir(const fs::path& cluster_dir) {
  const fs::path beside = cluster_dir / "run";
  const std::string text = beside.string();
  if (text.size() + kSocketName.size() <= kSocketPathBytesMax &&
      std::ranges::all_of(text, IsPlain)) {
    return beside;
  }
  const auto status = Look(cluster_dir);
  const std::string identity =
      fmt::format("{}\n{}", cluster_dir.string(), status ? status->st_ino : 0);
  return "/tmp/bucketferry-" + PathHash(identity);
}

fs::path ClusterDirFor(const fs::path& state_dir) {
  if (const std::string elsewhere = ReadPointer(state_dir); !elsewhere.empty()) return elsewhere;
  return state_dir / "postgres";
}

}  // namespace

void GiveTo(const ServerUser& user, const fs::path& path) {
  if (geteuid() == 0 && lchown(path.c_str(), user.uid, user.gid) != 0) FailErrno("chown", path);
}

fs::path FindClusterDir(const fs::path& state_dir) {
  return ClusterDirFor(fs::weakly_canonical(fs::absolute(state_dir)));
}

ClusterPlace CreateClusterPlace(const fs::path& state_dir) {
  std::error_code failed;
  fs::create_directories(state_dir, failed);
  const fs::path state = failed ? state_dir : fs::canonical(state_dir, failed);
  if (failed) {
    Fail(fmt::format("state_dir {} cannot be used: {}", state_dir.string(), failed.message()));
  }
  ClusterPlace place;
  place.dir = ClusterDirFor(state);
  place.user = ChooseUser(state, place.dir);
  if (!Look(place.dir) && place.dir.parent_path() == state && !CanEnter(place.user, state)) {
    place.dir = fs::path(kReachableRoot) / PathHash(state.string());
    fs::create_directories(kReachableRoot, failed);
    if (!failed) fs::permissions(kReachableRoot, fs::perms(0755), failed);  // whatever the umask
    if (failed) Fail(fmt::format("cannot create {}: {}", kReachableRoot, failed.message()));
    WritePointer(state, place.dir);
    log::Info(
        "embedded database kept elsewhere: its user cannot enter the state directory",
        {{"state_dir", state.string()}, {"path", place.dir.string()}, {"uid", place.user.uid}});
  }
  CreatePrivateDir(place.dir, place.user);
  place.socket_dir = ChooseSocketDir(place.dir);
  return place;
}

void CreateSocketDir(const ClusterPlace& place) { CreatePrivateDir(place.socket_dir, place.user); }

}  // namespace ferry::pg
