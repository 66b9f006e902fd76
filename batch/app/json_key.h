// Keys and rows of objects as JSON for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "batch/base/key.h"

namespace ferry {

// Members keep the order in which they were added.
using Json = nlohmann::ordered_json;

// Adds "key" when it is valid UTF-8, else "key_base64".
void AddKey(Json& object, const Key& key);

// One line. Never throws for what it holds: bytes that are no UTF-8 (an ETag may be anything)
// become U+FFFD. No control character is in it.
std::string ToLine(const Json& object);

// A value, or null.
template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace ferry
