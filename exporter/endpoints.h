// Endpoints: what is answered to which path. Knows requests and answers, not sockets.
//
//   /metrics       the numbers; 200 also without a database (bucketferry_up 0)
//   /-/healthy     200: this process answers
//   /-/ready       200 or 503: the database answers
//   /-/quit        POST: this process ends; from this host or with the token
//   /              the page for people
//   /status.json   what it shows
//   /objects.json  dead or vanished objects of a run, by pages; from this host or with the token
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/config/secret.h"
#include "exporter/database.h"
#include "exporter/ending.h"
#include "exporter/http.h"
#include "exporter/page.h"
#include "exporter/places.h"
#include "exporter/read_snapshot.h"
#include "exporter/shared_scrapes.h"
#include "exporter/status_json.h"

namespace ferry::exporter {

// The time to answer a scrape in: what Prometheus waits, less half a second (of less than a
// second: half of it). 9.5 s where `header` is no number; never more than a minute.
std::chrono::milliseconds ScrapeBudget(const std::string& header);

class Endpoints {
 public:
  // Requests of people and of probes that use the database at once, each kind for itself; more wait
  // a little, and are then answered 503. Scrapes share reads instead, and take none of these
  // places. The status of a hundred tasks takes 0.1 s, and some 3 MiB while it is made.
  static constexpr int kPagesMax = 2;
  static constexpr int kProbesMax = 4;

  // All must outlive this object. `status_token` empty: keys are for this host only.
  Endpoints(const Config& config, Database& database, Clock& clock, Secret status_token,
            Ending& ending, const std::stop_token& stop);

  // From any thread.
  HttpAnswer Answer(const HttpRequest& request);

 private:
  HttpAnswer Get(const HttpRequest& request);
  HttpAnswer Metrics(const HttpRequest& request);
  HttpAnswer Ready();
  HttpAnswer ShowPage() const;
  HttpAnswer StatusJson(const HttpRequest& request);
  HttpAnswer ObjectsJson(const HttpRequest& request);
  HttpAnswer Quit(const HttpRequest& request);
  Scrape ReadScrape(std::chrono::milliseconds budget);
  bool IsTrusted(const HttpRequest& request) const;

  const Config& config_;
  Database& database_;
  Clock& clock_;
  const Secret status_token_;
  Ending& ending_;
  const std::stop_token stop_;
  const Page page_;
  SnapshotReader reader_;
  SharedScrapes scrapes_;
  Places pages_{kPagesMax};
  Places probes_{kProbesMax};
};

}  // namespace ferry::exporter
