// Http: one request, one answer, on an event loop. Knows nothing of S3.
//
// A body is either whole in memory or flows through a Body (body.h). All calls are made on the
// loop's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "batch/base/task.h"
#include "batch/store/uri.h"

namespace ferry {

class BodySink;
class BodySource;

enum class Method { kGet, kHead, kPut, kPost, kDelete };
std::string_view ToString(Method method);

using Headers = NameValues;  // names in lower case

// The first header of that name; empty when there is none.
std::string_view FindHeader(const Headers& headers, std::string_view lower_case_name);

struct HttpAnswer {
  int status = 0;
  Headers headers;
  std::string body;  // empty when the body went to a sink
};

struct HttpRequest {
  Method method = Method::kGet;
  std::string url;  // sent byte for byte: no dot segment is removed, nothing is re-encoded
  Headers headers;

  std::string_view body;         // REQUIRES: stays alive until the answer
  BodySource* source = nullptr;  // instead of body
  std::uint64_t source_bytes = 0;

  BodySink* sink = nullptr;  // gets the body of a 200 or 206; others come in the answer
  // Called once, before the first body byte, when the status and headers are complete. What it
  // throws ends the request and is thrown by Send.
  std::function<void(const HttpAnswer&)> on_head;

  std::uint64_t body_bytes_max = std::uint64_t{16} << 20;  // of an answer held in memory
  bool expect_continue = false;  // a server that refuses (417) is asked again without
  // Sent at most once, also where a connection that was used before turns out to be closed.
  bool once = false;
  // Nothing moved for so long, or next to nothing of a body that flows: the request fails. Long for
  // requests whose answer takes thought.
  std::chrono::seconds idle_timeout{60};
};

class Http {
 public:
  virtual ~Http() = default;

  // Throws Error: kUnavailable when no whole answer came, kStopped, or what a sink, source or
  // on_head threw. An answer of any status is a value. `request` stays alive until the end.
  virtual Task<HttpAnswer> Send(HttpRequest& request) = 0;
};

}  // namespace ferry
