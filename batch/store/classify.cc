#include "batch/store/classify.h"

#include <curl/curl.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ferry {
namespace {

struct CodeMeaning {
  std::string_view code;
  ErrorKind kind;
};

// Sorted by code, so that it can be searched and a second entry shows.
// Retryable ones: botocore standard.py and throttling lists, minio-go retryableS3Codes. OSS:
// help/en/ oss/support/http-status-codes; COS: tencentcloud.com/document/product/436/7730.
constexpr CodeMeaning kCodes[] = {
    {"AccessDenied", ErrorKind::kDenied},
    {"AccountProblem", ErrorKind::kDenied},
    {"AllAccessDisabled", ErrorKind::kDenied},
    {"AuthFailure", ErrorKind::kCredentials},
    {"AuthorizationHeaderMalformed", ErrorKind::kCredentials},
    {"BadDigest", ErrorKind::kCorrupt},  // what arrived is not what was hashed
    {"BandwidthLimitExceeded", ErrorKind::kThrottled},
    {"BucketAlreadyExists", ErrorKind::kConflict},
    {"BucketAlreadyOwnedByYou", ErrorKind::kConflict},
    {"ConditionalRequestConflict", ErrorKind::kConflict},
    {"DownloadTrafficRateLimitExceeded", ErrorKind::kThrottled},  // OSS, this and QpsLimit...
    {"EC2ThrottledException", ErrorKind::kThrottled},
    {"EntityTooLarge", ErrorKind::kInvalid},
    {"EntityTooSmall", ErrorKind::kInvalid},
    {"ExpiredToken", ErrorKind::kCredentials},
    {"ExpiredTokenException", ErrorKind::kCredentials},
    {"IncompleteBody", ErrorKind::kUnavailable},  // 400: the connection was cut on the way there
    {"IncompleteSignature", ErrorKind::kCredentials},
    {"InternalError", ErrorKind::kUnavailable},
    {"InvalidAccessKeyId", ErrorKind::kCredentials},
    {"InvalidClientTokenId", ErrorKind::kCredentials},
    {"InvalidDigest", ErrorKind::kCorrupt},
    {"InvalidObjectState", ErrorKind::kArchived},
    // The part is not there with that ETag: another attempt of it landed later.
    {"InvalidPart", ErrorKind::kConflict},
    {"InvalidPartOrder", ErrorKind::kConflict},
    {"InvalidRange", ErrorKind::kConflict},  // 416: shorter now than it was listed
    {"InvalidSecurity", ErrorKind::kCredentials},
    {"InvalidSecurityToken", ErrorKind::kCredentials},  // OSS
    {"InvalidSignatureException", ErrorKind::kCredentials},
    {"InvalidToken", ErrorKind::kCredentials},
    {"LimitExceededException", ErrorKind::kThrottled},
    {"MissingAuthenticationToken", ErrorKind::kCredentials},
    {"MissingSecurityHeader", ErrorKind::kInvalid},
    {"NoSuchBucket", ErrorKind::kNotFound},
    {"NoSuchKey", ErrorKind::kNotFound},
    {"NoSuchUpload", ErrorKind::kNotFound},
    {"NoSuchVersion", ErrorKind::kNotFound},
    {"NotImplemented", ErrorKind::kInvalid},
    {"NotSignedUp", ErrorKind::kCredentials},
    // Of the source of a copy.
    {"ObjectNotInActiveTierError", ErrorKind::kArchived},
    {"OperationAborted", ErrorKind::kUnavailable},      // 409, "try again"
    {"PathStyleDomainForbidden", ErrorKind::kInvalid},  // COS, 403
    {"PreconditionFailed", ErrorKind::kConflict},
    {"PriorRequestNotComplete", ErrorKind::kThrottled},
    {"ProvisionedThroughputExceededException", ErrorKind::kThrottled},
    {"QpsLimitExceeded", ErrorKind::kThrottled},
    {"QuotaExceeded", ErrorKind::kDenied},  // Ceph: bucket or user quota
    {"RequestExpired", ErrorKind::kCredentials},
    {"RequestIsExpired", ErrorKind::kCredentials},  // COS
    {"RequestLimitExceeded", ErrorKind::kThrottled},
    {"RequestThrottled", ErrorKind::kThrottled},
    {"RequestThrottledException", ErrorKind::kThrottled},
    {"RequestTimeTooSkewed", ErrorKind::kCredentials},
    {"RequestTimeout", ErrorKind::kUnavailable},  // 400!
    {"RequestTimeoutException", ErrorKind::kUnavailable},
    {"SecondLevelDomainForbidden", ErrorKind::kInvalid},  // OSS, 403: by path
    {"SecurityTokenExpired", ErrorKind::kCredentials},    // OSS
    {"ServiceUnavailable", ErrorKind::kThrottled},        // AWS: "reduce your request rate"
    {"SignatureDoesNotMatch", ErrorKind::kCredentials},
    {"SlowDown", ErrorKind::kThrottled},
    {"SlowDownRead", ErrorKind::kThrottled},
    {"SlowDownWrite", ErrorKind::kThrottled},
    {"TokenRefreshRequired", ErrorKind::kCredentials},
    {"TooManyRequestsException", ErrorKind::kThrottled},
    {"TransactionInProgressException", ErrorKind::kThrottled},
    {"UnrecognizedClientException", ErrorKind::kCredentials},
    {"UploadTrafficRateLimitExceeded", ErrorKind::kThrottled},
    {"UserNetworkTooSlow", ErrorKind::kUnavailable},  // COS, 400
    {"XAmzContentSHA256Mismatch", ErrorKind::kCorrupt},
    {"XMinioStorageFull", ErrorKind::kUnavailable},  // 507: of the whole store, not of an object
};

constexpr bool IsSorted() {
  for (std::size_t i = 1; i < std::size(kCodes); ++i) {
    if (!(kCodes[i - 1].code < kCodes[i].code)) return false;
  }
  return true;
}
static_assert(IsSorted());

std::optional<ErrorKind> ClassifyCode(std::string_view code) {
  const auto* found =
      std::lower_bound(std::begin(kCodes), std::end(kCodes), code,
                       [](const CodeMeaning& entry, std::string_view c) { return entry.code < c; });
  if (found != std::end(kCodes) && found->code == code) return found->kind;
  // Throttling, ThrottlingException, ThrottledException
  if (code.starts_with("Throttl")) return ErrorKind::kThrottled;
  return std::nullopt;
}

std::optional<ErrorKind> ClassifyStatus(int status) {
  switch (status) {
    case 401:
    case 403: return ErrorKind::kDenied;
    case 404:
    case 410: return ErrorKind::kNotFound;
    case 304:  // old MinIO, for a failed If-Match
    case 409:
    case 412:
    case 416: return ErrorKind::kConflict;
    case 429:
    case 503:
    case 509: return ErrorKind::kThrottled;
    case 408:
    case 499:  // a proxy's "client closed the request"
      return ErrorKind::kUnavailable;
    case 501:
    case 505: return ErrorKind::kInvalid;
    default: break;
  }
  if (status >= 200 && status < 300) return std::nullopt;
  if (status >= 500 && status < 600) return ErrorKind::kUnavailable;
  if (status >= 300 && status < 500) return ErrorKind::kInvalid;
  return ErrorKind::kCorrupt;
}

bool IsCertificateError(int curl_code) {
  switch (curl_code) {
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT: return true;
    default: return false;
  }
}

}  // namespace

std::optional<ErrorKind> Classify(int status, std::string_view code, AnswerHints hints) {
  // 405 (of a version) and 404 (of the key): the object was deleted.
  if (hints.delete_marker && status >= 400) return ErrorKind::kNotFound;
  if (code.empty()) return ClassifyStatus(status);
  if (const auto kind = ClassifyCode(code)) return kind;
  return ClassifyStatus(status).value_or(ErrorKind::kUnavailable);
}

bool IsRegionError(int status, std::string_view code) {
  return status == 301 || status == 307 || code == "PermanentRedirect" ||
         code == "TemporaryRedirect" || code == "AuthorizationHeaderMalformed" ||
         code == "IllegalLocationConstraintException";
}

bool IsTokenError(std::string_view code) {
  return code == "ExpiredToken" || code == "ExpiredTokenException" || code == "InvalidToken" ||
         code == "TokenRefreshRequired" || code == "RequestExpired" ||
         code == "SecurityTokenExpired" || code == "InvalidSecurityToken";
}

bool IsClockError(std::string_view code) {
  return code == "RequestTimeTooSkewed" || code == "InvalidSignatureException" ||
         code == "SignatureDoesNotMatch";
}

ErrorKind ClassifyCurl(int curl_code) {
  if (IsCertificateError(curl_code)) return ErrorKind::kInvalid;
  switch (curl_code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer that is no HTTP; our URLs are http and https
    case CURLE_HTTP2:
    case CURLE_PARTIAL_FILE:
    case CURLE_UPLOAD_FAILED:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:  // mostly a reset within the handshake
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_AGAIN:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_NO_CONNECTION_AVAILABLE:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP3:
    case CURLE_QUIC_CONNECT_ERROR:
    case CURLE_PROXY: return ErrorKind::kUnavailable;
    case CURLE_WRITE_ERROR:
    case CURLE_READ_ERROR:
    case CURLE_ABORTED_BY_CALLBACK: return ErrorKind::kStopped;
    default: return ErrorKind::kInvalid;
  }
}

bool MeansOverload(const Error& error) {
  const RetryReason reason = ReasonToRetry(error);
  return reason == RetryReason::kThrottle || reason == RetryReason::kTimeout;
}

RetryReason ReasonToRetry(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kThrottled: return RetryReason::kThrottle;
    case ErrorKind::kUnavailable:
      if (error.code() == kTimedOut || error.code().starts_with("RequestTimeout")) {
        return RetryReason::kTimeout;
      }
      if (error.code() == kDisconnected || error.code() == "IncompleteBody") {
        return RetryReason::kNetwork;
      }
      return RetryReason::kServer;
    case ErrorKind::kCorrupt: return RetryReason::kChecksum;
    case ErrorKind::kConflict: return RetryReason::kChanged;
    case ErrorKind::kNotFound:
    case ErrorKind::kDenied:
    case ErrorKind::kCredentials:
    case ErrorKind::kArchived:
    case ErrorKind::kInDoubt:
    case ErrorKind::kInvalid:
    case ErrorKind::kConfig:
    case ErrorKind::kStopped: return RetryReason::kOther;
  }
  return RetryReason::kOther;
}

std::string_view AdviceForCode(std::string_view code) {
  static constexpr std::pair<std::string_view, std::string_view> kAdvice[] = {
      {"AccessDenied", "grant the action to this access key"},
      {"AuthorizationHeaderMalformed", "check the store's region"},
      {"ExpiredToken", "renew the session token"},
      {"IllegalLocationConstraintException", "check the store's region and endpoint"},
      {"InvalidAccessKeyId", "check the store's access key and endpoint"},
      {"InvalidObjectState", "restore the object from its archive first"},
      {"InvalidToken", "check the session token"},
      {"NoSuchBucket", "check the bucket's name, the region and the endpoint"},
      {"NoSuchUpload", "somebody aborted the upload; the next run begins it anew"},
      {"PathStyleDomainForbidden", "use addressing: virtual"},
      {"PermanentRedirect", "check the store's region and endpoint"},
      {"QuotaExceeded", "raise the quota of the bucket or user"},
      {"RequestTimeTooSkewed", "check the clock of this host"},
      {"SecondLevelDomainForbidden", "use addressing: virtual"},
      {"SecurityTokenExpired", "renew the session token"},
      {"SignatureDoesNotMatch", "check the store's secret key and the clock of this host"},
      {"XMinioStorageFull", "free space at the store"},
  };
  for (const auto& [known, advice] : kAdvice) {
    if (known == code) return advice;
  }
  return {};
}

std::string_view AdviceForCurl(int curl_code) {
  if (IsCertificateError(curl_code)) {
    return "the server's certificate is not trusted: check the endpoint's name and ca_file";
  }
  switch (curl_code) {
    case CURLE_COULDNT_RESOLVE_HOST: return "check the endpoint's name and this host's DNS";
    case CURLE_COULDNT_RESOLVE_PROXY: return "check the proxy's name";
    case CURLE_COULDNT_CONNECT:
      return "check that the endpoint is up and no firewall is in between";
    case CURLE_SSL_CONNECT_ERROR: return "check that the endpoint speaks TLS on this port";
    default: return {};
  }
}

}  // namespace ferry
