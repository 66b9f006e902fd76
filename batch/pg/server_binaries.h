// Which PostgreSQL server programs are installed.
#pragma once

#include <filesystem>
#include <optional>

namespace ferry::pg {

struct ServerBinaries {
  std::filesystem::path dir;
  int major = 0;
};

// The binaries of `major`, or the newest where it is not given: below /usr/lib/postgresql, then in
// PATH. Throws Error{kConfig} naming the package that is missing.
ServerBinaries FindServerBinaries(std::optional<int> major);

}  // namespace ferry::pg
