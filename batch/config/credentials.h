// Access keys from where they are kept. Nothing of what was read ever stands in an error.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "batch/config/config.h"
#include "batch/config/environment.h"

namespace ferry {

// A JSON object with access_key_id, secret_access_key and, if there is one, session_token; the same
// names with aws_ before them do too. `expiration` or `Expiration` says until when they are good,
// as RFC 3339 ("2026-03-01T12:00:00Z"); what is no such time is ignored with a warning, for the
// keys may be good all the same. Other names are ignored. Read on each call: the caller decides
// when the file may have changed. Throws Error{kCredentials} naming the file when it is missing,
// larger than 64 KiB, not such an object, or lacks a key: it may be in the middle of being
// replaced.
AccessKeys ReadCredentialsFile(const std::filesystem::path& file);

// The same of such a text, which errors call `what` ("secret media").
AccessKeys ParseCredentials(const std::string& text, const std::string& what);

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CREDENTIAL_EXPIRATION. nullopt:
// neither of the first two is set. Throws Error{kCredentials} when only one is.
std::optional<AccessKeys> EnvironmentCredentials(const Environment& environment);

// Whether `text` can be a key, secret or token: no blanks and no control characters. What fails is
// most often a line break at its end, which would only show as a wrong signature.
bool IsSoundSecret(std::string_view text);

}  // namespace ferry
