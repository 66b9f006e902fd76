// Small texts of S3: ETags, times, escapes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ferry {

// Without W/ and quotes (lists quote, events and error bodies do not, one gateway quoted twice);
// 32 hex digits, with or without "-N", in lower case, so that equal ones compare equal.
std::string NormalizeEtag(std::string_view etag);

// Text between tags or in an attribute: & < > " by name, CR and LF as &#xD; &#xA; (a parser turns
// raw ones into LF). Other control characters cannot be written in XML 1.0 and stay as they are.
std::string XmlEscape(std::string_view text);

// "2009-10-12T17:50:30.000Z", with 0 to 9 decimals, as Unix milliseconds (rounded down).
// nullopt for anything else, also for the 31st of February.
std::optional<std::int64_t> ParseIso8601(std::string_view text);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7, IMF-fixdate) as Unix milliseconds.
// nullopt for anything else.
std::optional<std::int64_t> ParseHttpDate(std::string_view text);

// A pause that a store asks for is heeded up to this.
inline constexpr std::chrono::milliseconds kRetryAfterMax{60'000};

// Retry-After (RFC 9110 section 10.2.3): whole seconds, or a time, of which `now_ms` (Unix, by the
// clock of whoever wrote it) is subtracted. At most kRetryAfterMax, zero for anything else.
std::chrono::milliseconds ParseRetryAfter(std::string_view text, std::int64_t now_ms);

}  // namespace ferry
