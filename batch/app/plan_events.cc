#include "batch/app/plan_events.h"

#include <algorithm>

#include "batch/app/listing_ends.h"
#include "batch/app/task_parts.h"
#include "batch/base/log.h"
#include "batch/copy/event_planner.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

// A run's rows are kept as long as it is open: another one goes on.
constexpr std::chrono::hours kAgeMax{1};
// Between two looks at the rows, and at whether another run waits.
constexpr milliseconds kLookEvery{500};
// Before a store that could not be asked is asked again.
constexpr milliseconds kPauseMin{1000};
constexpr milliseconds kPauseMax{60'000};

// Keys as one run looks at them.
class EventRun {
 public:
  EventRun(const CommandContext& context, Engine& engine, PlannerSession& session, Plan& plan)
      : context_(context),
        engine_(engine),
        session_(session),
        plan_(plan),
        selection_(SelectionOf(context.config, *plan.task, context.clock.WallNow())),
        ends_(engine.stores(), engine.listings(), plan.task->name, Patience::kShort),
        look_({ends_.Places(Side::kSource), plan.task->source.prefix},
              {ends_.Places(Side::kDestination), plan.task->destination.prefix},
              ends_.ends().versions),
        planner_({session, context.clock, look_, selection_.filter,
                  ends_.ends().destination_provider, [&engine] { engine.WakeWorker(); }},
                 RulesOf(), plan.begun) {}

  void Carry() {
    last_event_ = Now();
    while (GoesOn() && !planner_.full()) {
      if (Now() >= next_look_) LookOnce();
      if (!settled_ || Now() - last_event_ < plan_.task->events.quiet) {
        Sleep();
      } else {
        break;
      }
    }
    plan_.end.error = PlanDeletes();
  }

 private:
  SteadyTime Now() const { return context_.clock.SteadyNow(); }

  EventPlanner::Rules RulesOf() {
    const TaskConfig& task = *plan_.task;
    EventPlanner::Rules rules;
    rules.task = task.name;
    rules.source_prefix = task.source.prefix;
    rules.destination_prefix = task.destination.prefix;
    rules.adopt = AdoptPolicyOf(task);
    session_.Read([&](pg::Session& database) {
      rules.caps = PlanCapsOf(task, CountBeingRestored(database, plan_.begun.task_id));
      SweepExtras(database, plan_.begun.run_id);
      rules.deletes = DeleteRulesOf(task, selection_, ReadSelection(database, plan_.begun.task_id));
    });
    return rules;
  }

  void Sleep() {
    if (!context_.clock.SleepFor(kLookEvery, engine_.halted())) {
      throw Error(ErrorKind::kStopped, "stopped while planning");
    }
  }

  // Asked often: at most so often of the database.
  bool GoesOn() {
    if (engine_.halted().stop_requested()) {
      throw Error(ErrorKind::kStopped, "stopped while planning");
    }
    if (Now() < next_question_) return goes_on_;
    next_question_ = Now() + kLookEvery;
    const EventRunState run = session_.Read(
        [&](pg::Session& database) { return ReadEventRun(database, plan_.begun.run_id); });
    if (!run.planning) throw Error(ErrorKind::kConflict, "the run was closed by others");
    if (run.run_wanted && goes_on_) {
      log::Info("the run of events ends for another one",
                {{"task", plan_.task->name}, {"run", plan_.begun.run_id}});
    }
    goes_on_ = !run.run_wanted && run.age < kAgeMax;
    return goes_on_;
  }

  void LookOnce() {
    const TaskConfig& task = *plan_.task;
    if (task.min_age.count() > 0 || task.max_age) {
      selection_.filter = FilterOf(task, context_.clock.WallNow());  // objects grow older
    }
    const EventPlanner::Pass pass = planner_.LookAtEvents([this] { return GoesOn(); });
    if (pass.seen > 0) last_event_ = Now();
    settled_ = pass.held_back == 0 && pass.failed == 0;
    if (!pass.error) {
      if (pause_ > milliseconds(0)) {
        log::Info("the stores answer again", {{"task", plan_.task->name}});
      }
      pause_ = milliseconds(0);
      planner_.Idle();
      return;
    }
    pause_ = std::clamp(2 * pause_, kPauseMin, kPauseMax);
    next_look_ = Now() + pause_;
    log::Warn("keys cannot be looked at; they wait",
              {{"task", plan_.task->name},
               {"keys", pass.failed},
               {"again_in", std::chrono::duration_cast<std::chrono::seconds>(pause_).count()},
               {"error", EscapeBytes(pass.error->what())}});
  }

  bool SourceHasSome() {
    if (planner_.totals().source_objects > 0) return true;
    ListingStream source(ends_.Places(Side::kSource), plan_.task->source.prefix,
                         SourceName(*plan_.task), ends_.ends().versions);
    for (; const ListedEntry* entry = source.Peek(); source.Next()) {
      if (engine_.halted().stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
      if (selection_.filter.Matches(*entry)) return true;
    }
    return false;
  }

  // Makes delete jobs of what was staged, or says why not. Returns what the run could not do.
  std::optional<std::string> PlanDeletes() {
    const EventDeletes::Result result = planner_.PlanDeletes([this] { return SourceHasSome(); });
    if (result.verdict == DeleteVerdict::kGo) {
      if (result.planned > 0) SayDeletes(plan_, result.planned);
      return std::nullopt;
    }
    const DeleteLimit limit{plan_.task->max_delete.percent, plan_.task->max_delete.amount};
    std::string why = WhyNoDeletes(result.verdict, limit, result.scope);
    if (result.deleted_before > 0) {
      why += " (" + std::to_string(result.deleted_before) +
             " of them were deleted by events since the last scheduled run)";
    }
    return SayNoDeletes(plan_, result.verdict, result.scope, why);
  }

  const CommandContext& context_;
  Engine& engine_;
  PlannerSession& session_;
  Plan& plan_;
  TaskSelection selection_;
  const ListingEnds ends_;
  const KeyLook look_;
  EventPlanner planner_;

  bool goes_on_ = true;
  bool settled_ = true;  // no key waits, as far as is known
  SteadyTime last_event_{};
  SteadyTime next_question_{};
  SteadyTime next_look_{};
  milliseconds pause_{0};
};

}  // namespace

void PlanByEvents(const CommandContext& context, Engine& engine, PlannerSession& session,
                  Plan& plan) {
  EventRun(context, engine, session, plan).Carry();
  CountListingRequests(engine, session, plan);
}

}  // namespace ferry
