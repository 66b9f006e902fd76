// ScriptedHttpServer: a real socket on 127.0.0.1 that answers request by request what a test says,
// byte for byte, for answers that a healthy server never gives. It keeps what it was asked.
//
//   ScriptedHttpServer server;
//   server.Answer({.bytes = HttpText(200, {{"ETag", "\"1\""}}, "body")});
//   ... use server.url() ...
//   EXPECT_EQ(server.Take().method, "GET");
//
// A thread per connection, at most 16 of them; every wait ends after ten seconds.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "batch/store/uri.h"

namespace ferry::test {

struct SeenRequest {
  std::string method;
  std::string target;  // as on the wire: path and query
  std::string head;    // all bytes up to the empty line
  std::string body;    // decoded when it came in chunks
  int connection = 0;  // 1: the first one accepted

  bool Has(std::string_view lower_case_name) const;
  std::string Header(std::string_view lower_case_name) const;  // empty when it is not there
};

struct ScriptedAnswer {
  enum class When { kAfterBody, kAfterHead };
  enum class Then { kKeepOpen, kClose, kReset };

  std::string bytes;             // status line, headers and body
  When when = When::kAfterBody;  // kAfterHead: before the request's body was read
  Then then = Then::kKeepOpen;
  bool continue_first = false;         // 100 Continue before the body is read
  std::chrono::milliseconds delay{0};  // before the answer
  // Pieces to send afterwards, each after `piece_delay`.
  std::vector<std::string> pieces = {};
  std::chrono::milliseconds piece_delay{0};
};

// A whole answer with Content-Length. `status` 204 and 304 have no body.
std::string HttpText(int status, const NameValues& headers = {}, std::string_view body = {});
// The same in chunks of at most `chunk_bytes`.
std::string ChunkedText(int status, const NameValues& headers, std::string_view body,
                        std::size_t chunk_bytes);

class ScriptedHttpServer {
 public:
  ScriptedHttpServer();
  ~ScriptedHttpServer();
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;

  std::string url() const;  // "http://127.0.0.1:PORT"
  int port() const { return port_; }

  // The answer of the next request that has none yet. Requests beyond the script get a 500.
  void Answer(ScriptedAnswer answer);

  // Of every request beyond the script, instead of a 500.
  void AnswerAlways(ScriptedAnswer answer);

  // The requests, oldest first; waits for the next one to have been read.
  SeenRequest Take();
  std::size_t seen() const;  // so far, taken or not
  int connections() const;

 private:
  void Accept();
  void Serve(int fd, int number);
  bool ServeOne(int fd, int number, std::string& buffer);
  ScriptedAnswer NextAnswer();
  void Keep(SeenRequest request);

  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<ScriptedAnswer> script_;
  std::optional<ScriptedAnswer> always_;
  std::deque<SeenRequest> requests_;
  std::size_t seen_ = 0;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
  std::thread acceptor_;
};

}  // namespace ferry::test
