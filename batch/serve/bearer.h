// Tokens of requests.
#pragma once

#include <string>
#include <string_view>

#include "batch/config/secret.h"

namespace ferry {

// Whether the value of an Authorization header holds this token, in a time that does not depend on
// where they differ. An empty token matches nothing.
bool IsBearer(const std::string& authorization, const Secret& token);

// The same of the password of any user (RFC 7617), for clients that can send no other header.
bool IsBasicPassword(const std::string& authorization, const Secret& token);

// Whether `given` is the token, in a time that does not depend on where they differ.
bool IsToken(std::string_view given, const Secret& token);

}  // namespace ferry
