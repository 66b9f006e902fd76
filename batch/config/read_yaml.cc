// ReadYaml: from bytes to the top of the value tree.

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <sstream>

#include "batch/base/error.h"
#include "batch/base/key.h"
#include "batch/config/bounded_file.h"
#include "batch/config/yaml_value.h"

namespace ferry::yaml {
namespace {

[[noreturn]] void Refuse(const Reading& reading, std::size_t line, const std::string& what) {
  throw Error(ErrorKind::kConfig, Shown(reading.file) + ":" + std::to_string(line) + ": " + what);
}

std::string_view Line(std::string_view text, std::size_t number) {
  for (std::size_t i = 1; i < number; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// yaml-cpp takes byte 4 for the end of the file, and a NUL at the front for UTF-16.
void CheckBytes(const Reading& reading, std::string_view text) {
  std::size_t number = 1;
  for (std::string_view rest = text; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    if (!IsUtf8(line)) Refuse(reading, number, "is not UTF-8");
    const bool control = std::any_of(line.begin(), line.end(), [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') || c == '\x7F';
    });
    if (control) Refuse(reading, number, "holds a control character");
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
}

// The parser's message, without what it quotes from the file, and with the cause that its message
// does not name. Flow style ends a plain text at { and }, which ${NAME} meets unquoted.
std::string Explain(const YAML::ParserException& error, std::string_view line) {
  if (dynamic_cast<const YAML::DeepRecursion*>(&error) != nullptr) return "nested too deeply";
  std::string what = error.msg.substr(0, error.msg.find(':'));
  const std::size_t indent = std::min(line.find_first_not_of(" \t"), line.size());
  if (line.substr(0, indent).find('\t') != std::string_view::npos) {
    what += " (a tab in the indentation: YAML wants spaces)";
  } else if (line.find("${") != std::string_view::npos &&
             line.find_first_of("{[") != line.find("${") + 1) {
    what += " (inside { } and [ ], write \"${NAME}\" with quotes)";
  }
  return "not YAML: " + what;
}

// Sees a document go by.
class Ignore final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// Not by LoadAll: before a token that begins no document ("," on the first line) it loads empty
// documents for ever.
bool HasSecondDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Ignore ignore;
  return parser.HandleNextDocument(ignore) && parser.HandleNextDocument(ignore);
}

YAML::Node Parse(const Reading& reading, const std::string& text) {
  try {
    YAML::Node node = YAML::Load(text);
    if (node.IsMap() && HasSecondDocument(text)) {
      Refuse(reading, 1, "holds more than one YAML document");
    }
    return node;
  } catch (const YAML::ParserException& error) {
    const auto line = static_cast<std::size_t>(std::max(error.mark.line, 0) + 1);
    const auto column = static_cast<std::size_t>(std::max(error.mark.column, 0) + 1);
    throw Error(ErrorKind::kConfig, Shown(reading.file) + ":" + std::to_string(line) + ":" +
                                        std::to_string(column) + ": " +
                                        Explain(error, Line(text, line)));
  } catch (const YAML::Exception& error) {
    Refuse(reading, static_cast<std::size_t>(std::max(error.mark.line, 0) + 1), "not YAML");
  }
}

}  // namespace

Value ReadYaml(Reading& reading) {
  const std::string text = ReadBoundedFile(reading.file, kConfigBytesMax, ErrorKind::kConfig);
  CheckBytes(reading, text);
  const YAML::Node node = Parse(reading, text);
  if (!node.IsDefined() || node.IsNull()) {
    const bool blank = text.find_first_not_of(" \t\r\n") == std::string::npos;
    Refuse(reading, 1, blank ? "the file is empty" : "the file holds no keys");
  }
  if (!node.IsMap()) Refuse(reading, 1, "the file must be a map of keys and values");
  return Value(reading, node, "", 1);
}

}  // namespace ferry::yaml
