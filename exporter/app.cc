#include "exporter/app.h"

#include <cstdio>
#include <exception>
#include <stop_token>
#include <string>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/base/version.h"
#include "batch/config/environment.h"
#include "batch/config/load_config.h"
#include "exporter/database.h"
#include "exporter/endpoints.h"
#include "exporter/http_server.h"
#include "exporter/options.h"
#include "exporter/stop_signal.h"

namespace ferry::exporter {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitUnavailable = 3;

void Serve(const ExporterOptions& options, const Environment& environment) {
  const Config config = LoadConfig(options.config, environment, CredentialUse::kLeftOut);
  log::Configure(options.log_format, options.log_level);
  const StopSignal stop_signal;

  std::stop_source stop;
  SystemClock clock;
  Database database(config, clock);
  Endpoints endpoints(config, database, clock, options.status_token, stop.get_token());
  const HttpServer server(options.listen, endpoints);
  log::Info("exporter listens", {{"address", server.address()},
                                 {"tasks", config.tasks.size()},
                                 {"database", config.database.shown},
                                 {"version", std::string(Version())}});
  stop_signal.Wait();
  log::Info("exporter stops");
  stop.request_stop();  // what waits for the database need not
}

int Fail(int exit_code, const char* what) {
  std::fprintf(stderr, "bucketferry-exporter: %s\n", what);
  return exit_code;
}

}  // namespace

int RunExporter(int argc, const char* const* argv) {
  const ProcessEnvironment environment;
  try {
    if (const auto options = ParseOptions(argc, argv, environment)) Serve(*options, environment);
    return 0;
  } catch (const Error& error) {
    return Fail(error.kind() == ErrorKind::kConfig ? kExitUsage : kExitUnavailable, error.what());
  } catch (const std::exception& error) {
    return Fail(kExitUnavailable, error.what());
  }
}

}  // namespace ferry::exporter
