// JSON of strangers, no deeper than any message of theirs is.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace ferry {

// Discarded (is_discarded()) where it is no JSON. Throws Error{kInvalid}: it nests too deeply.
nlohmann::json ParseShallowJson(std::string_view text);

// nullptr: `value` is no object, or has no such member.
const nlohmann::json* JsonMember(const nlohmann::json& value, const char* name);

// Empty also where the member is no text.
std::string JsonText(const nlohmann::json& value, const char* name);

}  // namespace ferry
