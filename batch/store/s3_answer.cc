#include "batch/store/s3_answer.h"

#include <algorithm>
#include <utility>

#include "batch/base/error.h"
#include "batch/base/key.h"
#include "batch/store/classify.h"
#include "batch/store/plain_xml.h"
#include "batch/store/s3_values.h"

namespace ferry {
namespace {

constexpr std::size_t kErrorBodyBytesMax = 1024 * 1024;
constexpr std::size_t kMessageBytesMax = 300;

// Fields of an error, at whatever depth: STS and CloudFront wrap theirs in ErrorResponse.
void TakeErrorField(std::string_view name, std::string_view text, S3Error& error) {
  static constexpr std::pair<std::string_view, std::string S3Error::*> kFields[] = {
      {"Code", &S3Error::code},
      {"Message", &S3Error::message},
      {"Resource", &S3Error::resource},
      {"BucketName", &S3Error::bucket},
      {"Bucket", &S3Error::bucket},
      {"RequestId", &S3Error::request_id},
      {"HostId", &S3Error::host_id},
      {"Region", &S3Error::region},
      {"Endpoint", &S3Error::endpoint},
      {"StorageClass", &S3Error::storage_class},
      {"ServerTime", &S3Error::server_time},
  };
  for (const auto& [field_name, member] : kFields) {
    if (name == field_name) error.*member = text;
  }
}

bool IsErrorRoot(std::string_view name) { return name == "Error" || name == "ErrorResponse"; }

class ErrorVisitor final : public XmlVisitor {
 public:
  S3Error error;
  bool is_error = false;

  void OnStart(std::size_t depth, std::string_view name) override {
    if (depth == 1) is_error = IsErrorRoot(name);
  }
  void OnEnd(std::size_t depth, std::string_view name, std::string_view text) override {
    if (depth > 1 && is_error) TakeErrorField(name, text, error);
  }
};

}  // namespace

std::optional<S3Error> ParseErrorBody(std::string_view body) {
  ErrorVisitor visitor;
  try {
    WalkXml(body.substr(0, kErrorBodyBytesMax), visitor);
  } catch (const Error&) {
    // Cut or not XML: what was read so far is all there is.
  }
  if (visitor.error.code.empty()) return std::nullopt;
  return std::move(visitor.error);
}

void AnswerVisitor::Read(std::string_view body) {
  WalkXml(body, *this);
  ThrowIfError();
}

bool AnswerVisitor::ReadPlain(std::string_view body) {
  if (!WalkPlainXml(body, *this)) return false;
  ThrowIfError();
  return true;
}

void AnswerVisitor::ThrowIfError() const {
  if (!is_error_) return;
  const std::string code = error_.code.empty() ? "UnknownError" : error_.code;
  const std::string_view message = std::string_view(error_.message).substr(0, kMessageBytesMax);
  throw Error(Classify(200, code).value(), code + ": " + EscapeBytes(message), code);
}

void AnswerVisitor::OnStart(std::size_t depth, std::string_view name) {
  if (depth == 1) {
    is_error_ = IsErrorRoot(name);
    if (!is_error_ && std::find(roots_.begin(), roots_.end(), name) == roots_.end()) {
      throw Error(ErrorKind::kUnavailable, "the answer is not a " + std::string(roots_.front()),
                  std::string(kMalformedAnswer));
    }
  } else if (!is_error_ && depth == 2) {
    section_ = name;
    Begin(name);
  }
}

void AnswerVisitor::OnEnd(std::size_t depth, std::string_view name, std::string_view text) {
  if (is_error_) {
    if (depth > 1) TakeErrorField(name, text, error_);
  } else if (depth == 2) {
    Field(name, text);
  } else if (depth == 3) {
    Inner(section_, name, text);
  } else if (depth > 3) {
    Deep(depth, name, text);
  }
}

bool HidesMd5(const Headers& headers) {
  return FindHeader(headers, "x-amz-server-side-encryption").starts_with("aws:kms") ||
         !FindHeader(headers, "x-amz-server-side-encryption-customer-algorithm").empty();
}

bool AnswerBool(std::string_view text) {
  if (text == "true" || text == "True") return true;
  if (text == "false" || text == "False") return false;
  throw Error(ErrorKind::kCorrupt, "IsTruncated is neither true nor false");
}

std::int64_t AnswerTime(std::string_view text) {
  const auto time = ParseIso8601(text);
  if (!time) throw Error(ErrorKind::kCorrupt, "the answer holds a time that is none");
  return *time;
}

std::string NeededText(std::string text, std::string_view what) {
  if (text.empty()) throw Error(ErrorKind::kCorrupt, "the answer lacks " + std::string(what));
  return text;
}

}  // namespace ferry
