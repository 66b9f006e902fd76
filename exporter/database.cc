#include "exporter/database.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "batch/base/error.h"

namespace ferry::exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// libpq rounds shorter time-outs up to this.
constexpr seconds kConnectTimeoutMin{2};

bool IsDone(const std::shared_future<std::string>& start) {
  return start.wait_for(seconds(0)) == std::future_status::ready;
}

bool HasFailed(const std::shared_future<std::string>& start) {
  try {
    start.get();
    return false;
  } catch (...) {
    return true;
  }
}

}  // namespace

milliseconds Database::Left(SteadyTime deadline) const {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock_.SteadyNow());
  return std::max(left, milliseconds(0));
}

std::unique_ptr<pg::Session> Database::Connect(SteadyTime deadline) {
  if (config_.database.kind == DatabaseConfig::Kind::kExternal) {
    return ConnectTo(config_.database.uri.Reveal(), deadline);
  }
  const std::string uri = Uri(deadline, Server::kAsKnown);
  try {
    return ConnectTo(uri, deadline);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnavailable) throw;
  }
  return ConnectTo(Uri(deadline, Server::kLookAgain), deadline);  // it may have been killed
}

std::unique_ptr<pg::Session> Database::ConnectTo(const std::string& uri,
                                                 SteadyTime deadline) const {
  const milliseconds left = Left(deadline);
  if (left.count() == 0) throw Error(ErrorKind::kUnavailable, "database: no answer in time");
  pg::ConnectOptions options;
  options.uri = uri;
  options.application_name = "bucketferry-exporter";
  options.schema = config_.database_schema;
  options.access = pg::Access::kReadOnly;
  options.connect_timeout = std::max(kConnectTimeoutMin, std::chrono::duration_cast<seconds>(left));
  options.statement_timeout = left;
  return std::make_unique<pg::Session>(std::move(options));
}

// The one start under way, or a new one, is waited for; it is never cut short.
std::string Database::Uri(SteadyTime deadline, Server server) {
  std::shared_future<std::string> start;
  {
    MutexLock lock(mutex_);
    const bool must_start =
        !start_.valid() || (IsDone(start_) && (server == Server::kLookAgain || HasFailed(start_)));
    if (must_start) start_ = std::async(std::launch::async, [this] { return StartServer(); });
    start = start_;
  }
  if (start.wait_for(Left(deadline)) != std::future_status::ready) {
    throw Error(ErrorKind::kUnavailable, "database: the embedded server is still starting");
  }
  return start.get();
}

std::string Database::StartServer() {
  // Poco's threads block SIGTERM, and what they start inherits that: a server that cannot be told
  // to stop.
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);

  if (server_ == nullptr) {
    server_ = std::make_unique<pg::EmbeddedServer>(config_.state_dir);
  } else {
    server_->EnsureRunning();
  }
  return server_->uri();
}

}  // namespace ferry::exporter
