#include "exporter/endpoints.h"

#include <openssl/crypto.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "batch/base/error.h"
#include "batch/pg/session.h"
#include "exporter/metrics_page.h"
#include "exporter/session_guard.h"
#include "exporter/status.h"

namespace ferry::exporter {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kReadyTimeout{2'000};
constexpr milliseconds kStatusTimeout{5'000};
constexpr double kScrapeSecondsUsual = 10;  // Prometheus' own default
constexpr double kScrapeSecondsMax = 60;

class Slot {
 public:
  using Semaphore = std::counting_semaphore<Endpoints::kDatabaseRequestsMax>;
  explicit Slot(Semaphore& semaphore) : semaphore_(semaphore), taken_(semaphore.try_acquire()) {}
  ~Slot() {
    if (taken_) semaphore_.release();
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  bool taken() const { return taken_; }

 private:
  Semaphore& semaphore_;
  const bool taken_;
};

}  // namespace

milliseconds ScrapeBudget(const std::string& header) {
  double seconds = 0;
  const char* const end = header.data() + header.size();
  const auto parsed = std::from_chars(header.data(), end, seconds);
  const bool good =
      parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(seconds) && seconds > 0;
  if (!good) seconds = kScrapeSecondsUsual;
  seconds = std::min(seconds, kScrapeSecondsMax);
  return milliseconds(std::llround(1000 * std::max(seconds - 0.5, seconds / 2)));
}

bool IsBearer(const std::string& authorization, const Secret& token) {
  constexpr std::string_view kScheme = "Bearer ";
  if (token.empty() || !authorization.starts_with(kScheme)) return false;
  const std::string_view given = std::string_view(authorization).substr(kScheme.size());
  return given.size() == token.Reveal().size() &&
         CRYPTO_memcmp(given.data(), token.Reveal().data(), given.size()) == 0;
}

Endpoints::Endpoints(const Config& config, Database& database, Clock& clock, Secret status_token,
                     std::stop_token stop)
    : config_(config),
      database_(database),
      clock_(clock),
      status_token_(std::move(status_token)),
      stop_(stop),
      reader_(config, database, clock, std::move(stop)) {}

HttpAnswer Endpoints::Answer(const HttpRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    return {.status = 405, .body = "only GET and HEAD\n"};
  }
  if (request.path == "/-/healthy") return {.body = "healthy\n"};
  const bool known =
      request.path == "/metrics" || request.path == "/-/ready" || request.path == "/";
  if (!known) return {.status = 404, .body = "not found: see / /metrics /-/healthy /-/ready\n"};

  const Slot slot(free_);
  if (!slot.taken()) return {.status = 503, .body = "busy: too many requests at once\n"};
  if (request.path == "/metrics") return Metrics(request);
  if (request.path == "/-/ready") return Ready();
  return StatusPage(request);
}

HttpAnswer Endpoints::Metrics(const HttpRequest& request) {
  const Snapshot snapshot = reader_.Read(ScrapeBudget(request.scrape_timeout));
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = RenderMetrics(config_, snapshot, ReadProcess())};
}

HttpAnswer Endpoints::Ready() {
  const SteadyTime deadline = clock_.SteadyNow() + kReadyTimeout;
  try {
    const auto session = database_.Connect(deadline);
    const SessionGuard guard(*session, clock_, deadline, stop_);
    session->Transact([](pg::Transaction& tx) { tx.Execute("metrics/ready").One(); },
                      {.access = pg::Access::kReadOnly});
    return {.body = "ready\n"};
  } catch (const Error&) {  // the scrape logs why
    return {.status = 503, .body = "the database does not answer\n"};
  }
}

HttpAnswer Endpoints::StatusPage(const HttpRequest& request) {
  const bool trusted = request.is_from_this_host || IsBearer(request.authorization, status_token_);
  const Detail detail = trusted ? Detail::kFull : Detail::kPublic;
  const Status status =
      ReadStatus(config_, database_, clock_, clock_.SteadyNow() + kStatusTimeout, stop_, detail);
  return {.status = status.problem.empty() ? 200 : 503,
          .content_type = "text/html; charset=utf-8",
          .body = RenderStatus(config_, status, detail)};
}

}  // namespace ferry::exporter
