// The connection behind Session: libpqxx, and what it keeps to itself. For batch/pg only.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/mutex.h"
#include "batch/pg/session.h"
#include "batch/pg/sqlstate.h"

namespace ferry::pg::internal {

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using OwnedResult = std::unique_ptr<PGresult, ClearResult>;

std::string_view SqlState(const PGresult* result);

struct Column {
  std::string name;
  unsigned type = 0;  // pg_type.oid
};

// libpq's own answer: each look at a field of libpqxx's copies three shared pointers. With its
// columns, which libpq would look up each time.
struct Answer {
  explicit Answer(OwnedResult answer);

  const OwnedResult result;
  const std::vector<Column> columns;
};

// "ERROR:  no such thing\nDETAIL: ..." -> "no such thing". The details may quote rows.
std::string FirstLine(std::string_view server_message);

// ---- libpqxx 6.4 and 7 differ here, and nowhere else -------------------------------------------
//
// 6.4 mends a broken connection silently, in the middle of what should be one transaction. Its
// connection policy is asked for each connection, so ours gives out the one it was made with and
// refuses a second. 7 never reconnects, and takes over a libpq connection by name.
// Either way the libpq connection is known here, which COPY and error states need.
// 6.4 also leaks the answer (2 KB) of the statement during which a connection broke: connect.cc
// tells the leak checker.
#if PQXX_VERSION_MAJOR < 7

class OneConnection final : public pqxx::connectionpolicy {
 public:
  explicit OneConnection(PGconn* raw) : pqxx::connectionpolicy(std::string()), raw_(raw) {}

  handle do_startconnect(handle current) override {
    if (PQstatus(raw_) != CONNECTION_OK || (used_ && current != raw_)) {
      throw pqxx::broken_connection("connection lost");
    }
    used_ = true;
    return raw_;
  }
  handle do_completeconnect(handle current) override { return current; }
  handle do_dropconnect(handle current) noexcept override { return current; }
  handle do_disconnect(handle current) noexcept override {
    PQfinish(current);
    return nullptr;
  }
  bool is_ready(handle current) const noexcept override { return current != nullptr; }

 private:
  PGconn* const raw_;
  bool used_ = false;
};

class Link final : public pqxx::connection_base {
 public:
  // Takes over `raw`.
  explicit Link(PGconn* raw) : pqxx::connection_base(policy_), policy_(raw) {
    try {
      init();
    } catch (...) {
      close();
      throw;
    }
  }
  ~Link() { close(); }

 private:
  OneConnection policy_;
};

inline std::unique_ptr<Link> Adopt(PGconn* raw) { return std::make_unique<Link>(raw); }

#else

using Link = pqxx::connection;

inline std::unique_ptr<Link> Adopt(PGconn* raw) {
  return std::make_unique<Link>(pqxx::connection::seize_raw_connection(raw));
}

#endif
// ------------------------------------------------------------------------------------------------

struct Connection {
  PGconn* raw = nullptr;                       // link's; valid while link is
  std::unique_ptr<Link> link;                  // null until connected
  std::unique_ptr<pqxx::nontransaction> work;  // while a Transaction is open
  // Its last transaction was committed. Whoever drops a session after an error wants another
  // connection: the next one may reach another server.
  bool is_good = true;

  // Abort() shuts down a duplicate of the socket: libpq closes its own without asking us, and the
  // number could be somebody else's file by then.
  Mutex mutex;
  int abort_fd FERRY_GUARDED_BY(mutex) = -1;

  ~Connection();
  void Open(const ConnectOptions& options);  // throws Error
  void Close();
  bool IsLost() const { return raw == nullptr || PQstatus(raw) != CONNECTION_OK; }

  // Throws the Error for an answer with `sqlstate`. `what` names the statement.
  [[noreturn]] void Throw(Phase phase, std::string_view what, std::string_view sqlstate,
                          std::string_view message) const;

  // Runs `body` and turns what libpqxx throws into Error.
  template <typename Body>
  auto Translate(Phase phase, std::string_view what, Body body) const {
    try {
      return body();
    } catch (const pqxx::sql_error& error) {
      Throw(phase, what, error.sqlstate(), error.what());
    } catch (const pqxx::failure& error) {
      Throw(phase, what, IsLost() ? "" : "XX000", error.what());
    }
  }
};

}  // namespace ferry::pg::internal
