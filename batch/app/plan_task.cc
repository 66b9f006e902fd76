#include "batch/app/plan_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <stop_token>

#include "batch/app/task_listings.h"
#include "batch/app/task_parts.h"
#include "batch/base/human.h"
#include "batch/base/log.h"
#include "batch/copy/planner.h"

namespace ferry {
namespace {

// A database that planning waited for in vain is not waited for much longer to say so.
constexpr std::chrono::seconds kFailPatience{60};

// Each is a transaction, well within the time a statement may take.
constexpr std::int64_t kRetryRowsMax = 20'000;

// Between two looks at whether a run of events has ended.
constexpr std::chrono::milliseconds kTurnPause{500};
static_assert(kTurnPause < kRunWantedFor);

// Whatever waits for the database then is wanted by nobody.
class StopAtEnd {
 public:
  explicit StopAtEnd(std::stop_source& source) : source_(source) {}
  ~StopAtEnd() { source_.request_stop(); }
  StopAtEnd(const StopAtEnd&) = delete;
  StopAtEnd& operator=(const StopAtEnd&) = delete;

 private:
  std::stop_source& source_;
};

// A run of events gives way to every other.
BegunRun BeginInTurn(const CommandContext& context, Engine& engine, RunKind kind,
                     PlannerSession& session, const TaskConfig& task) {
  BegunRun begun = session.Begin(PlaceOf(task), kind);
  if (begun.awaits_events) {
    log::Info("the run of events was asked to end; this one begins after it",
              {{"task", task.name}, {"other_run", begun.other_run}});
  }
  while (begun.awaits_events) {
    if (!context.clock.SleepFor(kTurnPause, engine.halted())) {
      throw Error(ErrorKind::kStopped, "stopped");
    }
    begun = session.Begin(PlaceOf(task), kind);
  }
  return begun;
}

void Begin(const CommandContext& context, Engine& engine, RunKind kind, PlannerSession& session,
           Plan& plan) {
  plan.begun = BeginInTurn(context, engine, kind, session, *plan.task);
  if (plan.begun.run_id == 0) return;  // no key waits any more, or it is not the turn of events
  if (plan.begun.skipped) {
    log::Info("another run of this task is still going; this one is skipped",
              {{"task", plan.task->name},
               {"run", plan.begun.run_id},
               {"other_run", plan.begun.other_run}});
    return;
  }
  engine.Watch(*plan.task, plan.begun.run_id);
  plan.run_id = plan.begun.run_id;
  log::Info("run started", {{"task", plan.task->name},
                            {"run", plan.begun.run_id},
                            {"source", SourceName(*plan.task)},
                            {"destination", DestinationName(*plan.task)}});
}

std::string WhyLeftOver(const TaskConfig& task, const LeftOver& left) {
  std::string caps;
  if (task.max_objects) caps = fmt::format("max_objects {}", *task.max_objects);
  if (task.max_bytes) {
    caps += fmt::format("{}max_bytes {}", caps.empty() ? "" : ", ",
                        HumanBytes(static_cast<double>(*task.max_bytes)));
  }
  return fmt::format("{} objects ({}) are left for the next run ({})", left.objects,
                     HumanBytes(static_cast<double>(left.bytes)), caps);
}

}  // namespace

void CountListingRequests(Engine& engine, PlannerSession& session, const Plan& plan) {
  RequestCounters& counters = engine.stores().Counters(plan.task->name);
  Tally requests;
  requests.requests_source = counters.source.exchange(0);
  requests.requests_destination = counters.destination.exchange(0);
  session.Write(
      plan.begun.run_id, [](pg::Transaction&) { return true; },
      [&](pg::Transaction& tx, std::int64_t worker_id) {
        AddTally(tx, plan.begun.run_id, worker_id, requests);
      });
}

void SayDeletes(const Plan& plan, std::int64_t deletes) {
  log::Info("deletes planned",
            {{"task", plan.task->name}, {"run", plan.begun.run_id}, {"deletes", deletes}});
}

std::optional<std::string> SayNoDeletes(const Plan& plan, DeleteVerdict verdict,
                                        const DeleteScope& scope, const std::string& why) {
  log::Warn("deletes are off for this run", {{"task", plan.task->name},
                                             {"run", plan.begun.run_id},
                                             {"candidates", scope.candidates},
                                             {"why", why}});
  if (verdict == DeleteVerdict::kTooMany) return why;
  return std::nullopt;
}

void PlanByListing(const CommandContext& context, Engine& engine, PlannerSession& session,
                   Plan& plan) {
  const TaskConfig& task = *plan.task;
  const TaskSelection selection = SelectionOf(context.config, task, context.clock.WallNow());
  const DeleteRules rules = session.Read([&](pg::Session& database) {
    SweepExtras(database, plan.begun.run_id);
    return DeleteRulesOf(task, selection, ReadSelection(database, plan.begun.task_id));
  });
  TaskListings listings(context, engine.stores(), engine.listings(), task, Patience::kOutage);
  std::stop_source over;
  const std::stop_callback halt(engine.halted(), [&] { over.request_stop(); });
  auto ledger_session =
      engine.NewPatientSession(context.config.transfer.outage_patience, over.get_token());
  LedgerStream ledger(
      [&](const Key& after, std::int64_t limit) {
        return ledger_session.Do([&](pg::Session& database) {
          return ReadLedger(database, plan.begun.task_id, after, limit);
        });
      },
      task.source.prefix, LedgerStream::When::kAhead);
  const StopAtEnd stop_reading_ahead(over);
  const std::int64_t being_restored = session.Read(
      [&](pg::Session& database) { return CountBeingRestored(database, plan.begun.task_id); });
  PlanWriter writer(
      session, plan.begun.run_id, plan.begun.task_id, context.clock, [&] { engine.WakeWorker(); },
      PlanCapsOf(task, being_restored));
  DeletePlanner deletes(session, plan.begun.run_id, rules);
  CompareInput input{
      listings.source(),  listings.destination(), ledger,
      selection.filter,   AdoptPolicyOf(task),    listings.ends().destination_provider,
      task.source.prefix, task.destination.prefix};
  input.destination_asked = task.compare == CompareMode::kBoth;
  if (rules.on()) input.extra = [&](const ExtraFound& extra) { deletes.Add(extra); };
  input.looked = [&] { writer.Looked(); };
  const CompareCounts counts =
      Compare(input, engine.halted(), [&](const Found& found) { writer.Add(found); });
  writer.Finish();
  listings.SayMissing();
  if (rules.on()) {
    const DeletePlanner::Result result = deletes.Finish(counts, writer.next_job_id());
    if (result.verdict == DeleteVerdict::kGo) {
      SayDeletes(plan, static_cast<std::int64_t>(result.scope.candidates));
    } else {
      plan.end.error = SayNoDeletes(plan, result.verdict, result.scope,
                                    WhyNoDeletes(result.verdict, rules.limit, result.scope));
    }
  }
  if (writer.left_over().objects > 0) {
    const std::string reason = WhyLeftOver(task, writer.left_over());
    plan.end.error = plan.end.error ? *plan.end.error + "; " + reason : reason;
  }
  plan.end.selection = selection.digest;
  CountListingRequests(engine, session, plan);
  log::Info("planned", {{"task", task.name},
                        {"run", plan.begun.run_id},
                        {"source_objects", writer.totals().source_objects},
                        {"planned", writer.totals().planned},
                        {"bytes", writer.totals().bytes_planned},
                        {"adopted", writer.totals().adopted}});
}

void PlanByDeadJobs(const CommandContext&, Engine& engine, PlannerSession& session, Plan& plan) {
  const BegunRun& run = plan.begun;
  std::int64_t planned = 0;
  std::int64_t added = 0;
  do {
    if (engine.halted().stop_requested()) {
      throw Error(ErrorKind::kStopped, "stopped while planning");
    }
    session.Write(
        run.run_id,
        // Written or not, the next ones come after those that are there.
        [](pg::Transaction&) { return false; },
        [&](pg::Transaction& tx, std::int64_t worker_id) {
          added = CopyDeadJobs(tx, run.task_id, run.run_id, worker_id, kRetryRowsMax);
          planned = ReadRun(tx, run.run_id).totals.planned;
        });
  } while (added > 0);
  const std::int64_t left = session.Read([&](pg::Session& database) {
    return CountDeadNotRetried(database, run.task_id, run.run_id);
  });
  if (left > 0) {
    plan.end.error = fmt::format(
        "{} dead objects were not retried: on keys that the destination cannot hold and on deletes "
        "only the next run decides",
        left);
  }
  log::Info("planned", {{"task", plan.task->name},
                        {"run", run.run_id},
                        {"planned", planned},
                        {"dead_not_retried", left}});
}

void CarryOutPlan(const CommandContext& context, Engine& engine, RunKind kind, const PlanBody& body,
                  Plan& plan) {
  std::optional<PlannerSession> session;
  try {
    // One whose turn came after the stop begins no run.
    if (engine.halted().stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
    session.emplace(engine.NewPlannerSession());
    Begin(context, engine, kind, *session, plan);
    if (plan.begun.skipped || plan.begun.run_id == 0) return;
    body(context, engine, *session, plan);
    session->FinishPlanning(plan.begun.run_id, plan.end);
  } catch (const Error& error) {
    plan.error = error;
  } catch (const std::exception& error) {
    plan.error = Error(ErrorKind::kInvalid, error.what());
  }
  if (!plan.error) return;
  plan.over = true;
  if (engine.halted().stop_requested()) return;
  log::Debug("could not plan", {{"task", plan.task->name}, {"error", plan.error->what()}});
  if (plan.run_id != 0) {
    session->Fail(plan.begun.run_id, EscapeBytes(plan.error->what()), kFailPatience);
  }
}

}  // namespace ferry
