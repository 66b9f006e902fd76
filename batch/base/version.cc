#include "batch/base/version.h"

namespace ferry {

std::string_view Version() { return FERRY_VERSION; }
std::string_view Revision() { return FERRY_REVISION; }

}  // namespace ferry
