// JSON of the exporter.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "batch/base/key.h"

namespace ferry::exporter {

// Members keep the order in which they were added.
using Json = nlohmann::ordered_json;

// Never throws for what it holds: bytes that are no UTF-8 become U+FFFD.
inline std::string ToText(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// "key" when it is valid UTF-8, else "key_base64"; and always "shown", as the command line takes
// it.
inline void AddKey(Json& object, const Key& key) {
  if (IsUtf8(key.bytes())) {
    object["key"] = key.bytes();
  } else {
    object["key_base64"] = ToBase64(key.bytes());
  }
  object["shown"] = Escape(key);
}

}  // namespace ferry::exporter
