// Values of a YAML file that know where they stand.
//
// ReadYaml parses; a Value is one node with its key path and line; a Map is a node whose keys were
// held against the known ones. Whatever is wrong is thrown as Error{kConfig}
// "FILE:LINE: KEY: what". Text goes into an error as the file has it (${NAME} unfilled), and only
// for values that may be shown.
#pragma once

#include <yaml-cpp/yaml.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/config/environment.h"
#include "batch/config/load_config.h"
#include "batch/config/secret.h"

namespace ferry::yaml {

inline constexpr std::size_t kConfigBytesMax = 1024 * 1024;
inline constexpr std::size_t kExpandedBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kEntriesMax = 1000;

// What all values of one file share; it must outlive them.
struct Reading {
  std::filesystem::path file;
  const Environment& environment;
  CredentialUse credentials = CredentialUse::kNeeded;
  // An alias costs a few bytes and stands for any number: what is read is counted, not the file.
  std::size_t bytes_left = kExpandedBytesMax;
};

template <typename T>
struct Range {
  T min;
  T max;
};

class Map;

class Value {
 public:
  Value(Reading& reading, const YAML::Node& node, std::string path, int line)
      : reading_(&reading), node_(node), path_(std::move(path)), line_(line) {}

  [[noreturn]] void Fail(const std::string& what) const;

  // Any text, also none, with ${} filled in.
  std::string AnyText() const;
  // At least one character, no control characters.
  std::string Text() const;
  // As Text, at most `bytes_max`, of [A-Za-z0-9] and the characters of `also`.
  std::string Word(std::size_t bytes_max, std::string_view also) const;
  // As Word, without capitals.
  std::string LowerWord(std::size_t bytes_max, std::string_view also) const;
  // Unfilled and empty where credentials are left out; else without blanks, and maybe empty.
  Secret SecretText() const;
  // A relative path starts at the file's folder.
  std::filesystem::path Path() const;
  bool Bool() const;
  std::uint64_t Integer(Range<std::uint64_t> range) const;
  std::uint64_t Size(Range<std::uint64_t> range) const;
  std::chrono::milliseconds Duration(Range<std::chrono::milliseconds> range) const;
  // The index of this text in `names`.
  std::size_t Choice(std::span<const std::string_view> names) const;
  std::vector<std::string> Texts(std::size_t count_max) const;

  bool IsMap() const { return node_.IsMap(); }
  bool IsList() const { return node_.IsSequence(); }
  std::vector<Value> List(std::size_t count_max) const;
  Map Keys(std::initializer_list<std::string_view> known) const;
  // A map whose keys are names, [A-Za-z0-9_-], at most 40.
  std::vector<std::pair<std::string, Value>> Named(std::size_t count_max) const;

  // One entry of a map whose other keys are checked later: which are known depends on it.
  Value Lookup(std::string_view key) const;
  std::optional<Value> Find(std::string_view key) const;

  // The text as the file has it, quoted and shortened, for errors.
  std::string Shown() const;
  const Reading& reading() const { return *reading_; }

 private:
  const std::string& RawText() const;
  void Spend(std::size_t bytes) const;
  std::vector<std::pair<std::string, Value>> Entries() const;
  Value Entry(const YAML::Node& key, const YAML::Node& value) const;

  Reading* reading_;
  YAML::Node node_;
  std::string path_;
  int line_;
};

class Map {
 public:
  Map(Value whole, std::vector<std::pair<std::string, Value>> entries)
      : whole_(std::move(whole)), entries_(std::move(entries)) {}

  std::optional<Value> Find(std::string_view key) const;
  Value Need(std::string_view key) const;
  bool Has(std::string_view key) const { return Find(key).has_value(); }
  const Value& whole() const { return whole_; }

 private:
  Value whole_;
  std::vector<std::pair<std::string, Value>> entries_;
};

// The one document of a file, a map. Throws also for a file that is empty, holds several documents,
// is not UTF-8 or holds control characters.
Value ReadYaml(Reading& reading);

}  // namespace ferry::yaml
