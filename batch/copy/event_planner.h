// EventPlanner: keys that wait as event rows -> what both sides have now -> the rows of an event
// run.
//
// An event is a hint: each key is looked at, and decided as a listing's would be (planner.h). Its
// row goes in the transaction that writes what was decided, unless somebody told of it again since.
// A key whose job of this run is not final yet is left waiting: two copies of a key at a time could
// end in either order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "batch/copy/event_deletes.h"
#include "batch/copy/planner.h"
#include "batch/listing/key_look.h"
#include "batch/queue/event_table.h"

namespace ferry {

// One thread.
class EventPlanner {
 public:
  // What the pointers and references name outlives the planner.
  struct Parts {
    PlannerSession& session;
    Clock& clock;
    const KeyLook& look;
    const ObjectFilter& filter;
    const Provider& destination_provider;
    std::function<void()> planned;  // as of PlanWriter
  };
  struct Rules {
    std::string task;  // its name
    std::string source_prefix;
    std::string destination_prefix;
    AdoptPolicy adopt = AdoptPolicy::kVerify;
    DeleteRules deletes;
    // How much one run may hold; the next goes on. Some more where a batch goes over it.
    PlanCaps caps;
  };
  EventPlanner(Parts parts, Rules rules, BegunRun run);

  struct Pass {
    std::int64_t seen = 0;       // keys that were looked at, and are settled
    std::int64_t held_back = 0;  // that wait for a job of this run to end
    std::int64_t failed = 0;     // that wait because a side could not be asked
    std::optional<Error> error;  // of one of them
    bool away = false;           // of a whole batch none could be looked at
  };
  // Looks at all keys that wait, in batches, as long as `may_go_on`, no side fails, and the run is
  // not full. Throws Error of the database, and kStopped.
  Pass LookAtEvents(const std::function<bool()>& may_go_on);
  // When nothing was to be done: lets the run come forward now and then.
  void Idle() { writer_.Looked(); }

  // The run should end: it holds as much as one may.
  bool full() const;

  // Once, at the end: see EventDeletes.
  EventDeletes::Result PlanDeletes(const std::function<bool()>& source_has_some);

  const Tally& totals() const { return writer_.totals(); }

 private:
  struct Look;  // one key under decision

  std::int64_t BatchMax() const;
  void LetGoOfFinished();
  void TakeBatch(const std::vector<WaitingEvent>& events, Pass& pass);
  bool IsOurs(const Key& key) const;
  void Decide(Look& look);
  void DecideSource(const Look& look, const Key& source_key, const Key& destination_key);

  const Parts parts_;
  const Rules rules_;
  const BegunRun run_;
  PlanWriter writer_;
  EventDeletes deletes_;
  std::map<Key, std::int64_t> jobs_;  // not known to be final: source key -> job_id
};

}  // namespace ferry
