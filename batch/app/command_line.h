// What the user asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "batch/base/log.h"

namespace ferry {

enum class Command {
  kRun,
  kPlan,
  kWork,
  kCheck,
  kStatus,
  kJobs,
  kExplain,
  kRetry,
  kVerify,
  kMigrate,
  kHook,
  kListen,
  kEstimate,
};

struct CommandLine {
  Command command = Command::kRun;
  std::filesystem::path config;
  std::vector<std::string> tasks;  // empty: all
  log::Format log_format = log::Format::kText;
  log::Level log_level = log::Level::kInfo;

  bool dry_run = false;                                 // run
  bool all = false;                                     // run --dry-run, verify: every line
  bool forever = false;                                 // work
  std::optional<std::chrono::milliseconds> stop_after;  // run, work, listen: --for
  bool json = false;                                    // status, jobs, estimate
  int runs = 10;                                        // status
  std::optional<std::int64_t> run;                      // jobs
  std::string state;                                    // jobs
  std::string key;      // jobs: a glob; explain: a key; both in escaped form
  bool ledger = false;  // jobs
  bool deep = false;    // verify
  std::string listen;   // hook, listen: instead of the configuration's
};

struct Parsed {
  CommandLine line;
  // Set: the program ends with it (0 after --help or --version, 2 after bad usage); what was to be
  // said has been said.
  std::optional<int> exit_code;
};

Parsed ParseCommandLine(int argc, const char* const* argv);

}  // namespace ferry
