#include "batch/store/s3_values.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace ferry {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool LooksLikeMd5(std::string_view etag) {
  constexpr std::size_t kMd5Digits = 32;
  if (etag.size() < kMd5Digits) return false;
  const std::string_view rest = etag.substr(kMd5Digits);
  if (!rest.empty() && (rest.size() < 2 || rest.front() != '-')) return false;
  return std::all_of(etag.begin(), etag.begin() + kMd5Digits, IsHexDigit) &&
         std::all_of(rest.begin() + (rest.empty() ? 0 : 1), rest.end(), IsDigit);
}

// Reads a text of fixed form from the front; once something did not fit, nothing does.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int Digits(std::size_t count) {
    int number = 0;
    if (rest_.size() < count) ok_ = false;
    for (std::size_t i = 0; ok_ && i < count; ++i) {
      ok_ = IsDigit(rest_[i]);
      number = number * 10 + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(count);
    return ok_ ? number : 0;
  }

  void Literal(std::string_view literal) {
    ok_ = ok_ && rest_.starts_with(literal);
    if (ok_) rest_.remove_prefix(literal.size());
  }

  // The index of the three letters at the front in "JanFebMar...".
  unsigned Name(std::string_view names) {
    const std::size_t found = ok_ && rest_.size() >= 3 ? names.find(rest_.substr(0, 3)) : 1;
    ok_ = ok_ && found != std::string_view::npos && found % 3 == 0;
    if (!ok_) return 0;
    rest_.remove_prefix(3);
    return static_cast<unsigned>(found / 3);
  }

  // ".123456789", rounded down to milliseconds; nothing is 0.
  int Milliseconds() {
    if (!ok_ || !rest_.starts_with('.')) return 0;
    rest_.remove_prefix(1);
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), IsDigit);
    const auto count = static_cast<std::size_t>(end - rest_.begin());
    ok_ = count >= 1 && count <= 9;
    int number = 0;
    for (std::size_t i = 0; ok_ && i < 3; ++i) {
      number = number * 10 + (i < count ? rest_[i] - '0' : 0);
    }
    if (ok_) rest_.remove_prefix(count);
    return number;
  }

  bool AtEnd() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Timestamp {
  std::chrono::year_month_day date;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millisecond = 0;
};

std::chrono::year_month_day Date(int year, unsigned month, int day) {
  return {std::chrono::year(year), std::chrono::month(month),
          std::chrono::day(static_cast<unsigned>(day))};
}

std::optional<std::int64_t> ToUnixMs(const Timestamp& at) {
  if (!at.date.ok() || at.hour > 23 || at.minute > 59 || at.second > 59) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(at.date).time_since_epoch().count();
  const std::int64_t seconds = ((days * 24 + at.hour) * 60 + at.minute) * 60 + at.second;
  return seconds * 1000 + at.millisecond;
}

}  // namespace

std::string NormalizeEtag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  while (etag.starts_with('"')) etag.remove_prefix(1);
  while (etag.ends_with('"')) etag.remove_suffix(1);
  std::string normalized(etag);
  if (LooksLikeMd5(etag)) {
    std::transform(normalized.begin(), normalized.end(), normalized.begin(), [](char c) {
      return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  }
  return normalized;
}

std::string XmlEscape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out.append("&amp;"); break;
      case '<': out.append("&lt;"); break;
      case '>': out.append("&gt;"); break;
      case '"': out.append("&quot;"); break;
      case '\r': out.append("&#xD;"); break;
      case '\n': out.append("&#xA;"); break;
      default: out.push_back(c);
    }
  }
  return out;
}

std::optional<std::int64_t> ParseIso8601(std::string_view text) {
  Scanner scan(text);
  Timestamp at;
  const int year = scan.Digits(4);
  scan.Literal("-");
  const int month = scan.Digits(2);
  scan.Literal("-");
  at.date = Date(year, static_cast<unsigned>(month), scan.Digits(2));
  scan.Literal("T");
  at.hour = scan.Digits(2);
  scan.Literal(":");
  at.minute = scan.Digits(2);
  scan.Literal(":");
  at.second = scan.Digits(2);
  at.millisecond = scan.Milliseconds();
  scan.Literal("Z");
  if (!scan.AtEnd()) return std::nullopt;
  return ToUnixMs(at);
}

std::optional<std::int64_t> ParseHttpDate(std::string_view text) {
  Scanner scan(text);
  Timestamp at;
  const unsigned weekday = scan.Name("SunMonTueWedThuFriSat");
  scan.Literal(", ");
  const int day = scan.Digits(2);
  scan.Literal(" ");
  const unsigned month = scan.Name("JanFebMarAprMayJunJulAugSepOctNovDec") + 1;
  scan.Literal(" ");
  at.date = Date(scan.Digits(4), month, day);
  scan.Literal(" ");
  at.hour = scan.Digits(2);
  scan.Literal(":");
  at.minute = scan.Digits(2);
  scan.Literal(":");
  at.second = scan.Digits(2);
  scan.Literal(" GMT");
  if (!scan.AtEnd() || !at.date.ok()) return std::nullopt;
  if (std::chrono::weekday(std::chrono::sys_days(at.date)).c_encoding() != weekday) {
    return std::nullopt;
  }
  return ToUnixMs(at);
}

std::chrono::milliseconds ParseRetryAfter(std::string_view text, std::int64_t now_ms) {
  constexpr std::int64_t kMax = kRetryAfterMax.count();
  if (const auto time = ParseHttpDate(text)) {
    return std::chrono::milliseconds(std::clamp<std::int64_t>(*time - now_ms, 0, kMax));
  }
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::chrono::milliseconds(0);
  std::int64_t seconds = kMax;  // what does not fit is long
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::milliseconds(std::min(seconds, kMax / 1000) * 1000);
}

}  // namespace ferry
