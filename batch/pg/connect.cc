#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/log.h"
#include "batch/pg/connection.h"

#if defined(__SANITIZE_ADDRESS__) && PQXX_VERSION_MAJOR < 7
// make_result() asks the connection for its encoding before it takes the answer, and that throws
// when the connection just broke. 2 KB for each lost connection; nothing outside can free it.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx-6"; }
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }
#endif

namespace ferry::pg {

namespace {

using std::chrono::milliseconds;

struct Finish {
  void operator()(PGconn* raw) const { PQfinish(raw); }
};
using OwnedConnection = std::unique_ptr<PGconn, Finish>;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using UriOptions = std::unique_ptr<PQconninfoOption, FreeOptions>;

// The second try, which only asks why the first failed.
constexpr milliseconds kReasonTimeout{3000};

// Null: malformed. libpq's own words about that may quote the password, so they are dropped.
UriOptions ParseUri(std::string_view uri) {
  char* message = nullptr;
  UriOptions options(PQconninfoParse(std::string(uri).c_str(), &message));
  PQfreemem(message);
  return options;
}

std::string Find(const UriOptions& options, std::string_view keyword) {
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (keyword == option->keyword && option->val != nullptr) return option->val;
  }
  return "";
}

struct Parameters {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::vector<const char*> keywords;
  std::vector<const char*> values;
};

Parameters MakeParameters(const UriOptions& uri, const ConnectOptions& options) {
  Parameters parameters;
  auto& pairs = parameters.pairs;
  for (const PQconninfoOption* option = uri.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) pairs.emplace_back(option->keyword, option->val);
  }
  const auto add = [&](const char* keyword, std::string value) {
    if (Find(uri, keyword).empty()) pairs.emplace_back(keyword, std::move(value));
  };
  add("connect_timeout", std::to_string(options.connect_timeout.count()));
  add("fallback_application_name", options.application_name);
  // A host that vanished without a word is noticed within about 25 s, waiting or sending.
  add("keepalives_idle", "10");
  add("keepalives_interval", "5");
  add("keepalives_count", "3");
  add("tcp_user_timeout", "25000");
  pairs.emplace_back("client_encoding", "UTF8");  // the last one of a name counts

  for (const auto& [keyword, value] : pairs) {
    parameters.keywords.push_back(keyword.c_str());
    parameters.values.push_back(value.c_str());
  }
  parameters.keywords.push_back(nullptr);
  parameters.values.push_back(nullptr);
  return parameters;
}

// libpq tells the SQLSTATE of a refused connection only within its message, and only when asked
// before the answer is there; so this connects again, step by step. Null where memory ran out.
OwnedConnection ConnectVerbosely(const Parameters& parameters) {
  OwnedConnection raw(
      PQconnectStartParams(parameters.keywords.data(), parameters.values.data(), 0));
  if (raw == nullptr || PQstatus(raw.get()) == CONNECTION_BAD) return raw;
  PQsetErrorVerbosity(raw.get(), PQERRORS_VERBOSE);
  const SystemClock clock;
  const SteadyTime deadline = clock.SteadyNow() + kReasonTimeout;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - clock.SteadyNow()).count();
    pollfd waiting{PQsocket(raw.get()), POLLIN, 0};
    if (state == PGRES_POLLING_WRITING) waiting.events = POLLOUT;
    if (left <= 0 || poll(&waiting, 1, static_cast<int>(left)) == 0) break;
    state = PQconnectPoll(raw.get());
  }
  return raw;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Every one has a digit; FATAL, which stands before it, is of five letters too.
bool IsSqlState(std::string_view text) {
  return text.size() == 5 && std::ranges::any_of(text, IsDigit) &&
         std::ranges::all_of(text, [](char c) { return IsDigit(c) || (c >= 'A' && c <= 'Z'); });
}

// "...failed: FATAL:  28P01: password authentication failed..." -> 28P01. The words before it
// are in the server's language.
std::string SqlStateWithin(std::string_view message) {
  for (std::size_t at = 0; at + 8 <= message.size(); ++at) {
    const std::string_view state = message.substr(at + 1, 5);
    if (message[at] == ' ' && message.substr(at + 6, 2) == ": " && IsSqlState(state)) {
      return std::string(state);
    }
  }
  return "";
}

void LogNotice(void*, const char* message) {
  log::Debug("database notice", {{"notice", internal::FirstLine(message)}});
}

}  // namespace

std::string RedactUri(std::string_view uri) {
  const UriOptions options = ParseUri(uri);
  if (options == nullptr) return "(unreadable database URI)";
  const std::string user = Find(options, "user");
  const std::string host = Find(options, "host");
  const std::string port = Find(options, "port");
  const bool is_socket = host.starts_with('/') || host.starts_with('@');
  std::string text = "postgresql://" + user + (user.empty() ? "" : "@");
  if (!is_socket) text += host + (port.empty() ? "" : ":" + port);
  text += "/" + Find(options, "dbname");
  if (is_socket) text += "?host=" + host;
  return EscapeBytes(text);
}

namespace internal {

std::string_view SqlState(const PGresult* result) {
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == nullptr ? "" : state;
}

std::string FirstLine(std::string_view server_message) {
  std::string_view line = server_message.substr(0, server_message.find('\n'));
  if (const auto severity = line.find(":  "); severity != std::string_view::npos) {
    line.remove_prefix(severity + 3);
  }
  return EscapeBytes(line);
}

namespace {

// The caller owns the connection.
PGconn* OpenConnection(const ConnectOptions& options) {
  const UriOptions uri = ParseUri(options.uri);
  if (uri == nullptr) {
    throw Error(ErrorKind::kConfig,
                "database: not a connection URI: expected postgresql://user@host/database");
  }
  const Parameters parameters = MakeParameters(uri, options);
  const SystemClock clock;
  const SteadyTime started = clock.SteadyNow();
  OwnedConnection raw(PQconnectdbParams(parameters.keywords.data(), parameters.values.data(), 0));
  if (raw == nullptr) throw std::bad_alloc();
  if (PQstatus(raw.get()) != CONNECTION_OK) {
    const std::string reason = FirstLine(PQerrorMessage(raw.get()));
    std::string sqlstate;
    if (clock.SteadyNow() - started < kReasonTimeout) {
      raw = ConnectVerbosely(parameters);
      if (raw != nullptr) sqlstate = SqlStateWithin(PQerrorMessage(raw.get()));
    }
    if (raw == nullptr || PQstatus(raw.get()) != CONNECTION_OK) {
      throw Error(Classify(Phase::kConnect, sqlstate),
                  fmt::format("cannot connect to {}: {}", RedactUri(options.uri), reason),
                  sqlstate);
    }
    PQsetErrorVerbosity(raw.get(), PQERRORS_DEFAULT);
  }
  return raw.release();
}

}  // namespace

Connection::~Connection() { Close(); }

void Connection::Open(const ConnectOptions& options) {
  Close();
  PGconn* const opened = OpenConnection(options);
  Translate(Phase::kConnect, "connect", [&] { link = Adopt(opened); });
  raw = opened;
  PQsetNoticeProcessor(raw, LogNotice, nullptr);
  MutexLock lock(mutex);
  abort_fd = fcntl(PQsocket(raw), F_DUPFD_CLOEXEC, 0);
}

void Connection::Close() {
  {
    MutexLock lock(mutex);
    if (abort_fd >= 0) close(abort_fd);
    abort_fd = -1;
  }
  work.reset();
  link.reset();
  raw = nullptr;
}

void Connection::Throw(Phase phase, std::string_view what, std::string_view sqlstate,
                       std::string_view message) const {
  // 08P01 is a pooler that gives up, or, on a connection that goes on, a statement called with
  // the wrong number of parameters.
  const bool is_mistake = sqlstate == "08P01" && !IsLost();
  // A standby answers BEGIN READ WRITE by "not supported".
  if (sqlstate == "0A000" && what == "begin") sqlstate = "25006";
  // The server's words say what cannot be done; not that it is the wrong server.
  const std::string_view hint =
      sqlstate == "25006" ? " (the server is read-only: a standby, or a failover; name the primary)"
                          : "";
  throw Error(is_mistake ? ErrorKind::kInvalid : Classify(phase, IsLost() ? "" : sqlstate),
              fmt::format("database: {}: {}{}", what, FirstLine(message), hint),
              std::string(sqlstate));
}

}  // namespace internal

}  // namespace ferry::pg
