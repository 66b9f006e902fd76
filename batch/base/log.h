// Log lines for people (text) or programs (one JSON object a line), on stderr.
//
// A line is a short message and fields; field names are the words of the design (task, run, job,
// key, store, bucket, state). Levels go by who must act: error = an operator, now; warn = an
// operator, some day; info = nobody, milestones; debug = nobody, every object.
// All functions may be called from any thread. Values are escaped like keys; secrets never get
// here, because nothing that holds one can be turned into a field.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "batch/base/key.h"

namespace ferry::log {

enum class Level { kDebug, kInfo, kWarn, kError };
enum class Format { kText, kJson };

struct Field {
  Field(std::string_view field_name, std::string_view text)
      : name(field_name), value(std::string(text)) {}
  Field(std::string_view field_name, const char* text)
      : name(field_name), value(std::string(text)) {}
  Field(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  Field(std::string_view field_name, const Key& key) : name(field_name), value(key.bytes()) {}
  Field(std::string_view field_name, double number) : name(field_name), value(number) {}
  template <typename Integer>
  requires std::is_integral_v<Integer> Field(std::string_view field_name, Integer number)
      : name(field_name), value(static_cast<std::int64_t>(number)) {}

  std::string_view name;
  std::variant<std::string, std::int64_t, double> value;
};
using Fields = std::initializer_list<Field>;

// Before threads start. The default is text from level info.
void Configure(Format format, Level level);

bool Enabled(Level level);
void Write(Level level, std::string_view message, Fields fields);

inline void Debug(std::string_view message, Fields fields = {}) {
  if (Enabled(Level::kDebug)) Write(Level::kDebug, message, fields);
}
inline void Info(std::string_view message, Fields fields = {}) {
  Write(Level::kInfo, message, fields);
}
inline void Warn(std::string_view message, Fields fields = {}) {
  Write(Level::kWarn, message, fields);
}
inline void Error(std::string_view message, Fields fields = {}) {
  Write(Level::kError, message, fields);
}

// Live status lines on a terminal, separated by line feeds: the logger clears them before each log
// line and draws them again after. Empty text removes them. No effect when stderr is no terminal.
void SetStatus(std::string_view text);

}  // namespace ferry::log
