// What calls over HTTP share.
#pragma once

#include <string>
#include <string_view>

#include "batch/store/waiting_http.h"

namespace ferry {

// Throws Error for any answer but 2xx, with the beginning of what it says.
void ExpectSuccess(const std::string& what, const HttpAnswer& answer);

// "https://user:pass@host/path" as the address without its user, and a value for Authorization.
struct PlainUrl {
  std::string url;            // without a slash at its end
  std::string authorization;  // empty: no user was named
};
PlainUrl WithoutUser(std::string_view url);

}  // namespace ferry
