// One function a command. Each returns the program's exit code, or throws Error, which main turns
// into one line and a code.
#pragma once

#include <functional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "batch/app/command_line.h"
#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/config/environment.h"

namespace ferry {

struct CommandContext {
  const CommandLine& line;
  const Config& config;
  std::vector<const TaskConfig*> tasks;  // the selected ones, never empty
  const Environment& environment;
  Clock& clock;
  std::stop_token stop;
};

int RunTasks(const CommandContext& context);       // run
int PlanTasks(const CommandContext& context);      // plan
int WorkOnTasks(const CommandContext& context);    // work
int RetryDead(const CommandContext& context);      // retry
int DryRun(const CommandContext& context);         // run --dry-run
int Migrate(const CommandContext& context);        // migrate
int ShowStatus(const CommandContext& context);     // status
int ShowJobs(const CommandContext& context);       // jobs
int Explain(const CommandContext& context);        // explain
int Verify(const CommandContext& context);         // verify
int Check(const CommandContext& context);          // check
int EstimateTasks(const CommandContext& context);  // estimate
int ServeHook(const CommandContext& context);      // hook
int Listen(const CommandContext& context);         // listen

inline constexpr int kExitDone = 0;
inline constexpr int kExitIncomplete = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitFailed = 3;
inline constexpr int kExitSkipped = 4;
inline constexpr int kExitStopped = 5;

// Of several tasks' codes the first that applies of 3, 1, 5, 4, 0.
int CombineExitCodes(const std::vector<int>& codes);

// Of `plan`, by the state of the run that it planned.
int ExitCodeOfPlan(std::string_view state);

}  // namespace ferry
