#include "batch/pg/session.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/pg/connection.h"

namespace ferry::pg {

namespace {

// A process that stops in the middle (SIGSTOP, a debugger, a suspended host) must not hold row
// locks against all others for ever.
constexpr std::chrono::milliseconds kIdleInTransactionMax{120'000};

// One round trip: begin, and the settings this code relies on, for this transaction only.
std::string BeginText(const TransactionOptions& options, const ConnectOptions& session) {
  const bool read_only = options.access == Access::kReadOnly || session.access == Access::kReadOnly;
  const auto timeout =
      options.statement_timeout.count() < 0 ? session.statement_timeout : options.statement_timeout;
  return fmt::format(
      "begin isolation level {} {}; set local bytea_output = hex; "
      "set local statement_timeout = {}; set local idle_in_transaction_session_timeout = {}",
      options.isolation == Isolation::kSnapshot ? "repeatable read" : "read committed",
      read_only ? "read only" : "read write", timeout.count(), kIdleInTransactionMax.count());
}

}  // namespace

Session::Session(ConnectOptions options, std::shared_ptr<IdleConnections> idle)
    : options_(std::move(options)),
      statements_(std::make_shared<const Statements>(options_.schema)),
      idle_(std::move(idle)) {
  if (idle_) connection_ = idle_->Take();
  if (connection_) return;
  connection_ = std::make_unique<internal::Connection>();
  connection_->Open(options_);
}

Session::~Session() {
  FERRY_CHECK(connection_->work == nullptr);
  if (idle_ && connection_->is_good) idle_->Keep(std::move(connection_));
}

void Session::Reset() {
  FERRY_CHECK(connection_->work == nullptr);
  connection_->Open(options_);
}

bool Session::IsOpen() const { return !connection_->IsLost(); }

void Session::Abort() noexcept {
  MutexLock lock(connection_->mutex);
  if (connection_->abort_fd >= 0) shutdown(connection_->abort_fd, SHUT_RDWR);
}

Transaction::Transaction(Session& session, TransactionOptions options) : session_(session) {
  internal::Connection& connection = *session.connection_;
  FERRY_CHECK(connection.work == nullptr);
  connection.is_good = false;
  if (connection.IsLost()) connection.Throw(Phase::kStatement, "begin", "", "connection lost");
  connection.Translate(Phase::kStatement, "begin", [&] {
    // Not pqxx::work: its BEGIN cannot carry the settings, and a round trip each would.
    auto work = std::make_unique<pqxx::nontransaction>(*connection.link);
    work->exec(BeginText(options, session.options()));
    connection.work = std::move(work);
  });
  open_ = true;
}

Transaction::~Transaction() {
  if (open_ && !connection().IsLost()) {
    // When this fails the connection is lost, and with it the transaction.
    PQclear(PQexec(connection().raw, "rollback"));
  }
  connection().work.reset();
}

Rows Transaction::ExecuteEncoded(const std::string& text, std::string_view name,
                                 const std::vector<Encoded>& values) {
  FERRY_CHECK(open_);
  std::vector<const char*> parameters;
  parameters.reserve(values.size());
  for (const Encoded& value : values) parameters.push_back(value ? value->c_str() : nullptr);
  PGconn* const raw = connection().raw;
  internal::OwnedResult result(PQexecParams(raw, text.c_str(), static_cast<int>(parameters.size()),
                                            nullptr, parameters.data(), nullptr, nullptr,
                                            /*resultFormat=*/0));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
    std::string sqlstate(internal::SqlState(result.get()));
    if (sqlstate.empty() && !connection().IsLost()) sqlstate = "XX000";
    connection().Throw(Phase::kStatement, name, sqlstate, PQerrorMessage(raw));
  }
  return Rows(std::make_shared<const internal::Answer>(std::move(result)));
}

void Transaction::ExecuteScript(std::string_view text, std::string_view name) {
  FERRY_CHECK(open_);
  connection().Translate(Phase::kStatement, name, [&] {
    connection().work->exec(ForSchema(text, session_.statements().schema()));
  });
}

void Transaction::Commit() {
  FERRY_CHECK(open_);
  // The server answers COMMIT of a failed transaction with success, and rolls back.
  if (PQtransactionStatus(connection().raw) == PQTRANS_INERROR) {
    throw Error(ErrorKind::kInvalid, "database: commit after a failed statement", "25P02");
  }
  if (connection().IsLost()) {  // nothing was sent, so nothing is in doubt
    connection().Throw(Phase::kStatement, "commit", "", "connection lost");
  }
  open_ = false;
  connection().Translate(Phase::kCommit, "commit", [&] { connection().work->exec("commit"); });
  connection().is_good = true;
}

}  // namespace ferry::pg
