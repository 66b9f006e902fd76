#include "batch/base/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <mutex>

#include "batch/base/mutex.h"

namespace ferry::log {
namespace {

std::atomic<Format> g_format{Format::kText};

// Writes whole lines to stderr and keeps the live status line below them.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void SetStatus(std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (!terminal_) return;
    Clear();
    status_ = text;
    Draw();
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    Clear();
    std::string line(message.payload.data(), message.payload.size());
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
    Draw();
  }
  void flush_() override { std::fflush(stderr); }

 private:
  // The cursor stands behind the last status line.
  void Clear() {
    if (status_.empty()) return;
    std::fputs("\r\x1b[K", stderr);
    for (const char c : status_) {
      if (c == '\n') std::fputs("\x1b[A\x1b[K", stderr);
    }
  }
  void Draw() {
    if (status_.empty()) return;
    std::fwrite(status_.data(), 1, status_.size(), stderr);
    std::fflush(stderr);
  }

  const bool terminal_ = isatty(STDERR_FILENO) == 1;
  std::string status_;
};

const std::shared_ptr<StderrSink>& Sink() {
  static const auto sink = std::make_shared<StderrSink>();
  return sink;
}

spdlog::logger& Logger() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("ferry", Sink());
    made->set_pattern("%v");
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view Name(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warn";
    case Level::kError: return "error";
  }
  return "info";
}

std::string Now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(now.tv_sec), now.tv_nsec / 1000000);
}

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string JsonLine(Level level, std::string_view message, Fields fields) {
  std::string line =
      "{\"time\":\"" + Now() + "\",\"level\":\"" + std::string(Name(level)) + "\",\"message\":";
  AppendJsonString(line, EscapeBytes(message));
  for (const Field& field : fields) {
    line += ",\"" + std::string(field.name) + "\":";
    if (const auto* text = std::get_if<std::string>(&field.value)) {
      // Valid UTF-8 goes as it is (JSON escapes control characters itself).
      AppendJsonString(line, IsUtf8(*text) ? *text : EscapeBytes(*text));
    } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
      line += std::to_string(*integer);
    } else {
      line += fmt::format("{:.6g}", std::get<double>(field.value));
    }
  }
  return line + "}";
}

std::string TextLine(Level level, std::string_view message, Fields fields) {
  std::string line = Now() + " " + fmt::format("{:<5} ", Name(level)) + EscapeBytes(message);
  for (const Field& field : fields) {
    line += " " + std::string(field.name) + "=";
    if (const auto* text = std::get_if<std::string>(&field.value)) {
      const std::string shown = EscapeBytes(*text);
      line += shown.empty() || shown.find(' ') != std::string::npos ? "\"" + shown + "\"" : shown;
    } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
      line += std::to_string(*integer);
    } else {
      line += fmt::format("{:.6g}", std::get<double>(field.value));
    }
  }
  return line;
}

}  // namespace

void Configure(Format format, Level level) {
  g_format = format;
  Logger().set_level(ToSpdlog(level));
}

bool Enabled(Level level) { return Logger().should_log(ToSpdlog(level)); }

void Write(Level level, std::string_view message, Fields fields) {
  if (!Enabled(level)) return;
  const std::string line = g_format == Format::kJson ? JsonLine(level, message, fields)
                                                     : TextLine(level, message, fields);
  Logger().log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
  if (level >= Level::kWarn) Logger().flush();
}

void SetStatus(std::string_view text) { Sink()->SetStatus(text); }

}  // namespace ferry::log
