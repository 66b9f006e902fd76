#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "batch/base/error.h"

namespace ferry {

// All bytes of `file`, which may be a pipe. Throws Error{kind} naming the file and the reason when
// it cannot be read, is a folder, or holds more than `bytes_max`.
std::string ReadBoundedFile(const std::filesystem::path& file, std::size_t bytes_max,
                            ErrorKind kind);

// The file's name as it stands in errors.
std::string Shown(const std::filesystem::path& file);

}  // namespace ferry
