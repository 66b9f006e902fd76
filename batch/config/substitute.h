#pragma once

#include <string>
#include <string_view>

#include "batch/config/environment.h"

namespace ferry {

// `text` with each ${NAME} and ${NAME:-default} filled in, once: what was filled in is not looked
// at again. $${ is a plain ${, any other $ itself. The default stands where NAME is not set or
// empty, and ends at the first }. Throws Error{kConfig} saying what is wrong, with the NAME where
// there is one and without any value.
std::string Substitute(std::string_view text, const Environment& environment);

}  // namespace ferry
