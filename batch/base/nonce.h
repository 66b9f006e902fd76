// A name that nobody else makes up: 128 random bits, in hex.
#pragma once

#include <string>

namespace ferry {

std::string NewNonce();

}  // namespace ferry
