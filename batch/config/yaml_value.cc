#include "batch/config/yaml_value.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "batch/base/error.h"
#include "batch/base/key.h"
#include "batch/config/credentials.h"
#include "batch/config/substitute.h"
#include "batch/config/suggestion.h"
#include "batch/config/units.h"

namespace ferry::yaml {
namespace {

constexpr std::size_t kShownBytesMax = 60;
constexpr std::size_t kNameBytesMax = 40;

bool IsWord(std::string_view text, std::string_view also) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           also.find(c) != std::string_view::npos;
  });
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; });
}

// "key:value" without a blank is one YAML key: the value behind it may be a secret, so only what
// looks like a key is ever shown.
std::string UnknownKey(std::string_view key, std::span<const std::string_view> known) {
  const std::string_view front = key.substr(0, key.find(':'));
  if (front.size() < key.size() && std::find(known.begin(), known.end(), front) != known.end()) {
    return "a blank is missing after \"" + std::string(front) + ":\"";
  }
  const bool showable = !key.empty() && key.size() <= 32 && IsWord(key, "_-");
  return "unknown key" + (showable ? " \"" + std::string(key) + "\"" : std::string()) + "; " +
         Suggest(key, known);
}

std::string_view TypeName(const YAML::Node& node) {
  if (node.IsMap()) return "a map";
  if (node.IsSequence()) return "a list";
  return node.IsScalar() ? "a text" : "nothing";
}

}  // namespace

void Value::Fail(const std::string& what) const {
  std::string where = EscapeBytes(reading_->file.native());
  where += ":" + std::to_string(line_) + ": ";
  if (!path_.empty()) where += path_ + ": ";
  throw Error(ErrorKind::kConfig, where + what);
}

void Value::Spend(std::size_t bytes) const {
  if (bytes >= reading_->bytes_left) {
    Fail("the file holds more than " + ShowSize(kExpandedBytesMax) +
         " of values once aliases and ${} are expanded");
  }
  reading_->bytes_left -= bytes + 1;
}

const std::string& Value::RawText() const {
  if (node_.IsNull()) Fail("has no value (an empty text is written \"\")");
  if (!node_.IsScalar()) Fail("must be a text, not " + std::string(TypeName(node_)));
  // "?" and "!": what YAML calls a plain and a quoted scalar. !!binary and the like would be
  // taken literally, which nobody means who writes them.
  const std::string& tag = node_.Tag();
  if (!tag.empty() && tag != "?" && tag != "!" && tag != "tag:yaml.org,2002:str") {
    Fail("has a YAML tag, which means nothing here");
  }
  return node_.Scalar();
}

std::string Value::Shown() const {
  const std::string& raw = node_.IsScalar() ? node_.Scalar() : std::string();
  std::string shown = EscapeBytes(raw.substr(0, kShownBytesMax));
  if (raw.size() > kShownBytesMax) shown += "...";
  return "\"" + shown + "\"";
}

std::string Value::AnyText() const {
  const std::string& raw = RawText();
  std::string text;
  try {
    text = Substitute(raw, reading_->environment);
  } catch (const Error& error) {
    Fail(error.what());
  }
  Spend(text.size());
  return text;
}

std::string Value::Text() const {
  std::string text = AnyText();
  if (text.empty()) Fail("is empty");
  if (HasControl(text)) Fail("holds a control character (a line break at its end?)");
  return text;
}

std::string Value::Word(std::size_t bytes_max, std::string_view also) const {
  std::string text = Text();
  if (text.size() > bytes_max) {
    Fail("is longer than " + std::to_string(bytes_max) + " characters");
  }
  if (!IsWord(text, also)) {
    Fail(Shown() + " holds other characters than letters, digits and " + std::string(also));
  }
  return text;
}

std::string Value::LowerWord(std::size_t bytes_max, std::string_view also) const {
  std::string text = Word(bytes_max, also);
  const bool capital =
      std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (capital) Fail(Shown() + " holds capitals");
  return text;
}

Secret Value::SecretText() const {
  if (reading_->credentials == CredentialUse::kLeftOut) {
    RawText();
    return Secret();
  }
  std::string text = AnyText();
  if (!IsSoundSecret(text)) Fail("holds a blank or a control character (a line break at its end?)");
  return Secret(std::move(text));
}

std::filesystem::path Value::Path() const {
  const std::filesystem::path path = Text();
  return path.is_absolute() ? path : (reading_->file.parent_path() / path).lexically_normal();
}

bool Value::Bool() const {
  const std::string text = Text();
  if (text != "true" && text != "false") Fail(Shown() + " is neither true nor false");
  return text == "true";
}

std::uint64_t Value::Integer(Range<std::uint64_t> range) const {
  const std::string text = Text();
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end || number < range.min || number > range.max) {
    Fail(Shown() + " is not a whole number from " + std::to_string(range.min) + " to " +
         std::to_string(range.max));
  }
  return number;
}

std::uint64_t Value::Size(Range<std::uint64_t> range) const {
  const auto size = ParseSize(Text());
  if (!size) Fail(Shown() + " is not a size such as 16MiB (B KiB MiB GiB TiB)");
  if (*size < range.min || *size > range.max) {
    Fail(Shown() + " is not within " + ShowSize(range.min) + ".." + ShowSize(range.max));
  }
  return *size;
}

std::chrono::milliseconds Value::Duration(Range<std::chrono::milliseconds> range) const {
  const auto duration = ParseDuration(Text());
  if (!duration) Fail(Shown() + " is not a time such as 90s (s m h d)");
  if (*duration < range.min || *duration > range.max) {
    Fail(Shown() + " is not within " + ShowDuration(range.min) + ".." + ShowDuration(range.max));
  }
  return *duration;
}

std::size_t Value::Choice(std::span<const std::string_view> names) const {
  const std::string text = Text();
  const auto found = std::find(names.begin(), names.end(), text);
  // The raw text decides the suggestion too: what was filled in may not be told apart by it.
  if (found == names.end()) Fail(Shown() + " is unknown; " + Suggest(RawText(), names));
  return static_cast<std::size_t>(found - names.begin());
}

std::vector<Value> Value::List(std::size_t count_max) const {
  if (!node_.IsSequence()) Fail("must be a list, not " + std::string(TypeName(node_)));
  if (node_.size() > count_max) {
    Fail("has more than " + std::to_string(count_max) + " entries");
  }
  std::vector<Value> values;
  values.reserve(node_.size());
  for (const YAML::Node& item : node_) {
    Spend(0);
    const std::string path = path_ + "[" + std::to_string(values.size()) + "]";
    values.emplace_back(*reading_, item, path,
                        item.Mark().is_null() ? line_ : item.Mark().line + 1);
  }
  return values;
}

std::vector<std::string> Value::Texts(std::size_t count_max) const {
  std::vector<std::string> texts;
  for (const Value& value : List(count_max)) texts.push_back(value.Text());
  return texts;
}

Value Value::Entry(const YAML::Node& key, const YAML::Node& value) const {
  const int line = key.Mark().is_null() ? line_ : key.Mark().line + 1;
  const bool showable =
      key.IsScalar() && key.Scalar().size() <= kNameBytesMax && IsWord(key.Scalar(), "_-");
  const std::string name = showable ? key.Scalar() : "?";
  return Value(*reading_, value, path_.empty() ? name : path_ + "." + name, line);
}

std::vector<std::pair<std::string, Value>> Value::Entries() const {
  if (!node_.IsMap()) {
    Fail("must be a map of keys and values, not " + std::string(TypeName(node_)));
  }
  std::vector<std::pair<std::string, Value>> entries;
  std::set<std::string> seen;
  for (const auto& pair : node_) {
    Value value = Entry(pair.first, pair.second);
    if (!pair.first.IsScalar()) value.Fail("a key must be a text");
    const std::string& key = pair.first.Scalar();
    Spend(key.size());
    if (!seen.insert(key).second) value.Fail("is given twice");
    entries.emplace_back(key, std::move(value));
  }
  return entries;
}

Map Value::Keys(std::initializer_list<std::string_view> known) const {
  auto entries = Entries();
  for (const auto& [key, value] : entries) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    Value here = value;
    here.path_ = path_;
    here.Fail(UnknownKey(key, std::span(known.begin(), known.size())));
  }
  return Map(*this, std::move(entries));
}

std::vector<std::pair<std::string, Value>> Value::Named(std::size_t count_max) const {
  auto entries = Entries();
  if (entries.size() > count_max) {
    Fail("has more than " + std::to_string(count_max) + " entries");
  }
  for (const auto& [name, value] : entries) {
    if (name.empty() || name.size() > kNameBytesMax || !IsWord(name, "_-")) {
      value.Fail("a name here is 1 to 40 letters, digits, _ and -");
    }
  }
  return entries;
}

Value Value::Lookup(std::string_view key) const { return Map(*this, Entries()).Need(key); }

std::optional<Value> Value::Find(std::string_view key) const {
  return Map(*this, Entries()).Find(key);
}

std::optional<Value> Map::Find(std::string_view key) const {
  for (const auto& [name, value] : entries_) {
    if (name == key) return value;
  }
  return std::nullopt;
}

Value Map::Need(std::string_view key) const {
  auto value = Find(key);
  if (!value) whole_.Fail("lacks \"" + std::string(key) + "\"");
  return *std::move(value);
}

}  // namespace ferry::yaml
