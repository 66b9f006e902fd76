#include "batch/store/plain_xml.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace ferry {
namespace {

constexpr std::string_view kSpace = " \t\n";
constexpr std::string_view kDeclarations[] = {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
                                              "<?xml version=\"1.0\" encoding=\"utf-8\"?>"};
constexpr std::string_view kNamespace = " xmlns=\"";

constexpr std::pair<std::string_view, char> kEntities[] = {
    {"&quot;", '"'}, {"&#34;", '"'}, {"&amp;", '&'}, {"&apos;", '\''},
    {"&#39;", '\''}, {"&lt;", '<'},  {"&gt;", '>'}};

// Printable ASCII without "]", a tab or a line feed. Without "]" there is no "]]>", which no text
// may hold.
constexpr bool IsPlainByte(char c) {
  return (c >= ' ' && c < '\x7f' && c != ']') || c == '\t' || c == '\n';
}

// Eight bytes at a time, as "Bit Twiddling Hacks" finds a byte below n and a zero byte: false
// alarms, never a miss.
bool MayHoldOtherBytes(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = 0x80 * kOnes;
  const std::uint64_t controls = (eight - ' ' * kOnes) & ~eight;
  const std::uint64_t brackets = eight ^ (']' * kOnes);
  const std::uint64_t deletes = eight ^ (0x7f * kOnes);
  return ((eight | controls | ((brackets - kOnes) & ~brackets) | ((deletes - kOnes) & ~deletes)) &
          kHighs) != 0;
}

bool IsPlain(std::string_view body) {
  constexpr std::size_t kStep = sizeof(std::uint64_t);
  std::size_t at = 0;
  for (; at + kStep <= body.size(); at += kStep) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, body.data() + at, kStep);
    if (!MayHoldOtherBytes(eight)) continue;
    const std::string_view bytes = body.substr(at, kStep);
    if (!std::all_of(bytes.begin(), bytes.end(), IsPlainByte)) return false;
  }
  const std::string_view rest = body.substr(at);
  return std::all_of(rest.begin(), rest.end(), IsPlainByte);
}

constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class PlainWalk {
 public:
  PlainWalk(std::string_view body, XmlVisitor& visitor) : rest_(body), visitor_(visitor) {}

  bool Run() {
    SkipSpace();
    for (const std::string_view declaration : kDeclarations) {
      if (Take(declaration)) break;
    }
    SkipSpace();
    if (!TakeTag() || depth_ == 0) return false;  // an empty root says nothing
    while (depth_ > 0) {
      if (!TakeText() || !TakeTag()) return false;
    }
    SkipSpace();
    return rest_.empty();
  }

 private:
  bool Take(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }

  void SkipSpace() { rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size())); }

  // Up to the next tag.
  bool TakeText() {
    const std::size_t end = rest_.find('<');
    if (end == std::string_view::npos) return false;
    text_ = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (text_.size() > kXmlTextBytesMax) return false;
    return text_.find('&') == std::string_view::npos || ResolveEntities();
  }

  bool ResolveEntities() {
    resolved_.clear();
    std::string_view left = text_;
    while (true) {
      const std::size_t at = left.find('&');
      resolved_.append(left.substr(0, at));
      if (at == std::string_view::npos) break;
      left.remove_prefix(at);
      const auto* const entity =
          std::find_if(std::begin(kEntities), std::end(kEntities),
                       [&](const auto& known) { return left.starts_with(known.first); });
      if (entity == std::end(kEntities)) return false;
      resolved_ += entity->second;
      left.remove_prefix(entity->first.size());
    }
    text_ = resolved_;
    return true;
  }

  bool TakeTag() {
    if (!Take("<")) return false;
    const bool closes = Take("/");
    const std::string_view name = TakeName();
    if (name.empty()) return false;
    if (closes) return Take(">") && Close(name);
    if (Take("/>")) return Open(name) && Close(name);
    return (Take(">") || (TakeNamespace() && Take(">"))) && Open(name);
  }

  std::string_view TakeName() {
    std::size_t size = 0;
    while (size < rest_.size() && (IsLetter(rest_[size]) || (size > 0 && IsDigit(rest_[size])))) {
      ++size;
    }
    const std::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return name;
  }

  // Of an address: no entity, and nothing that would be a mistake in an attribute.
  bool TakeNamespace() {
    if (!Take(kNamespace)) return false;
    const std::size_t end = rest_.find('"');
    if (end == 0 || end == std::string_view::npos) return false;
    const std::string_view address = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return address.find_first_of("<&") == std::string_view::npos;
  }

  bool Open(std::string_view name) {
    if (depth_ == open_.size()) return false;
    open_[depth_++] = name;
    text_ = {};
    visitor_.OnStart(depth_, name);
    return true;
  }

  bool Close(std::string_view name) {
    if (depth_ == 0 || open_[depth_ - 1] != name) return false;
    visitor_.OnEnd(depth_, name, text_);
    text_ = {};
    --depth_;
    return true;
  }

  std::string_view rest_;
  XmlVisitor& visitor_;
  std::array<std::string_view, kXmlDepthMax> open_;
  std::size_t depth_ = 0;
  std::string_view text_;
  std::string resolved_;  // what text_ shows, where it had entities
};

}  // namespace

bool WalkPlainXml(std::string_view body, XmlVisitor& visitor) {
  return body.size() <= kXmlBytesMax && IsPlain(body) && PlainWalk(body, visitor).Run();
}

}  // namespace ferry
