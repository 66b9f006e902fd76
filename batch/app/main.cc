#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "batch/app/command_line.h"
#include "batch/app/commands.h"
#include "batch/app/signals.h"
#include "batch/base/error.h"
#include "batch/config/load_config.h"

namespace ferry {
namespace {

bool NeedsCredentials(Command command) {
  return command != Command::kStatus && command != Command::kJobs && command != Command::kMigrate;
}

std::vector<const TaskConfig*> SelectTasks(const Config& config, const CommandLine& line) {
  std::vector<const TaskConfig*> tasks;
  for (const std::string& name : line.tasks) {
    const TaskConfig* task = config.FindTask(name);
    if (task == nullptr) {
      throw Error(ErrorKind::kConfig, "the configuration has no task " + EscapeBytes(name));
    }
    if (std::find(tasks.begin(), tasks.end(), task) == tasks.end()) tasks.push_back(task);
  }
  if (tasks.empty()) {
    for (const TaskConfig& task : config.tasks) tasks.push_back(&task);
  }
  return tasks;
}

// Each copy has two connections; the usual soft limit of 1,024 would not be enough on a long way.
void RaiseOpenFilesMax() {
  constexpr rlim_t kEnough = 4096;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kEnough) return;
  files.rlim_cur = std::min(kEnough, files.rlim_max);
  setrlimit(RLIMIT_NOFILE, &files);
}

// Rings and large answers are given back when they are freed. glibc would raise the threshold to
// the largest that was ever freed, and keep those that come later among what is small.
void GiveLargeMemoryBack() { mallopt(M_MMAP_THRESHOLD, 512 * 1024); }

int Dispatch(const CommandContext& context) {
  switch (context.line.command) {
    case Command::kRun: return RunTasks(context);
    case Command::kPlan: return PlanTasks(context);
    case Command::kWork: return WorkOnTasks(context);
    case Command::kCheck: return Check(context);
    case Command::kStatus: return ShowStatus(context);
    case Command::kJobs: return ShowJobs(context);
    case Command::kExplain: return Explain(context);
    case Command::kRetry: return RetryDead(context);
    case Command::kVerify: return Verify(context);
    case Command::kMigrate: return Migrate(context);
    case Command::kHook: return ServeHook(context);
    case Command::kListen: return Listen(context);
    case Command::kEstimate: return EstimateTasks(context);
  }
  return kExitUsage;
}

int Main(int argc, char** argv) {
  const Parsed parsed = ParseCommandLine(argc, argv);
  if (parsed.exit_code) return *parsed.exit_code;
  log::Configure(parsed.line.log_format, parsed.line.log_level);
  GiveLargeMemoryBack();
  Signals signals;
  RaiseOpenFilesMax();
  try {
    const ProcessEnvironment environment;
    SystemClock clock;
    const Config config = LoadConfig(
        parsed.line.config, environment,
        NeedsCredentials(parsed.line.command) ? CredentialUse::kNeeded : CredentialUse::kLeftOut);
    return Dispatch({parsed.line, config, SelectTasks(config, parsed.line), environment, clock,
                     signals.token()});
  } catch (const Error& error) {
    log::SetStatus("");
    std::fprintf(stderr, "bucketferry: %s\n", error.what());
    if (error.kind() == ErrorKind::kStopped) return kExitStopped;
    return error.kind() == ErrorKind::kConfig ? kExitUsage : kExitFailed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bucketferry: %s\n", error.what());
    return kExitFailed;
  }
}

}  // namespace
}  // namespace ferry

int main(int argc, char** argv) { return ferry::Main(argc, argv); }
