#include "batch/serve/bearer.h"

#include <openssl/crypto.h>

#include <string_view>

namespace ferry {

bool IsBearer(const std::string& authorization, const Secret& token) {
  constexpr std::string_view kScheme = "Bearer ";
  if (token.empty() || !authorization.starts_with(kScheme)) return false;
  const std::string_view given = std::string_view(authorization).substr(kScheme.size());
  return given.size() == token.Reveal().size() &&
         CRYPTO_memcmp(given.data(), token.Reveal().data(), given.size()) == 0;
}

}  // namespace ferry
