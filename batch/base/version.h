#pragma once

#include <string_view>

namespace ferry {

std::string_view Version();   // "0.1.0"
std::string_view Revision();  // short commit id of the build, or "unknown"

}  // namespace ferry
