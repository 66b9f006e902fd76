// One HTTP request of a thread that waits for the answer.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>

#include "batch/base/clock.h"
#include "batch/store/http.h"

namespace ferry {

// Throws Error{kUnavailable} when no whole answer came within `timeout`, kStopped at a stop. `what`
// names the target: its URL may be its secret and is not shown.
HttpAnswer SendAndWait(const std::string& what, HttpRequest request, Clock& clock,
                       std::chrono::milliseconds timeout, const std::stop_token& stop);

// Throws Error for any answer but 2xx, with the beginning of what it says.
void ExpectSuccess(const std::string& what, const HttpAnswer& answer);

// "https://user:pass@host/path" as the address without its user, and a value for Authorization.
struct PlainUrl {
  std::string url;            // without a slash at its end
  std::string authorization;  // empty: no user was named
};
PlainUrl WithoutUser(std::string_view url);

}  // namespace ferry
