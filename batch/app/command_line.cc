#include "batch/app/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "batch/base/human.h"
#include "batch/base/key.h"
#include "batch/base/version.h"
#include "batch/config/units.h"

namespace ferry {
namespace {

constexpr const char* kAbout =
    "Brings object-storage buckets from one cloud or region to another.\n"
    "\n"
    "Exit codes: 0 all is at the destination; 1 some objects are dead, or verify found a\n"
    "difference; 2 bad usage or configuration; 3 could not plan, or lost a service; 4 another run\n"
    "of the task is still going; 5 stopped, the next run goes on.";

std::string DefaultConfig() {
  const char* from_environment = std::getenv("BUCKETFERRY_CONFIG");
  return from_environment != nullptr && *from_environment != '\0' ? from_environment
                                                                  : "./bucketferry.yaml";
}

// The options that every command takes, on one command.
struct Common {
  std::string config = DefaultConfig();
  std::string log_format = "text";
  std::string log_level = "info";
};

std::string VersionLine() {
  return "bucketferry " + std::string(Version()) + " (" + std::string(Revision()) + ")";
}

void AddCommon(CLI::App& command, Common& common, CommandLine& line) {
  command.set_version_flag("--version", VersionLine());
  command
      .add_option("--config", common.config,
                  "configuration file; $BUCKETFERRY_CONFIG, else "
                  "./bucketferry.yaml")
      ->capture_default_str()
      ->type_name("FILE");
  command.add_option("--task", line.tasks, "only this task; may be given several times")
      ->type_name("NAME")
      ->take_all()
      ->expected(1);
  command.add_option("--log", common.log_format, "log lines as text or json, on stderr")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command.add_option("--log-level", common.log_level, "debug has a line for every object")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
}

log::Level LevelOf(const std::string& name) {
  if (name == "debug") return log::Level::kDebug;
  if (name == "warn") return log::Level::kWarn;
  if (name == "error") return log::Level::kError;
  return log::Level::kInfo;
}

Parsed BadUsage(const std::string& what) {
  std::fprintf(stderr, "bucketferry: %s (see bucketferry --help)\n", OneLine(what).c_str());
  Parsed parsed;
  parsed.exit_code = 2;
  return parsed;
}

}  // namespace

Parsed ParseCommandLine(int argc, const char* const* argv) {
  Parsed parsed;
  CommandLine& line = parsed.line;
  Common common;
  std::string stop_after;
  CLI::App app(kAbout, "bucketferry");
  app.set_version_flag("--version", VersionLine());
  app.require_subcommand(1);
  const auto add = [&](const char* name, Command command, const char* about) {
    CLI::App* sub = app.add_subcommand(name, about);
    AddCommon(*sub, common, line);
    sub->callback([&line, command] { line.command = command; });
    return sub;
  };

  CLI::App* run = add("run", Command::kRun, "plan, copy, and close the run of each task");
  CLI::Option* dry_run =
      run->add_flag("--dry-run", line.dry_run, "show what would be done; change nothing anywhere");
  run->add_flag("--all", line.all, "with --dry-run: every object, not the first 1,000")
      ->needs(dry_run);
  run->add_option("--for", stop_after, "stop claiming in time, and exit 5 (90s, 14m, 2h)");
  add("plan", Command::kPlan, "plan only: leave pending jobs for workers");
  CLI::App* work = add("work", Command::kWork, "work only: take pending jobs until none is left");
  work->add_flag("--forever", line.forever, "keep waiting for jobs");
  work->add_option("--for", stop_after, "stop claiming in time, and exit 5 (90s, 14m, 2h)");
  add("check", Command::kCheck, "try everything a run needs, copy nothing");
  CLI::App* estimate = add("estimate", Command::kEstimate,
                           "objects, bytes, requests and hours that a run would take");
  estimate->add_flag("--json", line.json, "for programs");
  CLI::App* status = add("status", Command::kStatus, "runs and counts");
  status->add_flag("--json", line.json, "for programs");
  status->add_option("--runs", line.runs, "how many runs of each task")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  CLI::App* jobs = add("jobs", Command::kJobs, "the history of objects, newest first");
  jobs->add_flag("--json", line.json, "one JSON object a line");
  jobs->add_option("--run", line.run, "of this run only");
  jobs->add_option("--state", line.state, "in this state only")
      ->check(CLI::IsMember(
          {"pending", "in_flight", "retry_wait", "done", "dead", "vanished", "archived"}));
  jobs->add_option("--key", line.key, "keys that match this glob")->type_name("GLOB");
  jobs->add_flag("--ledger", line.ledger, "what the destination is known to hold instead");
  CLI::App* explain = add("explain", Command::kExplain, "why a key would or would not be copied");
  explain->add_option("KEY", line.key, "the key at the source; bytes as \\xNN")->required();
  add("retry", Command::kRetry, "a new run of the dead jobs that are left");
  CLI::App* verify = add("verify", Command::kVerify, "compare source and destination");
  verify->add_flag("--deep", line.deep, "read both sides: every byte, headers, tags");
  verify->add_flag("--all", line.all, "a line for each difference, not for the first 1,000");
  CLI::App* hook =
      add("hook", Command::kHook, "serve Alertmanager webhooks: refresh and notify downstream");
  hook->add_option("--listen", line.listen, "address, instead of hook.listen (0.0.0.0:9848)")
      ->type_name("HOST:PORT");
  CLI::App* listen =
      add("listen", Command::kListen, "take events of objects, and bring over what they tell of");
  listen
      ->add_option("--listen", line.listen,
                   "address for webhooks, instead of listen.address (0.0.0.0:9849)")
      ->type_name("HOST:PORT");
  listen->add_option("--for", stop_after, "stop in time, and exit 0 (90s, 14m, 2h)");
  add("migrate", Command::kMigrate, "bring the database schema up to date");

  const std::string_view first = argc > 1 ? argv[1] : "";
  const bool is_command =
      !app.get_subcommands([&](CLI::App* sub) { return sub->get_name() == first; }).empty();
  if (!first.empty() && first.front() != '-' && !is_command) {
    return BadUsage("there is no command \"" + EscapeBytes(first) + "\"");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return BadUsage(error.what());
    app.exit(error);  // says what --help or --version asked for
    parsed.exit_code = 0;
    return parsed;
  }
  line.config = common.config;
  line.log_format = common.log_format == "json" ? log::Format::kJson : log::Format::kText;
  line.log_level = LevelOf(common.log_level);
  if (!stop_after.empty()) {
    line.stop_after = ParseDuration(stop_after);
    if (!line.stop_after) return BadUsage("--for takes a time like 90s, 14m or 2h");
  }
  return parsed;
}

}  // namespace ferry
