#include "batch/queue/event_table.h"

namespace ferry {
namespace {

// Of what names a message and says what is wrong with it; a body may be far larger.
constexpr std::size_t kTextBytesMax = 1024;

std::string AsText(std::string_view bytes) { return EscapeBytes(bytes.substr(0, kTextBytesMax)); }

}  // namespace

void AddEvents(pg::Session& session, const std::vector<NewEvent>& events) {
  if (events.empty()) return;
  std::vector<std::string> tasks;
  std::vector<Key> keys;
  for (const NewEvent& event : events) {
    tasks.push_back(event.task);
    keys.push_back(event.key);
  }
  session.Transact([&](pg::Transaction& tx) { tx.Execute("queries/add_events", tasks, keys); });
}

std::vector<WaitingEvent> ReadEvents(pg::Session& session, const std::string& task,
                                     std::int64_t limit, std::int64_t above) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<WaitingEvent> events;
    tx.Execute("queries/take_rows_in_order");
    for (const pg::Row row : tx.Execute("queries/read_events", task, above, limit)) {
      events.push_back({row.Get<std::int64_t>("number"), row.Get<Key>("key")});
    }
    return events;
  });
}

void ForgetEvents(pg::Transaction& tx, const std::string& task,
                  const std::vector<WaitingEvent>& events) {
  if (events.empty()) return;
  std::vector<Key> keys;
  std::vector<std::int64_t> numbers;
  for (const WaitingEvent& event : events) {
    keys.push_back(event.key);
    numbers.push_back(event.number);
  }
  tx.Execute("queries/forget_events", task, keys, numbers);
}

std::vector<std::string> FindEventTasks(pg::Session& session,
                                        const std::vector<std::string>& tasks) {
  return session.Transact([&](pg::Transaction& tx) {
    std::vector<std::string> found;
    for (const pg::Row row : tx.Execute("queries/find_event_tasks", tasks)) {
      found.push_back(row.Get<std::string>("task"));
    }
    return found;
  });
}

void AddPoison(pg::Session& session, const PoisonMessage& message) {
  session.Transact([&](pg::Transaction& tx) {
    tx.Execute("queries/add_event_aside", AsText(message.source), AsText(message.id),
               AsText(message.reason), pg::Bytes{message.body.substr(0, kPoisonBytesMax)});
  });
}

}  // namespace ferry
