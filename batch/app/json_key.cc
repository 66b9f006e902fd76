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
  const std::string text =
      object.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
  // JSON allows U+007F to U+009F as they are; a terminal obeys some of them.
  std::string line;
  line.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    if (byte == 0x7F) {
      line += "\\u007f";
    } else if (byte == 0xC2 && next < 0xA0) {
      line += "\\u00" + ToHex(text.substr(i + 1, 1));
      ++i;
    } else {
      line += text[i];
    }
  }
  return line;
}

}  // namespace ferry
