#include "batch/store/classify.h"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <string>

namespace ferry {
namespace {

using Kind = ErrorKind;
constexpr std::optional<ErrorKind> kSuccess;

std::string Text(std::optional<ErrorKind> kind) {
  return kind ? std::string(ToString(*kind)) : "success";
}

TEST(Classify, EveryAnswerWeHaveMet) {
  const struct {
    const char* what;
    int status;
    const char* code;
    std::optional<ErrorKind> kind;
  } cases[] = {
      {"plain success", 200, "", kSuccess},
      {"a range", 206, "", kSuccess},
      {"deleted", 204, "", kSuccess},
      {"error hidden under a 200", 200, "InternalError", Kind::kUnavailable},
      {"throttled under a 200", 200, "SlowDown", Kind::kThrottled},
      {"denied under a 200", 200, "AccessDenied", Kind::kDenied},
      {"unknown code under a 200 is a 500", 200, "Surprise", Kind::kUnavailable},
      {"throttled", 503, "SlowDown", Kind::kThrottled},
      {"throttled without a body", 503, "", Kind::kThrottled},
      {"throttled at 400", 400, "ThrottlingException", Kind::kThrottled},
      {"timeout at 400", 400, "RequestTimeout", Kind::kUnavailable},
      {"cut on the way there", 400, "IncompleteBody", Kind::kUnavailable},
      {"plain 500", 500, "", Kind::kUnavailable},
      {"an unknown 5xx of a proxy", 520, "", Kind::kUnavailable},
      {"never to be implemented", 501, "NotImplemented", Kind::kInvalid},
      {"never to be implemented, no body", 501, "", Kind::kInvalid},
      {"an operation under way", 409, "OperationAborted", Kind::kUnavailable},
      {"written meanwhile", 409, "ConditionalRequestConflict", Kind::kConflict},
      {"source changed", 412, "PreconditionFailed", Kind::kConflict},
      {"source changed, HEAD", 412, "", Kind::kConflict},
      {"source changed, old MinIO", 304, "", Kind::kConflict},
      {"source shrank", 416, "InvalidRange", Kind::kConflict},
      {"another attempt of the part landed", 400, "InvalidPart", Kind::kConflict},
      {"parts in the wrong order", 400, "InvalidPartOrder", Kind::kConflict},
      {"part too small", 400, "EntityTooSmall", Kind::kInvalid},
      {"upload aborted by another", 404, "NoSuchUpload", Kind::kNotFound},
      {"no object", 404, "NoSuchKey", Kind::kNotFound},
      {"no object, HEAD", 404, "", Kind::kNotFound},
      {"archived", 403, "InvalidObjectState", Kind::kArchived},
      {"one object denied", 403, "AccessDenied", Kind::kDenied},
      {"one object denied, HEAD", 403, "", Kind::kDenied},
      {"quota used up", 403, "QuotaExceeded", Kind::kDenied},
      {"no such access key", 403, "InvalidAccessKeyId", Kind::kCredentials},
      {"wrong secret key", 403, "SignatureDoesNotMatch", Kind::kCredentials},
      {"clock skew", 403, "RequestTimeTooSkewed", Kind::kCredentials},
      {"token is over", 400, "ExpiredToken", Kind::kCredentials},
      {"token is wrong", 400, "InvalidToken", Kind::kCredentials},
      {"token must be read anew", 400, "TokenRefreshRequired", Kind::kCredentials},
      {"another region", 400, "AuthorizationHeaderMalformed", Kind::kCredentials},
      {"the body was altered", 400, "BadDigest", Kind::kCorrupt},
      {"the body was altered, signed", 400, "XAmzContentSHA256Mismatch", Kind::kCorrupt},
      {"redirect is not an answer", 301, "PermanentRedirect", Kind::kInvalid},
      {"redirect, HEAD", 307, "", Kind::kInvalid},
      {"disk full", 507, "XMinioStorageFull", Kind::kUnavailable},
      {"delete marker by version, no hint", 405, "MethodNotAllowed", Kind::kInvalid},
      {"any other 400", 400, "InvalidArgument", Kind::kInvalid},
      {"any other 400, HEAD", 400, "", Kind::kInvalid},
      {"no status at all", 0, "", Kind::kCorrupt},
      {"informational only", 100, "", Kind::kCorrupt},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Text(Classify(c.status, c.code)), Text(c.kind)) << c.what;
  }
}

TEST(Classify, ADeleteMarkerIsNoObject) {
  const AnswerHints marker = {.delete_marker = true};
  EXPECT_EQ(Classify(404, "", marker), Kind::kNotFound);
  EXPECT_EQ(Classify(405, "MethodNotAllowed", marker), Kind::kNotFound);
  EXPECT_EQ(Classify(204, "", marker), kSuccess);  // a DELETE that wrote one
}

TEST(Classify, RetriesEveryCodeThatTheSdksRetry) {
  // botocore retries/standard.py: transient and throttled codes; minio-go retry.go:
  // retryableS3Codes. Not ExpiredToken of the latter, which needs another token first.
  for (const char* code :
       {"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete", "Throttling",
        "ThrottlingException", "ThrottledException", "RequestThrottledException",
        "RequestThrottled", "TooManyRequestsException", "ProvisionedThroughputExceededException",
        "TransactionInProgressException", "RequestLimitExceeded", "BandwidthLimitExceeded",
        "LimitExceededException", "SlowDown", "SlowDownRead", "SlowDownWrite",
        "EC2ThrottledException", "InternalError"}) {
    for (const int status : {200, 400, 500, 503}) {
      const auto kind = Classify(status, code);
      EXPECT_TRUE(kind && IsRetryable(*kind)) << code << " under " << status;
    }
  }
}

TEST(Classify, RetriesTheStatusesThatTheSdksRetryAndNoOther4xx) {
  const auto retries = [](int status) {
    const auto kind = Classify(status, "");
    return kind && IsRetryable(*kind);
  };
  for (const int status : {408, 429, 499, 500, 502, 503, 504, 509, 520}) {
    EXPECT_TRUE(retries(status)) << status;
  }
  for (int status = 400; status < 500; ++status) {
    if (status == 408 || status == 429 || status == 499) continue;
    EXPECT_FALSE(retries(status)) << status;
  }
  for (int status = 200; status < 300; ++status) EXPECT_EQ(Classify(status, ""), kSuccess);
}

TEST(Classify, TellsWhatOneCorrectionMayHeal) {
  EXPECT_TRUE(IsRegionError(301, ""));
  EXPECT_TRUE(IsRegionError(307, "TemporaryRedirect"));
  EXPECT_TRUE(IsRegionError(400, "AuthorizationHeaderMalformed"));
  EXPECT_TRUE(IsRegionError(400, "IllegalLocationConstraintException"));
  EXPECT_FALSE(IsRegionError(403, "AccessDenied"));
  EXPECT_TRUE(IsTokenError("ExpiredToken"));
  EXPECT_FALSE(IsTokenError("AccessDenied"));
  EXPECT_TRUE(IsClockError("RequestTimeTooSkewed"));
  EXPECT_FALSE(IsClockError("InvalidAccessKeyId"));
}

TEST(ClassifyCurl, RetriesTheNetworkButNoCertificate) {
  for (const int code :
       {CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT,
        CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
        CURLE_SSL_CONNECT_ERROR, CURLE_HTTP2_STREAM, CURLE_WEIRD_SERVER_REPLY}) {
    EXPECT_EQ(ClassifyCurl(code), Kind::kUnavailable) << code;
  }
  for (const int code :
       {CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE,
        CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS}) {
    EXPECT_EQ(ClassifyCurl(code), Kind::kInvalid) << code;
    EXPECT_NE(AdviceForCurl(code).find("certificate"), std::string_view::npos) << code;
  }
  EXPECT_EQ(ClassifyCurl(CURLE_ABORTED_BY_CALLBACK), Kind::kStopped);
  EXPECT_EQ(ClassifyCurl(CURLE_URL_MALFORMAT), Kind::kInvalid);
}

TEST(ReasonToRetry, TellsWhatWentWrong) {
  const struct {
    Error error;
    RetryReason reason;
  } cases[] = {
      {{Kind::kThrottled, "", "SlowDown"}, RetryReason::kThrottle},
      {{Kind::kUnavailable, "", std::string(kTimedOut)}, RetryReason::kTimeout},
      {{Kind::kUnavailable, "", "RequestTimeout"}, RetryReason::kTimeout},
      {{Kind::kUnavailable, "", std::string(kDisconnected)}, RetryReason::kNetwork},
      {{Kind::kUnavailable, "", "IncompleteBody"}, RetryReason::kNetwork},
      {{Kind::kUnavailable, "", "InternalError"}, RetryReason::kServer},
      {{Kind::kUnavailable, "HTTP 502"}, RetryReason::kServer},
      {{Kind::kCorrupt, "", "BadDigest"}, RetryReason::kChecksum},
      {{Kind::kConflict, "", "PreconditionFailed"}, RetryReason::kChanged},
      {{Kind::kInDoubt, ""}, RetryReason::kOther},
      {{Kind::kDenied, ""}, RetryReason::kOther},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(ToString(ReasonToRetry(c.error)), ToString(c.reason)) << c.error.code();
  }
}

TEST(Advice, IsGivenWhereAnOperatorCanAct) {
  EXPECT_EQ(AdviceForCode("RequestTimeTooSkewed"), "check the clock of this host");
  EXPECT_EQ(AdviceForCode("InternalError"), "");
  EXPECT_NE(AdviceForCurl(CURLE_COULDNT_RESOLVE_HOST), "");
  EXPECT_EQ(AdviceForCurl(CURLE_RECV_ERROR), "");
}

}  // namespace
}  // namespace ferry
