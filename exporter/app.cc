#include "exporter/app.h"

#include <malloc.h>

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
#include "exporter/ending.h"
#include "exporter/endpoints.h"
#include "exporter/http_server.h"
#include "exporter/options.h"
#include "exporter/stop_signal.h"

namespace ferry::exporter {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitUnavailable = 3;

void AwaitEnd(const StopSignal& stop_signal, Ending* ending) {
  for (auto left = ending->Left(); !left || left->count() > 0; left = ending->Left()) {
    const StopSignal::Arrived arrived = stop_signal.Wait(left);
    for (int i = 0; i < arrived.terminations; ++i) ending->Terminate();
    if (arrived.interrupts > 0) ending->EndNow("SIGINT");
  }
  ending->EndNow("the limit to linger for");  // where nothing else ended it
}

// Answers are large and short-lived: given back when they are freed, and not kept by each of many
// threads. With 100 tasks of 18 histograms each: 24 MiB, and 28 after 50 scrapes at once.
void KeepMemorySmall() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

void Serve(const ExporterOptions& options, const Environment& environment) {
  const Config config = LoadConfig(options.config, environment, CredentialUse::kLeftOut);
  log::Configure(options.log_format, options.log_level);
  const StopSignal stop_signal;

  std::stop_source stop;
  SystemClock clock;
  Database database(config, clock);
  Ending ending(clock, options.linger, StopSignal::Wake);
  Endpoints endpoints(config, database, clock, options.status_token, ending, stop.get_token());
  const HttpServer server(options.listen, endpoints);
  log::Info("exporter listens", {{"address", server.address()},
                                 {"tasks", config.tasks.size()},
                                 {"database", config.database.shown},
                                 {"version", std::string(Version())}});
  AwaitEnd(stop_signal, &ending);
  stop.request_stop();  // what waits for the database need not
}

int Fail(int exit_code, const char* what) {
  std::fprintf(stderr, "bucketferry-exporter: %s\n", what);
  return exit_code;
}

}  // namespace

int RunExporter(int argc, const char* const* argv) {
  KeepMemorySmall();
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
