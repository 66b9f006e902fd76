// Endpoints: what is answered to which path. Knows requests and answers, not sockets.
//
//   /metrics    the numbers; 200 also without a database (bucketferry_up 0)
//   /-/healthy  200: this process answers
//   /-/ready    200 or 503: the database answers
//   /           a page for people
#pragma once

#include <chrono>
#include <semaphore>
#include <stop_token>
#include <string>

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/config/secret.h"
#include "exporter/database.h"
#include "exporter/read_snapshot.h"

namespace ferry::exporter {

struct HttpRequest {
  std::string method;
  std::string path;            // without a query
  std::string scrape_timeout;  // X-Prometheus-Scrape-Timeout-Seconds, or empty
  std::string authorization;   // or empty
  bool is_from_this_host = false;
};

struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// The time to answer a scrape in: what Prometheus waits, less half a second (of less than a
// second: half of it). 9.5 s where `header` is no number; never more than a minute.
std::chrono::milliseconds ScrapeBudget(const std::string& header);

// In a time that does not depend on where they differ. An empty token matches nothing.
bool IsBearer(const std::string& authorization, const Secret& token);

class Endpoints {
 public:
  // Requests that use the database at once; more are answered 503. The server has more threads
  // than this, so that a slow database never keeps /-/healthy from being answered.
  static constexpr int kDatabaseRequestsMax = 4;

  // All must outlive this object. `status_token` empty: keys are for this host only.
  Endpoints(const Config& config, Database& database, Clock& clock, Secret status_token,
            std::stop_token stop);

  // From any thread.
  HttpAnswer Answer(const HttpRequest& request);

 private:
  HttpAnswer Metrics(const HttpRequest& request);
  HttpAnswer Ready();
  HttpAnswer StatusPage(const HttpRequest& request);

  const Config& config_;
  Database& database_;
  Clock& clock_;
  const Secret status_token_;
  const std::stop_token stop_;
  SnapshotReader reader_;
  std::counting_semaphore<kDatabaseRequestsMax> free_{kDatabaseRequestsMax};
};

}  // namespace ferry::exporter
