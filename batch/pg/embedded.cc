#include "batch/pg/embedded.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/base/mutex.h"
#include "batch/pg/cluster_place.h"
#include "batch/pg/file_lock.h"
#include "batch/pg/server_binaries.h"
#include "batch/pg/server_process.h"

namespace ferry::pg {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// A stopping server writes a checkpoint first.
constexpr milliseconds kStopPatience{60'000};
// Crash recovery replays at most max_wal_size and a bit; slow disks need minutes for it.
constexpr milliseconds kStartPatience{300'000};
constexpr milliseconds kPollPause{10};
// After a while without an answer, a line says what is waited for.
constexpr milliseconds kSilenceMax{5'000};
constexpr std::uintmax_t kLogBytesMax = 16 * 1024 * 1024;

[[noreturn]] void Unavailable(const std::string& what) {
  throw Error(ErrorKind::kUnavailable, "embedded database: " + what);
}

FileLock OpenLock(const ClusterPlace& place, const char* name) {
  const fs::path path = place.dir / name;
  FileLock lock(path);
  GiveTo(place.user, path);
  return lock;
}

std::string UriOf(const ClusterPlace& place) {
  return "postgresql://bucketferry@/postgres?host=" + place.socket_dir.string();
}

PGPing Ping(const std::string& uri) { return PQping((uri + "&connect_timeout=5").c_str()); }

std::optional<int> DataVersion(const fs::path& data) {
  std::ifstream file(data / "PG_VERSION");
  int major = 0;
  if (file >> major) return major;
  return std::nullopt;
}

std::uintmax_t LogSize(const fs::path& log) {
  std::error_code failed;
  const std::uintmax_t size = fs::file_size(log, failed);
  return failed ? 0 : size;
}

// What a dead server left behind names a process id, and that may be anybody's by now. Only while
// the server's lock is held: then nobody of the server is left.
void RemoveLeftovers(const ClusterPlace& place) {
  std::error_code ignored;
  fs::remove(place.data() / "postmaster.pid", ignored);
  fs::remove(place.socket_dir / ".s.PGSQL.5432", ignored);
  fs::remove(place.socket_dir / ".s.PGSQL.5432.lock", ignored);
}

// One old log is kept.
void RotateLog(const fs::path& log) {
  std::error_code ignored;
  if (fs::file_size(log, ignored) > kLogBytesMax && !ignored) {
    fs::rename(log, log.string() + ".1", ignored);
  }
}

}  // namespace

struct EmbeddedServer::Cluster {
  explicit Cluster(const fs::path& state_dir)
      : place(CreateClusterPlace(state_dir)),
        uri(UriOf(place)),
        users(OpenLock(place, "users.lock")),
        start(OpenLock(place, "start.lock")) {}

  void EnsureRunning();
  void Start(FileLock server);
  bool WaitUntilReady(FileLock& server);

  const ClusterPlace place;
  const std::string uri;
  Mutex mutex;
  FileLock users;  // held shared for the life of this object
  FileLock start;
};

// REQUIRES: `users` is held, so no keeper stops what is started here.
void EmbeddedServer::Cluster::EnsureRunning() {
  MutexLock lock(mutex);
  if (!start.WaitFor(FileLock::Mode::kExclusive, kStartPatience)) {
    Unavailable("another process has been starting it for too long");
  }
  struct Release {
    FileLock& held;
    ~Release() { held.Unlock(); }
  } const release{start};
  if (Ping(uri) == PQPING_OK) return;
  FileLock server = OpenLock(place, "server.lock");
  if (WaitUntilReady(server)) return;
  Start(std::move(server));
}

// True: the server answers. False: there is none, and `server` is held exclusively (which is the
// proof). In between is one that starts, stops, recovers, or hangs.
bool EmbeddedServer::Cluster::WaitUntilReady(FileLock& server) {
  SystemClock clock;
  const SteadyTime started = clock.SteadyNow();
  bool said = false;
  while (true) {
    if (server.Try(FileLock::Mode::kExclusive)) return false;
    if (Ping(uri) == PQPING_OK) return true;
    const auto waited = clock.SteadyNow() - started;
    if (waited > kStartPatience) {
      Unavailable(fmt::format("its server has not answered for {} s; see {}",
                              std::chrono::duration_cast<std::chrono::seconds>(waited).count(),
                              place.log().string()));
    }
    if (!said && waited > kSilenceMax) {
      said = true;
      log::Info("embedded database: waiting for its server (crash recovery?)",
                {{"log", place.log().string()}});
    }
    clock.SleepFor(kPollPause, {});
  }
}

// REQUIRES: `start` is held, and `server` exclusively.
void EmbeddedServer::Cluster::Start(FileLock server) {
  const std::optional<int> version = DataVersion(place.data());
  const ServerBinaries binaries = FindServerBinaries(version);
  if (!version) {
    // An empty or strange data directory is not ours to overwrite.
    if (fs::exists(place.data())) Unavailable(place.data().string() + " holds no database");
    log::Info("embedded database: creating it",
              {{"path", place.dir.string()}, {"postgresql", binaries.major}});
    InitializeCluster(place, binaries, server);
  }
  RotateLog(place.log());
  const std::uintmax_t log_before = LogSize(place.log());
  {
    const FileLock inherited = std::move(server);
    CreateSocketDir(place);
    RemoveLeftovers(place);
    const FileLock keeper_users = OpenLock(place, "users.lock");
    StartKeeper(place, binaries, inherited, keeper_users);
  }  // now only the server holds its lock
  FileLock probe = OpenLock(place, "server.lock");
  if (!WaitUntilReady(probe)) {
    Unavailable("the server did not start: " + TellingLogLine(place.log(), log_before));
  }
  log::Debug("embedded database: started", {{"path", place.dir.string()}});
}

EmbeddedServer::EmbeddedServer(const fs::path& state_dir)
    : cluster_(std::make_unique<Cluster>(state_dir)),
      cluster_dir_(cluster_->place.dir),
      uri_(cluster_->uri) {
  if (!cluster_->users.WaitFor(FileLock::Mode::kShared, kStopPatience)) {
    Unavailable("its server has been stopping for too long; see " + cluster_->place.log().string());
  }
  cluster_->EnsureRunning();
}

EmbeddedServer::~EmbeddedServer() = default;

void EmbeddedServer::EnsureRunning() { cluster_->EnsureRunning(); }

bool EmbeddedServerExists(const fs::path& state_dir) {
  std::error_code denied;
  return fs::exists(FindClusterDir(state_dir), denied) || denied;
}

}  // namespace ferry::pg
