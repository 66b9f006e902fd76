#include "batch/serve/bearer.h"

#include <openssl/crypto.h>

#include <optional>

#include "batch/base/key.h"

namespace ferry {

bool IsToken(std::string_view given, const Secret& token) {
  return !token.empty() && given.size() == token.Reveal().size() &&
         CRYPTO_memcmp(given.data(), token.Reveal().data(), given.size()) == 0;
}

bool IsBearer(const std::string& authorization, const Secret& token) {
  constexpr std::string_view kScheme = "Bearer ";
  return authorization.starts_with(kScheme) &&
         IsToken(std::string_view(authorization).substr(kScheme.size()), token);
}

bool IsBasicPassword(const std::string& authorization, const Secret& token) {
  constexpr std::string_view kScheme = "Basic ";
  if (!authorization.starts_with(kScheme)) return false;
  const std::optional<std::string> pair =
      FromBase64(std::string_view(authorization).substr(kScheme.size()));
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  return colon != std::string::npos && IsToken(std::string_view(*pair).substr(colon + 1), token);
}

}  // namespace ferry
