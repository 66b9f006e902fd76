#include "exporter/objects.h"

#include <charconv>
#include <limits>

#include "batch/base/error.h"
#include "batch/pg/session.h"
#include "exporter/json.h"
#include "exporter/session_guard.h"

namespace ferry::exporter {
namespace {

// Some milliseconds' worth; a search of a million objects takes fifty pages, and can be given up.
constexpr int kRowsLookedAt = 20'000;
constexpr std::size_t kFindBytesMax = 1'100;  // a key, and some

std::int64_t ParseNumber(const std::string& name, const std::string& text, std::int64_t max) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < 0 || number > max) {
    throw Error(ErrorKind::kConfig, name + " is a number from 0 to " + std::to_string(max));
  }
  return number;
}

// What was typed, as bytes of a key: with escapes as they are shown, or simply as it is.
Key BytesToFind(const std::string& find) {
  try {
    return UnescapeKey(find);
  } catch (const Error&) {
    return Key(find);
  }
}

// Text that no error holds, where `find` cannot be text.
std::string TextToFind(const std::string& find) {
  const bool is_text = IsUtf8(find) && find.find('\0') == std::string::npos;
  return is_text ? find : "\x01";
}

FoundObject ReadObject(const pg::Row& row) {
  const auto text = [&](std::string_view column) {
    return row.Get<std::optional<std::string>>(column).value_or("");
  };
  return {.job = row.Get<std::int64_t>("job"),
          .key = row.Get<Key>("key"),
          .action = text("action"),
          .reason = text("reason"),
          .size_bytes = row.Get<std::int64_t>("size_bytes"),
          .attempts = row.Get<std::int64_t>("attempts"),
          .error = text("error"),
          .finished_at = text("finished_at")};
}

void ReadPage(const ObjectsQuestion& question, pg::Transaction& tx, ObjectsPage* page) {
  if (!tx.Execute("metrics/database").One().Get<bool>("has_schema")) return;
  const pg::Rows runs = tx.Execute("metrics/status_run", question.task, question.run);
  if (runs.empty()) return;
  page->run = runs.One().Get<std::int64_t>("run");
  for (const pg::Row row : tx.Execute("metrics/status_objects", *page->run, question.state,
                                      question.after, kRowsLookedAt, question.limit,
                                      BytesToFind(question.find), TextToFind(question.find))) {
    if (row.Get<std::optional<std::int64_t>>("job")) {
      page->objects.push_back(ReadObject(row));
    } else {
      page->looked_at = row.Get<std::int64_t>("looked_at");
      page->next = row.Get<std::optional<std::int64_t>>("next");
    }
  }
}

}  // namespace

ObjectsQuestion ParseQuestion(const HttpRequest& request) {
  ObjectsQuestion question;
  question.task = request.Parameter("task");
  question.find = request.Parameter("find");
  if (question.find.size() > kFindBytesMax) {
    throw Error(ErrorKind::kConfig, "find is longer than any key");
  }
  const std::string state = request.Parameter("state");
  if (!state.empty()) question.state = state;
  if (question.state != "dead" && question.state != "vanished") {
    throw Error(ErrorKind::kConfig, "state is dead or vanished");
  }
  constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
  const std::string run = request.Parameter("run");
  if (!run.empty()) question.run = ParseNumber("run", run, kAny);
  const std::string after = request.Parameter("after");
  if (!after.empty()) question.after = ParseNumber("after", after, kAny);
  const std::string limit = request.Parameter("limit");
  if (!limit.empty()) {
    question.limit = static_cast<int>(ParseNumber("limit", limit, ObjectsQuestion::kLimitMax));
  }
  return question;
}

ObjectsPage ReadObjects(const ObjectsQuestion& question, Database& database, Clock& clock,
                        SteadyTime deadline, const std::stop_token& stop) {
  ObjectsPage page;
  try {
    const auto session = database.Connect(deadline);  // statements have what is left then
    const SessionGuard guard(*session, clock, deadline, stop);
    session->Transact([&](pg::Transaction& tx) { ReadPage(question, tx, &page); },
                      {.isolation = pg::Isolation::kSnapshot, .access = pg::Access::kReadOnly});
  } catch (const Error& error) {
    page = {};
    page.problem = error.what();
  }
  return page;
}

std::string ToJson(const ObjectsQuestion& question, const ObjectsPage& page) {
  if (!page.problem.empty()) return ToText({{"problem", page.problem}});
  Json objects = Json::array();
  for (const FoundObject& object : page.objects) {
    Json json{{"job", object.job}};
    AddKey(json, object.key);
    json["action"] = object.action;
    json["reason"] = object.reason;
    json["size_bytes"] = object.size_bytes;
    json["attempts"] = object.attempts;
    json["error"] = object.error;
    json["finished_at"] = object.finished_at;
    objects.push_back(std::move(json));
  }
  return ToText({{"task", question.task},
                 {"run", OrNull(page.run)},
                 {"state", question.state},
                 {"objects", objects},
                 {"looked_at", page.looked_at},
                 {"next", OrNull(page.next)}});
}

}  // namespace ferry::exporter
