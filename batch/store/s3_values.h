// Small texts of S3: ETags, pauses, escapes.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "batch/base/time_text.h"

namespace ferry {

// Without W/ and quotes (lists quote, events and error bodies do not, one gateway quoted twice);
// 32 hex digits, with or without "-N", in lower case, so that equal ones compare equal.
std::string NormalizeEtag(std::string_view etag);

// 32 hex digits of any case, with or without "-N" behind them, and no quotes.
bool IsMd5Etag(std::string_view etag);

// Text between tags or in an attribute: & < > " by name, CR and LF as &#xD; &#xA; (a parser turns
// raw ones into LF). Other control characters cannot be written in XML 1.0 and stay as they are.
std::string XmlEscape(std::string_view text);

// Digits and nothing else; nullopt: it is something else, or too large.
template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The first of a comma-separated list, without the spaces around it. The list goes on behind it.
std::string_view TakeListed(std::string_view& list);

// A pause that a store asks for is heeded up to this.
inline constexpr std::chrono::milliseconds kRetryAfterMax{60'000};

// Retry-After (RFC 9110 section 10.2.3): whole seconds, or a time, of which `now_ms` (Unix, by the
// clock of whoever wrote it) is subtracted. At most kRetryAfterMax, zero for anything else.
std::chrono::milliseconds ParseRetryAfter(std::string_view text, std::int64_t now_ms);

}  // namespace ferry
