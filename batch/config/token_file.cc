#include "batch/config/token_file.h"

#include <string>

#include "batch/config/bounded_file.h"
#include "batch/config/credentials.h"

namespace ferry {

Secret ReadTokenFile(const std::filesystem::path& file) {
  constexpr std::size_t kBytesMax = 64 * 1024;
  std::string text = ReadBoundedFile(file, kBytesMax, ErrorKind::kCredentials);
  text.erase(text.find_last_not_of("\r\n") + 1);
  if (text.empty() || !IsSoundSecret(text)) {
    throw Error(ErrorKind::kCredentials,
                "token file " + Shown(file) + " does not hold one line without blanks");
  }
  return Secret(std::move(text));
}

}  // namespace ferry
