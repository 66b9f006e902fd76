// One exception type. What callers act on is its kind, not its class.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ferry {

enum class ErrorKind {
  kThrottled,    // retry later, send less
  kUnavailable,  // retry: timeout, reset, 5xx, database away
  kConflict,     // the other side moved (412, 409): re-read, then decide
  kNotFound,     // do not retry
  kDenied,       // this request is not allowed; others may be
  kCredentials,  // no request of this store can succeed: keys, signature, clock, token
  kArchived,     // the object must be restored before it can be read
  kCorrupt,      // checksum or protocol broken: what was read may not be used
  kInDoubt,      // a commit may or may not have happened; re-read first
  kInvalid,      // the other side refuses this request for good (other 4xx)
  kConfig,       // bad usage or configuration: nothing was contacted
  kStopped,      // a stop was requested
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& what, std::string code = {})
      : std::runtime_error(what), kind_(kind), code_(std::move(code)) {}

  ErrorKind kind() const noexcept { return kind_; }

  // The store's own error code ("NoSuchUpload"), or SQLSTATE; empty where there is none.
  const std::string& code() const noexcept { return code_; }

  // How long the other side asked to be left alone; zero where it did not say.
  std::chrono::milliseconds retry_after() const noexcept { return retry_after_; }
  void set_retry_after(std::chrono::milliseconds pause) noexcept { retry_after_ = pause; }

 private:
  ErrorKind kind_;
  std::string code_;
  std::chrono::milliseconds retry_after_{0};
};

// Worth trying again as it is, after a pause.
constexpr bool IsRetryable(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kThrottled:
    case ErrorKind::kUnavailable: return true;
    case ErrorKind::kConflict:
    case ErrorKind::kNotFound:
    case ErrorKind::kDenied:
    case ErrorKind::kCredentials:
    case ErrorKind::kArchived:
    case ErrorKind::kCorrupt:
    case ErrorKind::kInDoubt:
    case ErrorKind::kInvalid:
    case ErrorKind::kConfig:
    case ErrorKind::kStopped: return false;
  }  // no default: a new kind must be placed here by hand
  return false;
}

std::string_view ToString(ErrorKind kind);

}  // namespace ferry
