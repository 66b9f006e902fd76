// DatabaseProxy: stands before a PostgreSQL server on a port of 127.0.0.1, and cuts a connection at
// its COMMIT: before the server sees it, or after the server has answered and before the client
// hears of it. Either way the client cannot know what became of the transaction.
//
//   DatabaseProxy proxy(options.uri);            // speaks to the host, socket or port of that URI
//   Session session(proxy.Through(options));
//   proxy.CutCommit(DatabaseProxy::Cut::kAfter);
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "batch/pg/session.h"

namespace ferry::test {

class DatabaseProxy {
 public:
  enum class Cut { kNone, kBefore, kAfter };

  explicit DatabaseProxy(const std::string& uri);
  ~DatabaseProxy();
  DatabaseProxy(const DatabaseProxy&) = delete;
  DatabaseProxy& operator=(const DatabaseProxy&) = delete;

  // As `options`, by way of this proxy.
  pg::ConnectOptions Through(pg::ConnectOptions options) const;
  int port() const;

  // The next COMMIT of whatever connection, once `passing` others have passed.
  void CutCommit(Cut cut, int passing = 0);
  // How many COMMITs came by, cut ones too.
  int commits() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ferry::test
