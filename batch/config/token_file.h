// Bearer tokens from files.
#pragma once

#include <filesystem>

#include "batch/config/secret.h"

namespace ferry {

// The file's only line, without its end. Read on each call: whoever rotates it replaces it. Throws
// Error{kCredentials} naming the file when it is missing, empty, larger than 64 KiB or holds what
// can be no token.
Secret ReadTokenFile(const std::filesystem::path& file);

}  // namespace ferry
