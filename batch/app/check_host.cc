#include "batch/app/check_host.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "batch/app/database.h"
#include "batch/app/task_hours.h"
#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/store/congestion_control.h"
#include "batch/store/curl_http.h"
#include "batch/store/s3_values.h"

namespace ferry {
namespace {

constexpr std::chrono::seconds kAnswerPatience{10};
// Stores refuse requests that are 15 minutes off.
constexpr std::chrono::minutes kClockSkewMax{5};

// The state directory, or where it would be made.
std::filesystem::path NearestExisting(std::filesystem::path path) {
  std::error_code problem;
  path = std::filesystem::absolute(path, problem);
  while (!std::filesystem::exists(path, problem) && path.has_relative_path()) {
    path = path.parent_path();
  }
  return path;
}

// The host's first address as text. Throws Error{kUnavailable}.
std::string Resolve(const std::string& host) {
  // RFC 6761, section 6.3; libcurl does so, and not every resolver.
  if (host.ends_with(".localhost")) return "127.0.0.1";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0) throw Error(ErrorKind::kUnavailable, gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  char text[INET6_ADDRSTRLEN] = "";
  const void* address =
      found->ai_family == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(found->ai_addr)->sin_addr)
          : static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(found->ai_addr)->sin6_addr);
  inet_ntop(found->ai_family, address, text, sizeof text);
  return text;
}

Task<HttpAnswer> SendProbe(Http& http, HttpRequest& request) {
  co_return co_await http.Send(request);
}

HttpAnswer Probe(const StoreConfig& store, EventLoop& loop) {
  CurlHttp http(loop, CurlOptions{.ca_file = store.ca_file.string(),
                                  .proxy = store.proxy ? store.proxy->Url() : std::string(),
                                  .connect_timeout = kAnswerPatience});
  HttpRequest request;
  request.url = store.endpoint.Url() + "/";
  request.idle_timeout = kAnswerPatience;
  return loop.Submit<HttpAnswer>([&] { return SendProbe(http, request); }).get();
}

void CheckClock(CheckReport& report, const std::string& name, const HttpAnswer& answer,
                Clock& clock) {
  const auto theirs = ParseHttpDate(FindHeader(answer.headers, "date"));
  if (!theirs) {
    report.Note(name, "the endpoint's answers carry no date to compare with");
    return;
  }
  const auto ours =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock.WallNow().time_since_epoch());
  const auto ahead =
      std::chrono::duration_cast<std::chrono::seconds>(ours - std::chrono::milliseconds(*theirs));
  if (std::chrono::abs(ahead) < kClockSkewMax) {
    report.Ok(name, fmt::format("within {} s of the endpoint's",
                                std::max<std::int64_t>(1, std::chrono::abs(ahead).count())));
  } else {
    report.Note(name, fmt::format("this host is {} s {} the endpoint; requests are signed for the "
                                  "endpoint's time, but check NTP",
                                  std::chrono::abs(ahead).count(),
                                  ahead.count() > 0 ? "ahead of" : "behind"));
  }
}

// Before there is a database nobody can say.
void CheckZones(CheckReport& report, const Config& config, Database& database) {
  try {
    CheckTimeZones(config, database);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kConfig) throw;
    report.Fail("time zones", error.what());
  }
}

}  // namespace

void CheckDatabase(CheckReport& report, const Config& config) {
  const std::string name = "database " + config.database.shown;
  try {
    if (config.database.kind == DatabaseConfig::Kind::kEmbedded &&
        !pg::EmbeddedServerExists(config.state_dir)) {
      const std::filesystem::path place = NearestExisting(config.state_dir);
      if (!std::filesystem::is_directory(place) || access(place.c_str(), W_OK | X_OK) != 0) {
        report.Fail(name, place.string() + " cannot be written: choose another state_dir");
      } else {
        report.Ok(name, "will be created in " + config.state_dir.string());
      }
      return;
    }
    const auto database = Database::OpenExisting(config);
    report.Ok(name,
              database != nullptr
                  ? fmt::format("answers; the schema {} is current", config.database_schema)
                  : fmt::format("answers; the schema {} will be created", config.database_schema));
    if (database) CheckZones(report, config, *database);
  } catch (const Error& error) {
    report.Fail(name, error.what());
  }
}

void CheckCongestionControl(CheckReport& report, const TransferConfig& transfer) {
  constexpr const char* kName = "congestion control";
  const std::string algorithm = CongestionControlOf(transfer);
  if (algorithm.empty()) {
    report.Ok(kName, "the host's own, as configured");
    return;
  }
  const auto why = WhyNoCongestionControl(algorithm);
  if (!why) {
    report.Ok(kName, algorithm + " on long connections");
  } else if (transfer.congestion_control == "auto") {
    report.Note(kName, *why + "; without it long lossy ways are slow");
  } else {
    report.Fail(kName, "transfer.congestion_control: " + *why);
  }
}

bool CheckEndpoint(CheckReport& report, std::string_view side, const StoreConfig& store,
                   EventLoop& loop, Clock& clock) {
  const auto name = [side](std::string_view what) { return fmt::format("{} {}", side, what); };
  try {
    // With a proxy that one asks for the store's address.
    const std::string& host = store.proxy ? store.proxy->host : store.endpoint.host;
    const std::string address = Resolve(host);
    report.Ok(name("DNS"), address == host ? "not needed for " + address : host + " is " + address);
  } catch (const Error& error) {
    report.Fail(name("DNS"), fmt::format("{} of store {} cannot be resolved ({}): check the "
                                         "endpoint's name and this host's DNS",
                                         store.endpoint.host, store.name, error.what()));
    return false;
  }
  const std::string connection = name(store.endpoint.tls ? "TLS" : "connection");
  try {
    const HttpAnswer answer = Probe(store, loop);
    report.Ok(connection,
              store.endpoint.Url() + (store.endpoint.tls ? " answers, its certificate is trusted"
                                                         : " answers, without TLS"));
    CheckClock(report, name("clock"), answer, clock);
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kStopped) throw;
    const bool in_tls = error.kind() == ErrorKind::kInvalid ||
                        std::string_view(error.what()).find("SSL") != std::string_view::npos;
    const std::string_view advice =
        in_tls ? "check the endpoint's name, whether it speaks TLS on this port, and ca_file"
               : "check that the endpoint is up and no firewall is in between";
    report.Fail(connection, fmt::format("{} of store {}: {}; {}", store.endpoint.Url(), store.name,
                                        error.what(), advice));
    return false;
  }
}

}  // namespace ferry
