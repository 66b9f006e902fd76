// What answers of S3 share: <Error>, alone or in place of an XML answer, and what headers say.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/base/error.h"
#include "batch/store/http.h"
#include "batch/store/s3_values.h"
#include "batch/store/xml_reader.h"

namespace ferry {

struct S3Error {
  std::string code;  // "NoSuchKey"
  std::string message;
  std::string resource;
  std::string bucket;
  std::string request_id;
  std::string host_id;
  std::string region;         // AuthorizationHeaderMalformed, PermanentRedirect: the right one
  std::string endpoint;       // PermanentRedirect
  std::string storage_class;  // InvalidObjectState
  std::string server_time;    // RequestTimeTooSkewed
};

// nullopt for anything that is not an <Error> with a code: JSON or HTML of a proxy, an empty or cut
// body. What stood before a cut is used once <Code> was complete. Never throws.
std::optional<S3Error> ParseErrorBody(std::string_view body);

// Reads an answer with an expected root; one subclass per answer (s3_xml.cc). Elements below depth
// 1 come as the calls below; unknown ones come too and are to be ignored.
class AnswerVisitor : public XmlVisitor {
 public:
  // The roots that are this answer; the first one names it in errors.
  explicit AnswerVisitor(std::vector<std::string_view> roots) : roots_(std::move(roots)) {}

  // Throws what s3_xml.h says.
  void Read(std::string_view body);
  // The same, faster, of an answer that is plain (plain_xml.h). False: it is not, and what was read
  // of it is to be thrown away.
  bool ReadPlain(std::string_view body);

  void OnStart(std::size_t depth, std::string_view name) final;
  void OnEnd(std::size_t depth, std::string_view name, std::string_view text) final;

 protected:
  // A child of the root begins; it ended, with its text; a child of the child `section` ended;
  // something deeper ended.
  virtual void Begin(std::string_view) {}
  virtual void Field(std::string_view, std::string_view) {}
  virtual void Inner(std::string_view /*section*/, std::string_view, std::string_view) {}
  virtual void Deep(std::size_t, std::string_view, std::string_view) {}

 private:
  void ThrowIfError() const;

  const std::vector<std::string_view> roots_;
  bool is_error_ = false;
  S3Error error_;
  std::string section_;
};

// Complete and copies think before they answer; S3 sends white space meanwhile.
inline constexpr std::chrono::seconds kLongAnswerTimeout{600};

// KMS or SSE-C, in the headers of an answer: its ETag says nothing about the bytes.
bool HidesMd5(const Headers& headers);

// Values in an answer. Throw Error{kCorrupt} for what is none.
template <typename Number>
Number AnswerNumber(std::string_view text, std::string_view what) {
  if (const auto number = ParseNumber<Number>(text)) return *number;
  throw Error(ErrorKind::kCorrupt, "the answer holds no number as " + std::string(what));
}
bool AnswerBool(std::string_view text);
std::int64_t AnswerTime(std::string_view text);
std::string NeededText(std::string text, std::string_view what);  // not empty

}  // namespace ferry
