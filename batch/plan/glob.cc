#include "batch/plan/glob.h"

#include <algorithm>
#include <array>

#include "batch/base/error.h"
#include "batch/base/key.h"

namespace ferry {
namespace {

// The bytes of the character that `text` begins with; 1 when it is not UTF-8 there.
std::size_t CharacterLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return length > 1 && length <= text.size() && IsUtf8(text.substr(0, length)) ? length : 1;
}

constexpr std::size_t kUtf8BytesMax = 4;

}  // namespace

std::string_view LastSegment(std::string_view rest) {
  const std::size_t slash = rest.rfind('/');
  return slash == std::string_view::npos ? rest : rest.substr(slash + 1);
}

// Steps through a text with the set of all token positions that are possible at each byte, so that
// no pattern makes it look at a byte more often than it has tokens. Only a wildcard steps by whole
// characters, so up to kUtf8BytesMax bytes ahead sets are kept, in a ring.
class Glob::Matcher {
 public:
  explicit Matcher(const std::vector<Token>& tokens)
      : tokens_(tokens), words_(tokens.size() / 64 + 1) {
    for (Set& set : ring_) std::fill_n(set.begin(), words_, 0);
  }

  bool Run(std::string_view text) {
    Enter(0, 0);
    for (std::size_t at = 0; at < text.size(); ++at) {
      Set& now = ring_[at % ring_.size()];
      for (std::size_t word = 0; word < words_; ++word) {
        // Bits are only added to later sets, never to this one.
        for (std::uint64_t bits = now[word]; bits != 0; bits &= bits - 1) {
          Step(word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits)), text, at);
        }
        now[word] = 0;
      }
    }
    return Has(text.size(), tokens_.size());
  }

 private:
  using Set = std::array<std::uint64_t, kPatternBytesMax / 64 + 1>;

  bool Has(std::size_t at, std::size_t position) const {
    return (ring_[at % ring_.size()][position / 64] >> (position % 64) & 1) != 0;
  }
  void Mark(std::size_t at, std::size_t position) {
    ring_[at % ring_.size()][position / 64] |= std::uint64_t{1} << (position % 64);
  }

  // `position` is possible at `at`, and so is what follows it where it may match nothing.
  void Enter(std::size_t at, std::size_t position) {
    Mark(at, position);
    while (position < tokens_.size() && tokens_[position].kind != Kind::kByte &&
           tokens_[position].kind != Kind::kOne) {
      Mark(at, ++position);
    }
  }

  void Step(std::size_t position, std::string_view text, std::size_t at) {
    if (position == tokens_.size()) return;
    const Token token = tokens_[position];
    const char byte = text[at];
    if (token.kind == Kind::kByte) {
      if (byte == token.byte) Enter(at + 1, position + 1);
      return;
    }
    const std::size_t next = at + CharacterLength(text.substr(at));
    switch (token.kind) {
      case Kind::kOne:
        if (byte != '/') Enter(next, position + 1);
        return;
      case Kind::kStar:
        if (byte != '/') Enter(next, position);
        return;
      case Kind::kAny: Enter(next, position); return;
      case Kind::kSegments:
        // Within a segment it cannot end; after one it can.
        if (byte == '/') {
          Enter(next, position);
        } else {
          Mark(next, position);
        }
        return;
      case Kind::kByte: return;
    }
  }

  const std::vector<Token>& tokens_;
  const std::size_t words_;
  std::array<Set, kUtf8BytesMax + 1> ring_;
};

Glob::Glob(std::string_view pattern) : pattern_(pattern) {
  if (pattern.empty()) throw Error(ErrorKind::kConfig, "a pattern is empty");
  if (pattern.size() > kPatternBytesMax) {
    throw Error(ErrorKind::kConfig, "the pattern " + EscapeBytes(pattern.substr(0, 60)) +
                                        "... is longer than " + std::to_string(kPatternBytesMax) +
                                        " bytes");
  }
  Compile();
}

void Glob::Compile() {
  std::vector<Token> tokens;
  bool segment_begins = true;
  for (std::size_t i = 0; i < pattern_.size(); ++i) {
    Token token{Kind::kByte, pattern_[i]};
    if (pattern_[i] == '*') {
      const std::size_t stars = std::min(pattern_.find_first_not_of('*', i), pattern_.size()) - i;
      token.kind = stars == 1 ? Kind::kStar : Kind::kAny;
      i += stars - 1;
      if (stars > 1 && segment_begins && pattern_.substr(i + 1, 1) == "/") {
        token.kind = Kind::kSegments;
        ++i;
      }
    } else if (pattern_[i] == '?') {
      token.kind = Kind::kOne;
    } else if (pattern_[i] == '\\') {
      if (++i == pattern_.size()) {
        throw Error(ErrorKind::kConfig, "the pattern " + EscapeBytes(pattern_) +
                                            " ends in a backslash that escapes nothing");
      }
      token.byte = pattern_[i];
    }
    const bool slash = token.kind == Kind::kByte && token.byte == '/';
    segment_begins = slash || token.kind == Kind::kSegments;
    whole_rest_ = whole_rest_ || segment_begins;
    // **/**/ says no more than **/; one of them keeps what follows a wildcard that matches
    // nothing within two positions.
    const bool repeated =
        token.kind == Kind::kSegments && !tokens.empty() && tokens.back().kind == Kind::kSegments;
    if (!repeated) tokens.push_back(token);
  }
  SplitLiteralEnds(std::move(tokens));
}

// Most patterns are a wildcard with a literal before or behind it, and most keys differ there: two
// comparisons decide, and only the rest is stepped through.
void Glob::SplitLiteralEnds(std::vector<Token> tokens) {
  const auto wild = [](const Token& token) { return token.kind != Kind::kByte; };
  const auto first = std::find_if(tokens.begin(), tokens.end(), wild);
  const auto last = std::find_if(tokens.rbegin(), std::make_reverse_iterator(first), wild).base();
  for (auto token = tokens.begin(); token != first; ++token) head_ += token->byte;
  for (auto token = last; token != tokens.end(); ++token) tail_ += token->byte;
  tokens_.assign(first, last);
}

bool Glob::Matches(std::string_view rest) const {
  std::string_view text = whole_rest_ ? rest : LastSegment(rest);
  if (IsLiteral()) return text == head_;
  if (text.size() < head_.size() + tail_.size()) return false;
  if (!text.starts_with(head_) || !text.ends_with(tail_)) return false;
  text.remove_prefix(head_.size());
  text.remove_suffix(tail_.size());
  if (tokens_.size() == 1) {
    if (tokens_.front().kind == Kind::kAny) return true;
    if (tokens_.front().kind == Kind::kStar) return text.find('/') == std::string_view::npos;
  }
  return Matcher(tokens_).Run(text);
}

}  // namespace ferry
