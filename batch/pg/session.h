// Session: one connection to PostgreSQL, and the transactions on it.
//
// Works through a transaction pooler: nothing outlives a transaction. No prepared statements, no
// SET but SET LOCAL, no session advisory locks, no LISTEN, no temporary tables. Parameters always
// travel apart from the text.
//
// A lost connection is never mended silently: everything throws until somebody calls Reset().
// What is thrown is ferry::Error with the SQLSTATE as code(): kUnavailable (away, busy, out of
// space, deadlock, time-out: try the whole transaction again after a pause, after Reset() where
// IsOpen() is false), kInDoubt (the connection broke during commit: read before anything else),
// kConflict (unique or foreign key), kNotFound (no such table or schema), kDenied, kConfig (cannot
// be reached as configured), kInvalid (refused for good). No message holds a password.
//
// One thread at a time; only Abort() may be called from another.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "batch/pg/idle_connections.h"
#include "batch/pg/rows.h"
#include "batch/pg/statements.h"
#include "batch/pg/value.h"

namespace ferry::pg {

enum class Access { kReadWrite, kReadOnly };

struct ConnectOptions {
  std::string uri;  // or key=value pairs; what it says about time-outs and names wins
  std::string application_name = "bucketferry";
  std::string schema = "bucketferry";
  Access access = Access::kReadWrite;                   // kReadOnly: every transaction is READ ONLY
  std::chrono::seconds connect_timeout{10};             // for each address of the host
  std::chrono::milliseconds statement_timeout{60'000};  // 0: none
};

// kSnapshot is REPEATABLE READ: all statements see one moment.
enum class Isolation { kReadCommitted, kSnapshot };

struct TransactionOptions {
  Isolation isolation = Isolation::kReadCommitted;
  Access access = Access::kReadWrite;               // a read-only session stays read-only
  std::chrono::milliseconds statement_timeout{-1};  // negative: the session's
};

class Session {
 public:
  // Connects; throws Error. `idle`, of these options: a connection is taken from there where there
  // is one, and left there at the end, unless the last transaction failed.
  explicit Session(ConnectOptions options, std::shared_ptr<IdleConnections> idle = nullptr);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Drops the connection, if there is one, and opens a new one. Not within a transaction.
  void Reset();
  bool IsOpen() const;

  // From any thread: breaks the connection, so that a call that waits for the server throws
  // kUnavailable soon. Later calls throw too, until Reset().
  void Abort() noexcept;

  // Runs body(tx) in a transaction and commits it; any exception rolls back.
  // Does not repeat: see kInDoubt.
  template <typename Body>
  auto Transact(Body body, TransactionOptions options = {});

  const Statements& statements() const { return *statements_; }
  const ConnectOptions& options() const { return options_; }

 private:
  friend class Transaction;
  const ConnectOptions options_;
  const std::shared_ptr<const Statements> statements_;
  const std::shared_ptr<IdleConnections> idle_;
  std::unique_ptr<internal::Connection> connection_;  // never null
};

// At most one on a session at a time. Rolls back when it goes out of scope uncommitted.
class Transaction {
 public:
  explicit Transaction(Session& session, TransactionOptions options = {});
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Executes the statement of that name, as "queries/claim_jobs", with $1, $2, ...
  template <typename... Values>
  Rows Execute(std::string_view statement, const Values&... values) {
    return ExecuteEncoded(session_.statements().Text(statement), statement, {Encode(values)...});
  }

  // For batch/pg and tests: statements elsewhere stand in sql/. `bucketferry.` is replaced too.
  template <typename... Values>
  Rows ExecuteText(std::string_view text, const Values&... values) {
    return ExecuteEncoded(ForSchema(text, session_.statements().schema()), "statement",
                          {Encode(values)...});
  }

  // Several statements, without parameters or answers.
  void ExecuteScript(std::string_view text, std::string_view name);

  // Throws Error; kInDoubt: nobody knows whether it was committed.
  void Commit();

  Session& session() { return session_; }

 private:
  friend class CopyWriter;
  internal::Connection& connection() { return *session_.connection_; }
  Rows ExecuteEncoded(const std::string& text, std::string_view name,
                      const std::vector<Encoded>& values);

  Session& session_;
  bool open_ = false;
};

template <typename Body>
auto Session::Transact(Body body, TransactionOptions options) {
  Transaction tx(*this, options);
  if constexpr (std::is_void_v<std::invoke_result_t<Body&, Transaction&>>) {
    body(tx);
    tx.Commit();
  } else {
    auto result = body(tx);
    tx.Commit();
    return result;
  }
}

// `uri` for people and logs: user, hosts and database, without any password.
std::string RedactUri(std::string_view uri);

}  // namespace ferry::pg
