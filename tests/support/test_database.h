// TestDatabase: a schema of its own for each test, on a server that the test process starts once.
//
//   test::TestDatabase database;
//   pg::Session session(database.options());
//
// The server is an embedded one in a directory of its own, gone when the process ends. Where
// $BUCKETFERRY_TEST_STATE_DIR is set it lives there, is shared by all test processes that run at
// the time, and its files stay (initdb takes seconds).
#pragma once

#include <string>

#include "batch/pg/session.h"

namespace ferry::test {

class TestDatabase {
 public:
  TestDatabase();   // creates no schema, only its name
  ~TestDatabase();  // drops the schema
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  // For a Session that speaks to this test's schema.
  pg::ConnectOptions options() const;
  const std::string& schema() const { return schema_; }

 private:
  std::string schema_;
};

// A directory below /tmp, removed with all in it at the end. Any user may look into it, so that
// the server's user can when the test runs as root.
class TemporaryDir {
 public:
  TemporaryDir();
  ~TemporaryDir();
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace ferry::test
