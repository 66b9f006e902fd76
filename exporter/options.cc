#include "exporter/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "batch/base/error.h"
#include "batch/base/key.h"
#include "batch/base/version.h"
#include "batch/config/units.h"

namespace ferry::exporter {
namespace {

const std::map<std::string, log::Format> kFormats = {{"text", log::Format::kText},
                                                     {"json", log::Format::kJson}};
const std::map<std::string, log::Level> kLevels = {{"debug", log::Level::kDebug},
                                                   {"info", log::Level::kInfo},
                                                   {"warn", log::Level::kWarn},
                                                   {"error", log::Level::kError}};

constexpr std::chrono::milliseconds kLingerMax = std::chrono::hours(1);

// As they were written.
struct Texts {
  std::string config;
  std::string format = "text";
  std::string level = "info";
  std::string linger = "0";
};

std::chrono::milliseconds ParseLinger(const std::string& text) {
  const auto linger = ParseDuration(text);
  if (!linger || *linger > kLingerMax) {
    throw Error(ErrorKind::kConfig,
                "--linger " + EscapeBytes(text) + ": a time of at most 1h, as 40s (see --help)");
  }
  return *linger;
}

void Describe(CLI::App* app, ExporterOptions* options, Texts* texts) {
  app->set_version_flag("--version",
                        fmt::format("bucketferry-exporter {} ({})", Version(), Revision()));
  app->add_option("--config", texts->config,
                  "configuration file; $BUCKETFERRY_CONFIG, else ./bucketferry.yaml")
      ->type_name("FILE");
  app->add_option("--listen", options->listen, "address to listen on")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app->add_option("--log", texts->format, "json or text")
      ->check(CLI::IsMember(kFormats))
      ->type_name("FORMAT")
      ->capture_default_str();
  app->add_option("--log-level", texts->level, "debug, info, warn or error")
      ->check(CLI::IsMember(kLevels))
      ->type_name("LEVEL")
      ->capture_default_str();
  app->add_option(
         "--linger", texts->linger,
         "for a sidecar: after SIGTERM go on until the final state of all tasks was scraped "
         "twice, at most so long")
      ->type_name("DURATION")
      ->capture_default_str();
  app->footer(
      "$BUCKETFERRY_STATUS_TOKEN: the bearer token that shows keys and error texts on the status\n"
      "page; without it they are shown to requests from this host only.");
}

}  // namespace

std::optional<ExporterOptions> ParseOptions(int argc, const char* const* argv,
                                            const Environment& environment) {
  ExporterOptions options;
  Texts texts{.config = environment.Get("BUCKETFERRY_CONFIG").value_or("")};
  CLI::App app("Prometheus metrics and a status page of bucketferry's tasks, from its database.",
               "bucketferry-exporter");
  Describe(&app, &options, &texts);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    app.exit(asked, std::cout, std::cerr);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorKind::kConfig, EscapeBytes(error.what()) + " (see --help)");
  }
  if (!texts.config.empty()) options.config = texts.config;
  options.log_format = kFormats.at(texts.format);
  options.log_level = kLevels.at(texts.level);
  options.linger = ParseLinger(texts.linger);
  options.status_token = Secret(environment.Get("BUCKETFERRY_STATUS_TOKEN").value_or(""));
  return options;
}

}  // namespace ferry::exporter
