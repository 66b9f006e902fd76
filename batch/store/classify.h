// What an answer of a store means. The only place where status codes, S3 error codes and curl
// codes become decisions.
//
// Sources: botocore retries/standard.py, minio-go retry.go, Amazon's "Error responses", and the
// pages of single operations (HeadObject, CompleteMultipartUpload).
#pragma once

#include <optional>
#include <string_view>

#include "batch/base/error.h"
#include "batch/base/measures.h"

namespace ferry {

struct AnswerHints {
  bool delete_marker = false;  // x-amz-delete-marker: true
};

// nullopt: success (2xx without a code). `code` is the <Code> of an error body, or of a header
// (x-minio-error-code), and decides before the status: RequestTimeout is a 400, SlowDown comes
// under a 200. An unknown code under a 2xx is like a 500.
//
// Left to the caller, who knows more: a 206 with the right range, one correction of a region
// (IsRegionError), one refresh of a token (IsTokenError), a HEAD's 400 or 403 without a body, which
// a GET of bytes 0-0 explains.
std::optional<ErrorKind> Classify(int status, std::string_view code, AnswerHints hints = {});

// Worth one new try with the region that x-amz-bucket-region or <Region> names: 301, 307,
// AuthorizationHeaderMalformed and the like.
bool IsRegionError(int status, std::string_view code);

// Worth one new try with credentials read anew: ExpiredToken and the like.
bool IsTokenError(std::string_view code);

// Worth one new try with the clock offset of the answer's Date header.
bool IsClockError(std::string_view code);

// What a CURLcode other than CURLE_OK means. A certificate that cannot be verified is kInvalid:
// trying again cannot help, and not verifying is no option. What our own callbacks ended is
// kStopped.
ErrorKind ClassifyCurl(int curl_code);

// code() of an error of our own making: nothing came within the time a request has.
inline constexpr std::string_view kTimedOut = "TimedOut";

// And: no connection was made, or it broke before the answer was whole.
inline constexpr std::string_view kDisconnected = "Disconnected";
// And: the other end of the copy failed, and this one's request was broken off for it.
inline constexpr std::string_view kBrokenOff = "BrokenOff";

// Whether the store has more to do than it can: then fewer requests at a time are the answer.
bool MeansOverload(const Error& error);

// What a further attempt at something that failed so is counted as.
RetryReason ReasonToRetry(const Error& error);

// What an operator can do about it, a short clause ("check the clock of this host"); empty where
// there is nothing to say.
std::string_view AdviceForCode(std::string_view code);
std::string_view AdviceForCurl(int curl_code);

}  // namespace ferry
