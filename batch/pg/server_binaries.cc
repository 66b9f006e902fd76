#include "batch/pg/server_binaries.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/error.h"

namespace ferry::pg {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kInstalled = "/usr/lib/postgresql";

bool HasServer(const fs::path& dir) {
  return access((dir / "postgres").c_str(), X_OK) == 0 &&
         access((dir / "initdb").c_str(), X_OK) == 0;
}

int ParseMajor(const std::string& text) { return std::atoi(text.c_str()); }

// "postgres (PostgreSQL) 15.20 (Debian ...)" -> 15; 0 when it says something else.
int AskMajor(const fs::path& dir) {
  const std::string command = "'" + (dir / "postgres").string() + "' --version 2>/dev/null";
  if (command.find('\'', 1) != command.rfind('\'')) return 0;
  FILE* const pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) return 0;
  std::array<char, 256> line{};
  const bool read = std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr;
  pclose(pipe);
  const std::string text = read ? line.data() : "";
  const std::size_t bracket = text.find(") ");
  return bracket == std::string::npos ? 0 : ParseMajor(text.substr(bracket + 2));
}

std::vector<ServerBinaries> InstalledBinaries() {
  std::vector<ServerBinaries> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(kInstalled, ignored)) {
    const fs::path dir = entry.path() / "bin";
    if (HasServer(dir)) found.push_back({dir, ParseMajor(entry.path().filename().string())});
  }
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (!folder.empty() && HasServer(folder)) found.push_back({folder, AskMajor(folder)});
  }
  // Stable: of one version, the distribution's own comes first.
  std::ranges::stable_sort(found, std::greater<>(), &ServerBinaries::major);
  return found;
}

}  // namespace

ServerBinaries FindServerBinaries(std::optional<int> major) {
  const std::vector<ServerBinaries> found = InstalledBinaries();
  for (const ServerBinaries& binaries : found) {
    if (!major || binaries.major == *major) return binaries;
  }
  if (!major) {
    throw Error(ErrorKind::kConfig,
                "embedded database: no PostgreSQL server is installed: install the package "
                "postgresql-15, or set `database:` to a server of yours");
  }
  throw Error(
      ErrorKind::kConfig,
      fmt::format("embedded database: the data is of PostgreSQL {}, installed is {}: "
                  "install the package postgresql-{}; the data is left as it is",
                  *major, found.empty() ? "none" : std::to_string(found.front().major), *major));
}

}  // namespace ferry::pg
