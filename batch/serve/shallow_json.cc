#include "batch/serve/shallow_json.h"

#include "batch/base/error.h"

namespace ferry {

using Json = nlohmann::json;

Json ParseShallowJson(std::string_view text) {
  // What nests deeper is no message, and would cost the parser its stack.
  constexpr int kDepthMax = 16;
  bool too_deep = false;
  const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDepthMax;
    return !too_deep;
  };
  Json parsed = Json::parse(text, shallow, /*allow_exceptions=*/false);
  if (too_deep) throw Error(ErrorKind::kInvalid, "the body nests too deeply");
  return parsed;
}

const Json* JsonMember(const Json& value, const char* name) {
  if (!value.is_object()) return nullptr;
  const auto found = value.find(name);
  return found == value.end() ? nullptr : &*found;
}

std::string JsonText(const Json& value, const char* name) {
  const Json* const member = JsonMember(value, name);
  return member != nullptr && member->is_string() ? member->get<std::string>() : std::string();
}

}  // namespace ferry
