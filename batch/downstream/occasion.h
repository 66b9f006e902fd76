// Occasion: why a target is called, and all that it may be told.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/queue/notification_table.h"
#include "batch/queue/refresh_table.h"
#include "batch/queue/run_table.h"

namespace ferry {

struct Occasion {
  std::string event;   // started, ended, refreshed; or refresh: do it
  std::string target;  // its name
  RunFacts run;
  std::vector<DeadObject> dead;  // the first few
  // How the task's refresh targets took their last call; for `refreshed`.
  std::vector<std::pair<std::string, RefreshOutcome>> outcomes;
  // The same for each repetition of one call, and for no other.
  std::string idempotency_key;
};

// One paragraph for people: what happened, how much, how long, what died.
std::string TextOf(const Occasion& occasion);

// All of it as one JSON object; "text" is TextOf, which chat services show.
std::string JsonOf(const Occasion& occasion);

// The facts by the names of kPlaceholders, in its order.
std::vector<std::pair<std::string, std::string>> FactsOf(const Occasion& occasion);

// Puts facts in place of {{name}}, so that within a JSON string they are nothing but text.
std::string FillTemplate(std::string_view text, const Occasion& occasion);

}  // namespace ferry
