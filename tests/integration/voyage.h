// Voyage: what every integration test begins with: two buckets on two servers, a state directory,
// a configuration, and the built programs.
//
//   class Copying : public test::Voyage {};
//   TEST_F(Copying, BringsABucket) {
//     Fill(source_bucket());
//     EXPECT_THAT(Bucketferry({"run"}), ExitsWith(0));
//   }
//
// tests/run starts the servers and names them in BUCKETFERRY_TEST_*.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "batch/pg/embedded.h"
#include "batch/pg/file_lock.h"
#include "batch/pg/session.h"
#include "tests/integration/child.h"
#include "tests/integration/witness.h"
#include "tests/support/test_database.h"

namespace ferry::test {

using Json = nlohmann::json;
using namespace std::chrono_literals;

// Asks until it holds, or too long.
inline bool Eventually(const std::function<bool()>& holds, std::chrono::milliseconds patience = 60s,
                       std::chrono::milliseconds pause = 20ms) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

// The file that the program reads, as text to change.
struct Config {
  std::string before = "";  // top-level lines
  std::string database = "embedded";
  std::filesystem::path state_dir;
  std::string source_endpoint = "${SRC_ENDPOINT}";
  std::string destination_endpoint = "${DST_ENDPOINT}";
  std::string destination_provider = "ceph";
  std::string source_credentials =
      "{access_key_id: \"${SRC_ACCESS_KEY}\", secret_access_key: \"${SRC_SECRET_KEY}\"}";
  std::string destination_credentials =
      "{access_key_id: \"${DST_ACCESS_KEY}\", secret_access_key: \"${DST_SECRET_KEY}\"}";
  struct Task {
    std::string name = "media";
    std::string source_store = "src";
    std::string source_bucket;
    std::string source_prefix;
    std::string destination_store = "dst";
    std::string destination_bucket;
    std::string destination_prefix;
    std::string more;  // ", include: [a]"
  };
  std::vector<Task> tasks;
  // Small, so that small objects have parts and a lost worker is given up soon.
  std::string transfer =
      "{part_size: 5MiB, multipart_threshold: 5MiB, lease: 10s, outage_patience: 20s}";

  std::string Text() const {
    const auto store = [](const std::string& name, const std::string& provider,
                          const std::string& endpoint, const std::string& credentials) {
      return "  " + name + ": {provider: " + provider +
             ", region: us-east-1, addressing: path, endpoint: \"" + endpoint +
             "\", credentials: " + credentials + "}\n";
    };
    std::string text =
        before + "database: " + database + "\nstate_dir: " + state_dir.string() + "\nstores:\n" +
        store("src", "ceph", source_endpoint, source_credentials) +
        store("dst", destination_provider, destination_endpoint, destination_credentials) +
        "tasks:\n";
    for (const Task& task : tasks) {
      text += "  - {name: " + task.name + ", source: {store: " + task.source_store +
              ", bucket: " + task.source_bucket + ", prefix: \"" + task.source_prefix +
              "\"}, destination: {store: " + task.destination_store +
              ", bucket: " + task.destination_bucket + ", prefix: \"" + task.destination_prefix +
              "\"}" + task.more + "}\n";
    }
    return text + "transfer: " + transfer + "\n";
  }
};

class Voyage : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string side : {"SRC", "DST"}) {
      for (const std::string what : {"_ENDPOINT", "_ACCESS_KEY", "_SECRET_KEY"}) {
        const std::string name = "BUCKETFERRY_TEST_" + side + what;
        const char* const value = std::getenv(name.c_str());
        if (value == nullptr) GTEST_SKIP() << name << " is not set: run this by sh tests/run";
        environment_[side + what] = value;
      }
    }
    for (const char* name : {"PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
      if (const char* const value = std::getenv(name)) environment_[name] = value;
    }
    environment_["PYTHONDONTWRITEBYTECODE"] = "1";
    environment_["no_proxy"] = environment_["NO_PROXY"] = "127.0.0.1,localhost";
    config_.state_dir = dir() / "state";
    config_.tasks.emplace_back();
    task().source_bucket = source_bucket();
    task().destination_bucket = destination_bucket();
    MakeBucket("src", source_bucket());
    MakeBucket("dst", destination_bucket());
  }

  void TearDown() override {
    for (const auto& [store, buckets] : made_) {
      std::vector<std::string> words = {store, "drop"};
      words.insert(words.end(), buckets.begin(), buckets.end());
      S3(words);
    }
    witness_.reset();
    for (const auto& entry : std::filesystem::directory_iterator(dir())) {
      // A server writes into its directory until it is gone, and its keeper a little longer.
      const auto lock = entry.path() / "postgres" / "server.lock";
      if (!std::filesystem::exists(lock)) continue;
      EXPECT_TRUE(pg::FileLock(lock).WaitFor(pg::FileLock::Mode::kExclusive, 30s));
      std::error_code busy;
      EXPECT_TRUE(Eventually([&] {
        std::filesystem::remove_all(entry.path(), busy);
        return !busy && !std::filesystem::exists(entry.path());
      }));
    }
  }

  const std::string& source_bucket() const { return source_bucket_; }
  const std::string& destination_bucket() const { return destination_bucket_; }
  std::filesystem::path dir() const { return dir_.path(); }
  Config& config() { return config_; }
  Config::Task& task() { return config_.tasks.front(); }
  std::map<std::string, std::string>& environment() { return environment_; }
  const std::string& secret(const std::string& side) {
    return environment_.at(side + "_SECRET_KEY");
  }

  // --- The programs under test. The configuration is written anew each time.

  std::unique_ptr<Child> Start(std::vector<std::string> words,
                               const std::string& program = "bucketferry") {
    const std::string path = dir() / (std::to_string(++configs_) + ".yaml");
    std::ofstream(path) << config_.Text();
    words.insert(words.end(), {"--config", path});
    words.insert(words.begin(), std::string(FERRY_BINARY_DIR "/") + program);
    return std::make_unique<Child>(words, environment_, dir());
  }

  // Runs `bucketferry WORDS` to its end, and looks that it gave no secret away and that no
  // sanitizer complained.
  Finished Bucketferry(const std::vector<std::string>& words,
                       std::chrono::milliseconds patience = 90s) {
    return Checked(Start(words)->Wait(patience));
  }

  Finished Checked(Finished finished) const {
    for (const auto& [name, value] : environment_) {
      if (!name.ends_with("SECRET_KEY")) continue;
      EXPECT_EQ(finished.out.find(value), std::string::npos) << "a secret on stdout";
      EXPECT_EQ(finished.err.find(value), std::string::npos) << "a secret on stderr";
    }
    for (const char* const report : {"runtime error:", "Sanitizer"}) {
      EXPECT_EQ(finished.err.find(report), std::string::npos) << finished.err;
    }
    return finished;
  }

  // --- What it says about its runs, newest first.

  Json Runs() {
    const Finished status = Bucketferry({"status", "--json", "--runs", "1000"});
    EXPECT_THAT(status, ExitsWith(0));
    const Json json = Json::parse(status.out, nullptr, false);
    if (json.is_discarded()) throw std::runtime_error("status --json is no JSON: " + status.out);
    return json.at("tasks").at(0).at("runs");
  }
  Json LastRun() {
    const Json runs = Runs();
    return runs.empty() ? Json() : runs.at(0);
  }
  std::int64_t LastObjects(const std::string& what) {
    const Json run = LastRun();
    return run.is_null() ? 0 : run.at("objects").at(what).get<std::int64_t>();
  }

  // The answer of a statement that selects one number as `n`.
  std::int64_t Number(const std::string& sql) {
    const pg::EmbeddedServer server(config_.state_dir);
    pg::Session session({.uri = server.uri(), .application_name = "test"});
    return session.Transact(
        [&](pg::Transaction& tx) { return tx.ExecuteText(sql).One().Get<std::int64_t>("n"); });
  }

  // --- The independent client.

  void MakeBucket(const std::string& store, const std::string& bucket) {
    made_[store].push_back(bucket);
    S3({store, "make", bucket});
  }

  // As s3.py describes it: S3({"src", "put", source_bucket(), "key=10"}).
  std::string S3(const std::vector<std::string>& words) {
    if (!witness_) witness_.emplace(environment_, dir());
    return witness_->Ask(words);
  }

  void Fill(const std::vector<std::string>& options) {
    std::vector<std::string> words = {source_bucket()};
    words.insert(words.end(), options.begin(), options.end());
    Python("fill_bucket.py", words);
  }

  // Everything of the source is at the destination, and nothing else.
  void ExpectEqualBuckets(const std::vector<std::string>& options = {}) {
    std::vector<std::string> words = {source_bucket(), destination_bucket()};
    words.insert(words.end(), options.begin(), options.end());
    Python("compare_buckets.py", words);
  }

 private:
  void Python(const std::string& script, std::vector<std::string> words) {
    words.insert(words.begin(), {"/usr/bin/python3", FERRY_SOURCE_DIR "/tests/servers/" + script});
    EXPECT_THAT(Child(words, environment_, dir()).Wait(120s), ExitsWith(0)) << script;
  }

  static std::string Unique() {
    std::random_device random;
    return "ferry-" + std::to_string(getpid()) + "-" + std::to_string(random());
  }

  TemporaryDir dir_;
  const std::string source_bucket_ = Unique() + "-src";
  const std::string destination_bucket_ = Unique() + "-dst";
  std::map<std::string, std::string> environment_;
  std::map<std::string, std::vector<std::string>> made_;  // buckets of each store
  std::optional<Witness> witness_;
  Config config_;
  int configs_ = 0;
};

}  // namespace ferry::test
