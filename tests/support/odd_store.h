// A store that gives odd answers: S3Store over a server that says what a test wants, byte for byte.
// One for each answer, so that a connection that was spoilt spoils nothing else.
#pragma once

#include <string>
#include <vector>

#include "batch/store/curl_http.h"
#include "batch/store/s3_store.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scripted_http_server.h"

namespace ferry::test {

class NoKeys final : public CredentialsSource {
 public:
  std::optional<Credentials> Get() override { return std::nullopt; }
  bool Refused() override { return false; }
};

struct OddStore {
  explicit OddStore(std::vector<ScriptedAnswer> answers = {}) {
    for (ScriptedAnswer& answer : answers) server.Answer(std::move(answer));
  }
  ~OddStore() { runner.Stop(); }
  OddStore(const OddStore&) = delete;
  OddStore& operator=(const OddStore&) = delete;

  // The end of a task that `make` makes: "none", or "throttled SlowDown".
  template <typename Make>
  std::string EndOf(Make make) {
    const std::optional<Error> error = ErrorOf([&] { runner.Await(make); });
    if (!error) return "none";
    last_error = error;
    std::string end(ToString(error->kind()));
    return error->code().empty() ? end : end + " " + error->code();
  }

  ScriptedHttpServer server;
  LoopRunner runner;
  NoKeys keys;
  CurlHttp http{runner.loop(), {}};
  S3Store store{{"far", "bucket", {.endpoint = server.url()}}, http, keys, runner.clock()};
  std::optional<Error> last_error;
};

inline ScriptedAnswer Says(std::string bytes) { return {.bytes = std::move(bytes)}; }

// The three ways in which a body can be cut: its length was said, it comes in chunks, it ends with
// the connection. `head` are header lines, each with its line end.
inline ScriptedAnswer CutBody(const std::string& way, const std::string& head,
                              const std::string& body) {
  ScriptedAnswer cut{.bytes = {}, .then = ScriptedAnswer::Then::kClose};
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", body.size() + 7);
  cut.bytes = "HTTP/1.1 200 OK\r\n" + head;
  if (way == "length") {
    cut.bytes += "Content-Length: " + std::to_string(body.size() + 7) + "\r\n\r\n" + body;
  } else if (way == "chunks") {
    cut.bytes += "Transfer-Encoding: chunked\r\n\r\n" + (size + body);
  } else {
    cut.bytes += "Connection: close\r\n\r\n" + body;
  }
  return cut;
}

inline std::string ErrorXml(const std::string& code) {
  return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>why</Message></Error>";
}

}  // namespace ferry::test
