// The objects of one run that did not come over: a page of them, searched.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/key.h"
#include "exporter/database.h"
#include "exporter/http.h"

namespace ferry::exporter {

struct ObjectsQuestion {
  std::string task;
  std::optional<std::int64_t> run{};  // none: the latest closed one
  std::string state = "dead";         // or vanished
  std::int64_t after = 0;             // a job id: where the page before ended
  std::string find{};                 // part of a key, as it is shown, or of an error; empty: all
  int limit = 50;

  static constexpr int kLimitMax = 200;
};

struct FoundObject {
  std::int64_t job = 0;
  Key key;
  std::string action;
  std::string reason;
  std::int64_t size_bytes = 0;
  std::int64_t attempts = 0;
  std::string error;
  std::string finished_at;
};

// A page may hold fewer objects than asked for, even none, and not be the last one: a search looks
// at so many rows at a time and says where to go on.
struct ObjectsPage {
  std::string problem;  // empty: the database answered
  std::optional<std::int64_t> run;
  std::vector<FoundObject> objects;
  std::int64_t looked_at = 0;
  std::optional<std::int64_t> next;  // `after` of the next page; none: this was the last
};

// From task=, run=, state=, after=, find=, limit=. Throws Error{kConfig}: what is wrong with it.
ObjectsQuestion ParseQuestion(const HttpRequest& request);

// Never throws for anything the database does: ObjectsPage::problem says it.
ObjectsPage ReadObjects(const ObjectsQuestion& question, Database& database, Clock& clock,
                        SteadyTime deadline, const std::stop_token& stop);

std::string ToJson(const ObjectsQuestion& question, const ObjectsPage& page);

}  // namespace ferry::exporter
