// hook: serves Alertmanager's webhooks, and refreshes and tells downstream.
#include <memory>

#include "batch/app/commands.h"
#include "batch/app/database.h"
#include "batch/base/error.h"
#include "batch/base/log.h"
#include "batch/config/token_file.h"
#include "batch/downstream/downstream.h"
#include "batch/hook/hook_server.h"

namespace ferry {
namespace {

// The database, from the moment on at which it can be had: a hook that comes up before it answers
// 503 meanwhile, and does not go away.
class LateDatabase {
 public:
  explicit LateDatabase(const Config& config) : config_(config) {}

  std::unique_ptr<pg::Session> Connect() { return Opened().Connect(); }

 private:
  // Only this is one at a time: a server that does not answer holds up each who asks for himself.
  Database& Opened() {
    MutexLock lock(mutex_);
    if (!database_) database_ = Database::Open(config_);
    return *database_;
  }

  const Config& config_;
  Mutex mutex_;
  std::unique_ptr<Database> database_ FERRY_GUARDED_BY(mutex_);
};

// Throws Error{kConfig}: the configuration names a file that will not do.
void CheckTokenFile(const std::filesystem::path& file) {
  try {
    ReadTokenFile(file);
  } catch (const Error& error) {
    throw Error(ErrorKind::kConfig, std::string("hook.token_file: ") + error.what());
  }
}

}  // namespace

int ServeHook(const CommandContext& context) {
  HookConfig config = context.config.hook;
  if (!context.line.listen.empty()) config.listen = context.line.listen;
  // A file that is not there is told now, and not to Alertmanager.
  if (!config.token_file.empty()) CheckTokenFile(config.token_file);
  const SignalPlan plan = PlanOfHook(context.config);
  if (plan.empty()) {
    throw Error(ErrorKind::kConfig, "no task of the configuration has refresh or notify targets");
  }
  LateDatabase database(context.config);
  const auto connect = [&database] { return database.Connect(); };
  Downstream downstream({connect, context.config, context.environment, context.clock}, plan,
                        Downstream::Asked::kElsewhere);
  Intake intake(context.config, connect, [&downstream] { downstream.Wake(); });
  HookEndpoints endpoints(config, intake);
  const HookServer server(config, endpoints);
  log::Info("hook listens", {{"address", server.address()},
                             {"refresh_targets", plan.RefreshTargets().size()},
                             {"notify_targets", plan.NotifyTargets().size()},
                             {"database", context.config.database.shown}});
  while (context.clock.SleepFor(std::chrono::hours(1), context.stop)) continue;
  log::Info("hook stops");
  return kExitDone;
}

}  // namespace ferry
