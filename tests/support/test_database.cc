#include "tests/support/test_database.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "batch/base/check.h"
#include "batch/pg/embedded.h"
#include "batch/pg/file_lock.h"

namespace ferry::test {

namespace {

class SharedServer {
 public:
  SharedServer() {
    const char* const given = std::getenv("BUCKETFERRY_TEST_STATE_DIR");
    if (given == nullptr) own_dir_.emplace();
    server_ = std::make_unique<pg::EmbeddedServer>(given == nullptr ? own_dir_->path() : given);
  }

  ~SharedServer() {
    const std::filesystem::path lock = server_->cluster_dir() / "server.lock";
    server_.reset();
    if (!own_dir_) return;
    // Its files can go once the server has.
    pg::FileLock(lock).WaitFor(pg::FileLock::Mode::kExclusive, std::chrono::seconds(30));
  }

  const std::string& uri() const { return server_->uri(); }

 private:
  std::optional<TemporaryDir> own_dir_;
  std::unique_ptr<pg::EmbeddedServer> server_;
};

const std::string& ServerUri() {
  static SharedServer server;
  return server.uri();
}

}  // namespace

TestDatabase::TestDatabase() {
  static std::atomic<int> count = 0;
  schema_ = "test_" + std::to_string(getpid()) + "_" + std::to_string(++count);
}

TestDatabase::~TestDatabase() {
  pg::Session session(options());
  session.Transact([&](pg::Transaction& tx) {
    tx.ExecuteText("drop schema if exists " + pg::QuoteIdentifier(schema_) + " cascade");
  });
}

pg::ConnectOptions TestDatabase::options() const {
  return {.uri = ServerUri(), .application_name = "test", .schema = schema_};
}

TemporaryDir::TemporaryDir() {
  std::string name = "/tmp/ferry-test-XXXXXX";
  FERRY_CHECK(mkdtemp(name.data()) != nullptr);
  chmod(name.c_str(), 0755);
  path_ = name;
}

TemporaryDir::~TemporaryDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace ferry::test
