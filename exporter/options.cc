#include "exporter/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "batch/base/error.h"
#include "batch/base/key.h"
#include "batch/base/version.h"

namespace ferry::exporter {
namespace {

const std::map<std::string, log::Format> kFormats = {{"text", log::Format::kText},
                                                     {"json", log::Format::kJson}};
const std::map<std::string, log::Level> kLevels = {{"debug", log::Level::kDebug},
                                                   {"info", log::Level::kInfo},
                                                   {"warn", log::Level::kWarn},
                                                   {"error", log::Level::kError}};

void Describe(CLI::App* app, ExporterOptions* options, std::string* config, std::string* format,
              std::string* level) {
  app->set_version_flag("--version",
                        fmt::format("bucketferry-exporter {} ({})", Version(), Revision()));
  app->add_option("--config", *config,
                  "configuration file; $BUCKETFERRY_CONFIG, else ./bucketferry.yaml")
      ->type_name("FILE");
  app->add_option("--listen", options->listen, "address to listen on")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app->add_option("--log", *format, "json or text")
      ->check(CLI::IsMember(kFormats))
      ->type_name("FORMAT")
      ->capture_default_str();
  app->add_option("--log-level", *level, "debug, info, warn or error")
      ->check(CLI::IsMember(kLevels))
      ->type_name("LEVEL")
      ->capture_default_str();
  app->footer(
      "$BUCKETFERRY_STATUS_TOKEN: the bearer token that shows keys and error texts on the status\n"
      "page; without it they are shown to requests from this host only.");
}

}  // namespace

std::optional<ExporterOptions> ParseOptions(int argc, const char* const* argv,
                                            const Environment& environment) {
  ExporterOptions options;
  std::string config = environment.Get("BUCKETFERRY_CONFIG").value_or("");
  std::string format = "text";
  std::string level = "info";
  CLI::App app("Prometheus metrics and a status page of bucketferry's tasks, from its database.",
               "bucketferry-exporter");
  Describe(&app, &options, &config, &format, &level);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    app.exit(asked, std::cout, std::cerr);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorKind::kConfig, EscapeBytes(error.what()) + " (see --help)");
  }
  if (!config.empty()) options.config = config;
  options.log_format = kFormats.at(format);
  options.log_level = kLevels.at(level);
  options.status_token = Secret(environment.Get("BUCKETFERRY_STATUS_TOKEN").value_or(""));
  return options;
}

}  // namespace ferry::exporter
