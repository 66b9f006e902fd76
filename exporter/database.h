// Database: sessions for one scrape or page each, read-only.
//
// A session is opened anew each time: it costs milliseconds, and what is left of an old one after
// a restart, a failover or a pooler's own time-outs is then nobody's concern. With `database:
// embedded` the server is started if it is not running, and held for as long as this object lives.
//
// All functions may be called from any thread.
#pragma once

#include <future>
#include <memory>
#include <string>

#include "batch/base/clock.h"
#include "batch/base/mutex.h"
#include "batch/config/config.h"
#include "batch/pg/embedded.h"
#include "batch/pg/session.h"

namespace ferry::exporter {

class Database {
 public:
  // Contacts nothing. Both must outlive this object.
  Database(const Config& config, const Clock& clock) : config_(config), clock_(clock) {}
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Throws Error when the database cannot be reached by then. Where the embedded server takes
  // longer to start, it goes on doing so, and a later call finds it.
  std::unique_ptr<pg::Session> Connect(SteadyTime deadline);

 private:
  enum class Server { kAsKnown, kLookAgain };

  std::string Uri(SteadyTime deadline, Server server);
  std::string StartServer();
  std::unique_ptr<pg::Session> ConnectTo(const std::string& uri, SteadyTime deadline) const;
  std::chrono::milliseconds Left(SteadyTime deadline) const;

  const Config& config_;
  const Clock& clock_;

  std::unique_ptr<pg::EmbeddedServer> server_;  // touched by the one start under way only
  Mutex mutex_;
  std::shared_future<std::string> start_ FERRY_GUARDED_BY(mutex_);  // the last; gives the URI
};

}  // namespace ferry::exporter
