#include "exporter/endpoints.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/pg/session.h"
#include "batch/serve/bearer.h"
#include "exporter/metrics_page.h"
#include "exporter/objects.h"
#include "exporter/session_guard.h"
#include "exporter/status.h"

namespace ferry::exporter {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kReadyTimeout{2'000};
constexpr milliseconds kStatusTimeout{5'000};
constexpr milliseconds kPlacePatience{1'000};
constexpr double kScrapeSecondsUsual = 10;  // Prometheus' own default
constexpr double kScrapeSecondsMax = 60;
constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr char kJsonType[] = "application/json; charset=utf-8";

HttpAnswer Busy() { return {.status = 503, .body = MakeBody("busy: too many requests at once\n")}; }

// Whether this shows that all tasks have come to an end.
bool IsFinal(const Config& config, const Snapshot& snapshot) {
  if (!snapshot.up || !snapshot.open_runs) return false;
  return std::ranges::none_of(config.tasks, [&](const TaskConfig& task) {
    const auto found = snapshot.open_runs->find(task.name);
    return found != snapshot.open_runs->end() && found->second.active;
  });
}

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

Endpoints::Endpoints(const Config& config, Database& database, Clock& clock, Secret status_token,
                     Ending& ending, const std::stop_token& stop)
    : config_(config),
      database_(database),
      clock_(clock),
      status_token_(std::move(status_token)),
      ending_(ending),
      stop_(stop),
      page_(MakePage()),
      reader_(config, database, clock, stop),
      scrapes_(
          clock, [this](milliseconds budget) { return ReadScrape(budget); }, stop) {}

HttpAnswer Endpoints::Answer(const HttpRequest& request) {
  if (request.path == "/-/quit") {
    if (request.method == "POST") return Quit(request);
    return {.status = 405, .body = MakeBody("only POST\n"), .allow = "POST"};
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return {.status = 405, .body = MakeBody("only GET and HEAD\n"), .allow = "GET, HEAD"};
  }
  return Get(request);
}

HttpAnswer Endpoints::Get(const HttpRequest& request) {
  if (request.path == "/metrics") return Metrics(request);
  if (request.path == "/-/healthy") return {.body = MakeBody("healthy\n")};
  if (request.path == "/-/ready") return Ready();
  if (request.path == "/") return ShowPage();
  if (request.path == "/status.json") return StatusJson(request);
  if (request.path == "/objects.json") return ObjectsJson(request);
  return {.status = 404,
          .body = MakeBody("not found: see / /metrics /status.json /-/healthy /-/ready\n")};
}

HttpAnswer Endpoints::Metrics(const HttpRequest& request) {
  const auto scrape = scrapes_.Get(ScrapeBudget(request.scrape_timeout));
  HttpAnswer answer{.content_type = kMetricsType, .body = nullptr};
  // `bucketferry_up 0` would say that the database is away.
  if (scrape == nullptr ? stop_.stop_requested() : scrape->is_cut) {
    return {.status = 503, .body = MakeBody("the exporter is ending\n")};
  }
  if (scrape == nullptr) {
    log::Warn("a scrape found no time to read the database");
    answer.body = MakeBody(RenderMetrics(config_, Snapshot(), ReadProcess()));
    return answer;
  }
  answer.body = scrape->page;
  // People and probes do not send the header.
  if (!request.scrape_timeout.empty() && request.method == "GET") {
    answer.sent = [this, is_final = scrape->is_final](bool is_whole) {
      if (is_whole) ending_.ScrapeAnswered(is_final);
    };
  }
  return answer;
}

Scrape Endpoints::ReadScrape(milliseconds budget) {
  const Snapshot snapshot = reader_.Read(budget);
  return {.page = MakeBody(RenderMetrics(config_, snapshot, ReadProcess())),
          .is_final = IsFinal(config_, snapshot),
          .is_cut = !snapshot.up && stop_.stop_requested()};
}

HttpAnswer Endpoints::Ready() {
  const Place place(probes_, kPlacePatience);
  if (!place.taken()) return Busy();
  const SteadyTime deadline = clock_.SteadyNow() + kReadyTimeout;
  try {
    const auto session = database_.Connect(deadline);
    const SessionGuard guard(*session, clock_, deadline, stop_);
    session->Transact([](pg::Transaction& tx) { tx.Execute("metrics/ready").One(); },
                      {.access = pg::Access::kReadOnly});
    return {.body = MakeBody("ready\n")};
  } catch (const Error&) {  // the scrape logs why
    return {.status = 503, .body = MakeBody("the database does not answer\n")};
  }
}

HttpAnswer Endpoints::ShowPage() const {
  return {.content_type = "text/html; charset=utf-8",
          .body = page_.html,
          .content_security_policy = page_.content_security_policy};
}

bool Endpoints::IsTrusted(const HttpRequest& request) const {
  return request.is_from_this_host || IsBearer(request.authorization, status_token_);
}

HttpAnswer Endpoints::StatusJson(const HttpRequest& request) {
  const Place place(pages_, kPlacePatience);
  if (!place.taken()) return Busy();
  const Reader reader{.detail = IsTrusted(request) ? Detail::kFull : Detail::kPublic,
                      .token_refused = !request.authorization.empty() &&
                                       !IsBearer(request.authorization, status_token_)};
  const Status status = ReadStatus(config_, database_, clock_, clock_.SteadyNow() + kStatusTimeout,
                                   stop_, reader.detail);
  return {.status = status.problem.empty() ? 200 : 503,
          .content_type = kJsonType,
          .body = MakeBody(ToJson(config_, status, reader))};
}

HttpAnswer Endpoints::ObjectsJson(const HttpRequest& request) {
  if (!IsTrusted(request)) {
    return {.status = 403,
            .content_type = kJsonType,
            .body = MakeBody(R"({"problem":"keys are shown to this host, or with the token"})")};
  }
  ObjectsQuestion question;
  try {
    question = ParseQuestion(request);
    if (config_.FindTask(question.task) == nullptr) {
      throw Error(ErrorKind::kConfig, "no such task");
    }
  } catch (const Error& error) {
    return {.status = 400, .body = MakeBody(std::string(error.what()) + "\n")};
  }
  const Place place(pages_, kPlacePatience);
  if (!place.taken()) return Busy();
  const ObjectsPage page =
      ReadObjects(question, database_, clock_, clock_.SteadyNow() + kStatusTimeout, stop_);
  return {.status = page.problem.empty() ? 200 : 503,
          .content_type = kJsonType,
          .body = MakeBody(ToJson(question, page))};
}

HttpAnswer Endpoints::Quit(const HttpRequest& request) {
  // A page from elsewhere, in a browser on this host, is not this host.
  if (request.is_from_a_page || !IsTrusted(request)) {
    return {.status = 403, .body = MakeBody("only from this host, or with the token\n")};
  }
  return {.body = MakeBody("ends\n"), .sent = [this](bool) { ending_.EndNow("POST /-/quit"); }};
}

}  // namespace ferry::exporter
