#include "batch/app/json_key.h"

namespace ferry {

void AddKey(Json& object, const Key& key) {
  if (IsUtf8(key.bytes())) {
    object["key"] = key.bytes();
  } else {
    object["key_base64"] = ToBase64(key.bytes());
  }
}

std::string ToLine(const Json& object) {
  return object.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace ferry
