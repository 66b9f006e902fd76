// Glob: one compiled pattern on the bytes of a key.
//
//   *      any run of characters without '/', also none
//   ?      one character but '/': a UTF-8 character, or one byte where the key is not UTF-8
//   **     any run of characters with '/', also none
//   **/    where a segment begins: any number of whole segments, also none
//          (**/x matches x, a/x and a//x; a/**/b matches a/b)
//   \c     the character c itself
//   else   itself, byte by byte: [ ] { } ! and a leading or trailing '/' mean nothing special
//
// A pattern without '/' is held against the last segment of the rest (what follows its last '/'),
// at any depth; a pattern with '/' against the whole rest. The last segment of "dir/" is empty, so
// that * and ** match "dir/" and the empty rest too, and dir/** matches "dir/" and all below it.
// "." and ".." and empty segments are segments like others: keys are not paths.
//
// Time is at most pattern length x key length, whatever the pattern. Immutable; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ferry {

inline constexpr std::size_t kPatternBytesMax = 1024;  // as long as the longest key

class Glob {
 public:
  // Throws Error{kConfig} when `pattern` is empty, longer than kPatternBytesMax, or ends in a
  // backslash that escapes nothing.
  explicit Glob(std::string_view pattern);

  // `rest` is the key without the task's source prefix.
  bool Matches(std::string_view rest) const;

  const std::string& pattern() const { return pattern_; }

  // Whether the pattern has no * and no ?, so that only `literal()` matches.
  bool IsLiteral() const { return tokens_.empty(); }
  const std::string& literal() const { return head_; }
  // Whether the whole rest is compared, not only its last segment.
  bool WholeRest() const { return whole_rest_; }

 private:
  enum class Kind : std::uint8_t { kByte, kOne, kStar, kAny, kSegments };
  struct Token {
    Kind kind;
    char byte;
  };
  class Matcher;

  void Compile();
  void SplitLiteralEnds(std::vector<Token> tokens);

  std::string pattern_;
  bool whole_rest_ = false;
  std::string head_;           // literal bytes before the first wildcard
  std::vector<Token> tokens_;  // from the first wildcard to the last
  std::string tail_;           // literal bytes after the last wildcard
};

// The last segment of a key: what follows its last '/'.
std::string_view LastSegment(std::string_view rest);

}  // namespace ferry
