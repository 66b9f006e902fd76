#include "batch/base/time_text.h"

#include <algorithm>
#include <chrono>

namespace ferry {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

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

  // "Z", "+08:00" or "-03:30", in minutes.
  int OffsetMinutes() {
    if (rest_.starts_with('Z')) {
      rest_.remove_prefix(1);
      return 0;
    }
    const bool west = rest_.starts_with('-');
    Literal(west ? "-" : "+");
    const int hours = Digits(2);
    Literal(":");
    const int minutes = Digits(2);
    ok_ = ok_ && hours <= 23 && minutes <= 59;
    return (west ? -1 : 1) * (hours * 60 + minutes);
  }

  bool AtEnd() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Moment {
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

std::optional<std::int64_t> ToUnixMs(const Moment& at) {
  if (!at.date.ok() || at.hour > 23 || at.minute > 59 || at.second > 59) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(at.date).time_since_epoch().count();
  const std::int64_t seconds = ((days * 24 + at.hour) * 60 + at.minute) * 60 + at.second;
  return seconds * 1000 + at.millisecond;
}

}  // namespace

std::optional<std::int64_t> ParseRfc3339(std::string_view text) {
  Scanner scan(text);
  Moment at;
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
  const std::int64_t offset_ms = std::int64_t{60'000} * scan.OffsetMinutes();
  if (!scan.AtEnd()) return std::nullopt;
  const std::optional<std::int64_t> local_ms = ToUnixMs(at);
  if (!local_ms) return std::nullopt;
  return *local_ms - offset_ms;
}

std::optional<std::int64_t> ParseIso8601(std::string_view text) {
  if (!text.ends_with('Z')) return std::nullopt;
  return ParseRfc3339(text);
}

std::optional<std::int64_t> ParseHttpDate(std::string_view text) {
  Scanner scan(text);
  Moment at;
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

}  // namespace ferry
