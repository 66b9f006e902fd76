// SqsQueue: what is asked of a queue of Amazon SQS, in its JSON protocol ("Making Query API
// requests using AWS JSON protocol" in the Amazon SQS Developer Guide).
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/config/environment.h"
#include "batch/credentials/aws_api.h"

namespace ferry {

struct QueueMessage {
  std::string id;       // the same whenever the message is given out
  std::string receipt;  // of this time
  std::string body;
};

inline constexpr int kQueueMessagesMax = 10;  // in one answer, and of one call to delete

// Of one thread at a time.
class SqsQueue {
 public:
  // All outlive this object. Throws what MakeCredentials does.
  SqsQueue(const EventQueue& queue, const Environment& environment, Clock& clock);

  // Waits up to 20 s for the first message; none: there was none. Throws Error with one line that
  // says what to do: kCorrupt for an answer that cannot be read or is too large, which fewer
  // messages may not be; kStopped; else asking again later may help, and code() is the queue's.
  std::vector<QueueMessage> Receive(int messages_max, const std::stop_token& stop);

  // Those that could not be deleted come again, and are logged. REQUIRES: at most
  // kQueueMessagesMax. Throws as Receive.
  void Delete(const std::vector<QueueMessage>& messages, const std::stop_token& stop);

 private:
  std::string Ask(const char* action, const std::string& body, std::chrono::milliseconds timeout,
                  const std::stop_token& stop);

  const EventQueue& queue_;
  const std::string who_;
  const AwsApi api_;
  WaitingHttp http_;
};

}  // namespace ferry
