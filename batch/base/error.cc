#include "batch/base/error.h"

namespace ferry {

std::string_view ToString(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kThrottled: return "throttled";
    case ErrorKind::kUnavailable: return "unavailable";
    case ErrorKind::kConflict: return "conflict";
    case ErrorKind::kNotFound: return "not_found";
    case ErrorKind::kDenied: return "denied";
    case ErrorKind::kCredentials: return "credentials";
    case ErrorKind::kArchived: return "archived";
    case ErrorKind::kCorrupt: return "corrupt";
    case ErrorKind::kInDoubt: return "in_doubt";
    case ErrorKind::kInvalid: return "invalid";
    case ErrorKind::kConfig: return "config";
    case ErrorKind::kStopped: return "stopped";
  }
  return "unknown";
}

}  // namespace ferry
