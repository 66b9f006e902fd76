// EventWebhooks: events by HTTP, from whoever has the token.
//
//   POST /events   a message as ParseWebhookMessage reads it. 200 once all of it is stored; 503
//   with
//                  Retry-After where it could not be, and is to be sent again; 400 for what is no
//                  message, with a line that says why; 401 without the token; 413 above 1 MiB
//   GET  /healthz  200: this process answers (also /-/healthy)
//
// The token comes as Authorization: Bearer, or as the password of any user (Basic), which is what a
// push-endpoint of Ceph RGW with user:password@ in its URL sends; or as the field `token` of a form
// in the body, for callbacks of OSS, COS and Kodo, which send no header of ours. Never in a query,
// which servers on the way write down.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batch/config/config.h"
#include "batch/events/event_router.h"
#include "batch/events/event_sink.h"
#include "batch/serve/message_server.h"

namespace ferry {

// What is answered to which request. Knows no sockets.
class EventEndpoints {
 public:
  // `listen`, `tasks` and `counters` outlive this object.
  EventEndpoints(const ListenConfig& listen, const std::vector<TaskConfig>& tasks, EventSink sink,
                 EventCounters& counters);

  // From any thread.
  MessageAnswer Answer(const MessageRequest& request);

 private:
  bool IsAllowed(const MessageRequest& request) const;
  MessageAnswer Accept(const MessageRequest& request);
  MessageAnswer Store(const EventMessage& message);

  const ListenConfig& listen_;
  EventRouter router_;
  const EventSink sink_;
  EventCounters& counters_;
};

class EventWebhooks {
 public:
  // Listens and answers from here on. Throws Error{kConfig}: an address, certificate or token file
  // that cannot be; Error{kUnavailable}: the address cannot be listened on.
  // REQUIRES: listen.token_file is set. `listen`, `tasks` and `counters` outlive this object.
  EventWebhooks(const ListenConfig& listen, const std::vector<TaskConfig>& tasks, EventSink sink,
                EventCounters& counters);

  // "0.0.0.0:9849": with the port that was taken.
  std::string address() const;

 private:
  EventEndpoints endpoints_;
  MessageServer server_;
};

}  // namespace ferry
