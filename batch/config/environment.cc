#include "batch/config/environment.h"

#include <cstdlib>

namespace ferry {

std::optional<std::string> ProcessEnvironment::Get(const std::string& name) const {
  const char* text = std::getenv(name.c_str());
  if (text == nullptr) return std::nullopt;
  return std::string(text);
}

}  // namespace ferry
