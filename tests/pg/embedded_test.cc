#include "batch/pg/embedded.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/pg/session.h"
#include "tests/support/test_database.h"

namespace ferry::pg {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

bool Eventually(const std::function<bool()>& holds) {
  SystemClock clock;
  const SteadyTime deadline = clock.SteadyNow() + 60s;
  while (!holds()) {
    if (clock.SteadyNow() >= deadline) return false;
    clock.SleepFor(20ms, {});
  }
  return true;
}

// All that hold a file below `dir` open, but for ourselves: keeper, watcher and server all hold
// the log, whatever they are called.
std::set<pid_t> ProcessesOf(const fs::path& dir) {
  std::set<pid_t> found;
  std::error_code gone;
  for (const auto& process : fs::directory_iterator("/proc")) {
    const std::string name = process.path().filename();
    pid_t pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid == 0 || pid == getpid()) continue;
    for (const auto& file : fs::directory_iterator(process.path() / "fd", gone)) {
      const fs::path target = fs::read_symlink(file.path(), gone);
      if (target.string().starts_with(dir.string() + "/")) found.insert(pid);
    }
  }
  return found;
}

void KillAll(const fs::path& dir) {
  ASSERT_TRUE(Eventually([&] {
    const std::set<pid_t> processes = ProcessesOf(dir);
    for (const pid_t pid : processes) kill(pid, SIGKILL);
    return processes.empty();
  }));
}

// In a child; its exit code.
int InChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    int code = 99;
    try {
      code = body();
    } catch (const Error& error) {
      std::fprintf(stderr, "child: %s\n", error.what());
    }
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int Ask(const std::string& uri, const std::string& query) {
  Session session({.uri = uri});
  return session.Transact(
      [&](Transaction& tx) { return tx.ExecuteText(query).One().Get<int>("n"); });
}

void Do(const std::string& uri, const std::string& text) {
  Session session({.uri = uri});
  session.Transact([&](Transaction& tx) { tx.ExecuteText(text); });
}

ErrorKind KindOfStart(const fs::path& state_dir) {
  try {
    const EmbeddedServer server(state_dir);
  } catch (const Error& error) {
    std::printf("  %s\n", error.what());
    return error.kind();
  }
  return ErrorKind::kStopped;
}

class EmbeddedTest : public testing::Test {
 protected:
  ~EmbeddedTest() override { EXPECT_TRUE(Eventually([&] { return ProcessesOf(Dir()).empty(); })); }
  fs::path Dir() const { return dir_.path(); }
  fs::path State() const { return Dir() / "state"; }

  // A stopped server in `state`, copied from one made once: initdb takes seconds.
  void HaveServer(const fs::path& state) {
    static const test::TemporaryDir made;
    if (!EmbeddedServerExists(made.path())) {
      const EmbeddedServer server(made.path());
    }
    ASSERT_TRUE(Eventually([&] { return ProcessesOf(made.path()).empty(); }));
    fs::create_directories(state);
    const std::string copy = "cp -a " + made.path() + "/postgres " + state.string();
    ASSERT_EQ(std::system(copy.c_str()), 0);
  }

 private:
  test::TemporaryDir dir_;
};

TEST_F(EmbeddedTest, ItStartsIsSharedStopsAndKeepsItsData) {
  EXPECT_FALSE(EmbeddedServerExists(State()));
  {
    const EmbeddedServer first(State());
    Do(first.uri(), "create table public.t as select 1 as n");
    const EmbeddedServer second(State());
    EXPECT_EQ(first.uri(), second.uri());
    EXPECT_EQ(Ask(second.uri(), "select n from public.t"), 1);
  }
  EXPECT_TRUE(EmbeddedServerExists(State()));
  ASSERT_TRUE(Eventually([&] { return ProcessesOf(Dir()).empty(); }));

  const SystemClock clock;
  const SteadyTime started = clock.SteadyNow();
  EmbeddedServer again(State());
  const std::chrono::duration<double, std::milli> took = clock.SteadyNow() - started;
  RecordProperty("start_ms", static_cast<int>(took.count()));
  EXPECT_EQ(Ask(again.uri(), "select n from public.t"), 1);
}

TEST_F(EmbeddedTest, TenProcessesStartItAtOnce) {
  std::vector<pid_t> children;
  for (int i = 0; i < 10; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      try {
        const EmbeddedServer server(State());
        _exit(Ask(server.uri(), "select 7 as n"));
      } catch (const Error& error) {
        std::fprintf(stderr, "child: %s\n", error.what());
        _exit(99);
      }
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 7);
  }
}

TEST_F(EmbeddedTest, WhoComesWhileItStopsStartsItAnew) {
  HaveServer(State());
  for (int round = 0; round < 3; ++round) {
    std::string uri;
    {
      const EmbeddedServer server(State());
      uri = server.uri();
    }
    // The keeper stops it about a second after: be there just when it does.
    ASSERT_TRUE(Eventually([&] {
      try {
        return Ask(uri, "select 0 as n") != 0;
      } catch (const Error&) {
        return true;
      }
    }));
    const EmbeddedServer server(State());
    EXPECT_EQ(Ask(server.uri(), "select 7 as n"), 7);
  }
}

TEST_F(EmbeddedTest, AllOfItKilledRecovers) {
  HaveServer(State());
  EXPECT_EQ(InChild([&] {
    const EmbeddedServer server(State());
    Do(server.uri(), "create table public.t as select 5 as n");
    kill(getpid(), SIGKILL);
    return 0;
  }), -1);
  KillAll(Dir());
  const EmbeddedServer server(State());
  EXPECT_EQ(Ask(server.uri(), "select n from public.t"), 5);
}

TEST_F(EmbeddedTest, AKilledServerIsStartedAgainForItsUser) {
  HaveServer(State());
  EmbeddedServer server(State());
  Do(server.uri(), "create table public.t as select 5 as n");
  for (const pid_t pid : ProcessesOf(Dir())) kill(pid, SIGKILL);
  server.EnsureRunning();
  EXPECT_EQ(Ask(server.uri(), "select n from public.t"), 5);
}

TEST_F(EmbeddedTest, AKilledKeeperTakesItsServerAlong) {
  HaveServer(State());
  EmbeddedServer server(State());
  std::ifstream file(State() / "postgres/data/postmaster.pid");
  pid_t postmaster = 0;
  file >> postmaster;
  std::ifstream stat("/proc/" + std::to_string(postmaster) + "/stat");
  std::string ignored;
  pid_t keeper = 0;
  stat >> ignored >> ignored >> ignored >> keeper;
  ASSERT_GT(keeper, 1);
  kill(keeper, SIGKILL);
  EXPECT_TRUE(Eventually([&] { return kill(postmaster, 0) != 0; }));
  server.EnsureRunning();
  EXPECT_EQ(Ask(server.uri(), "select 7 as n"), 7);
}

TEST_F(EmbeddedTest, AnInterruptedCreationIsDoneAgain) {
  HaveServer(State());
  fs::rename(State() / "postgres/data", State() / "postgres/data.new");
  fs::remove(State() / "postgres/data.new/global/pg_control");
  const EmbeddedServer server(State());
  EXPECT_EQ(Ask(server.uri(), "select 7 as n"), 7);
}

TEST_F(EmbeddedTest, AProcessIdOfSomebodyElseIsNotBelieved) {
  HaveServer(State());
  std::ofstream(State() / "postgres/data/postmaster.pid") << getppid() << "\n";
  const EmbeddedServer server(State());
  EXPECT_EQ(Ask(server.uri(), "select 7 as n"), 7);
}

TEST_F(EmbeddedTest, ALongStateDirectoryWorks) {
  const fs::path state = Dir() / std::string(120, 'x');
  HaveServer(state);
  std::string socket_dir;
  {
    const EmbeddedServer server(state);
    EXPECT_EQ(Ask(server.uri(), "select 7 as n"), 7);
    socket_dir = server.uri().substr(server.uri().find("host=") + 5);
    EXPECT_TRUE(socket_dir.starts_with("/tmp/bucketferry-")) << socket_dir;
  }
  EXPECT_TRUE(Eventually([&] { return !fs::exists(socket_dir); }));
}

TEST_F(EmbeddedTest, AStateDirectoryWithCommasAndSpacesWorks) {
  const EmbeddedServer server(Dir() / "a, 'b' \"c\" ü");
  EXPECT_EQ(Ask(server.uri(), "select 7 as n"), 7);
}

TEST_F(EmbeddedTest, DataOfAnotherVersionIsRefusedAndKept) {
  fs::create_directories(State() / "postgres/data");
  fs::permissions(State() / "postgres", fs::perms::owner_all);
  std::ofstream(State() / "postgres/data/PG_VERSION") << "9\n";
  EXPECT_EQ(KindOfStart(State()), ErrorKind::kConfig);
  EXPECT_TRUE(fs::exists(State() / "postgres/data/PG_VERSION"));
}

TEST_F(EmbeddedTest, AStateDirectoryThatIsAFileIsAConfigurationError) {
  std::ofstream(State()) << "text";
  EXPECT_EQ(KindOfStart(State()), ErrorKind::kConfig);
}

TEST_F(EmbeddedTest, AServerThatDoesNotStartSaysWhy) {
  HaveServer(State());
  fs::remove(State() / "postgres/data/global/pg_control");
  try {
    const EmbeddedServer server(State());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
    EXPECT_NE(std::string(error.what()).find("pg_control"), std::string::npos) << error.what();
  }
}

// ---- as root only ------------------------------------------------------------------------------

bool IsRoot() { return geteuid() == 0; }

TEST_F(EmbeddedTest, RootWithAStateDirectoryTheServerCannotReach) {
  if (!IsRoot()) GTEST_SKIP() << "needs root";
  fs::permissions(Dir(), fs::perms::owner_all);
  fs::path cluster;
  {
    const EmbeddedServer server(State());
    cluster = server.cluster_dir();
    EXPECT_TRUE(cluster.string().starts_with("/var/lib/bucketferry/")) << cluster;
    Do(server.uri(), "create table public.t as select 5 as n");
  }
  ASSERT_TRUE(Eventually([&] { return ProcessesOf(cluster).empty(); }));
  {
    const EmbeddedServer server(State());
    EXPECT_EQ(Ask(server.uri(), "select n from public.t"), 5);
  }
  ASSERT_TRUE(Eventually([&] { return ProcessesOf(cluster).empty(); }));
  fs::remove_all(cluster);
}

class AsNamelessUser : public EmbeddedTest {
 protected:
  static constexpr uid_t kUid = 54321;  // no passwd entry

  void SetUp() override {
    if (!IsRoot()) GTEST_SKIP() << "needs root";
    ASSERT_EQ(chown(Dir().c_str(), kUid, kUid), 0);
  }

  static void Become() {
    if (setgroups(0, nullptr) != 0 || setgid(kUid) != 0 || setuid(kUid) != 0) _exit(98);
  }
};

TEST_F(AsNamelessUser, AUserWithoutPasswdEntryAndRootTakeTurns) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "TSan has a thread of its own, and a user namespace is for a process with one";
#endif
  EXPECT_EQ(InChild([&] {
    Become();
    const EmbeddedServer server(State());
    Do(server.uri(), "create table public.t as select 5 as n");
    return Ask(server.uri(), "select n from public.t");
  }), 5);
  ASSERT_TRUE(Eventually([&] { return ProcessesOf(Dir()).empty(); }));
  EXPECT_EQ(InChild([&] {
    const EmbeddedServer server(State());
    return Ask(server.uri(), "select n from public.t");
  }), 5);
  ASSERT_TRUE(Eventually([&] { return ProcessesOf(Dir()).empty(); }));
  EXPECT_EQ(InChild([&] {
    Become();
    const EmbeddedServer server(State());
    return Ask(server.uri(), "select n from public.t");
  }), 5);
}

TEST_F(AsNamelessUser, AnUnwritableStateDirectoryIsAConfigurationError) {
  EXPECT_EQ(InChild([&] {
    Become();
    return KindOfStart("/etc/bucketferry-test") == ErrorKind::kConfig ? 0 : 1;
  }), 0);
}

}  // namespace
}  // namespace ferry::pg
