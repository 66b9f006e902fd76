// The command line.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "batch/base/log.h"
#include "batch/config/environment.h"
#include "batch/config/secret.h"

namespace ferry::exporter {

struct ExporterOptions {
  std::filesystem::path config = "bucketferry.yaml";
  std::string listen = "0.0.0.0:9847";
  log::Format log_format = log::Format::kText;
  log::Level log_level = log::Level::kInfo;
  std::chrono::milliseconds linger{0};  // as a sidecar, after SIGTERM; at most an hour
  Secret status_token;                  // $BUCKETFERRY_STATUS_TOKEN
};

// nullopt: --help or --version was asked for, and printed. Throws Error{kConfig} for bad usage.
std::optional<ExporterOptions> ParseOptions(int argc, const char* const* argv,
                                            const Environment& environment);

}  // namespace ferry::exporter
