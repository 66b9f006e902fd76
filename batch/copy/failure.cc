#include "batch/copy/failure.h"

namespace ferry {

Meaning Judge(const Error& error, std::optional<Side> side) {
  // The bucket itself: every object would fail the same way.
  if (error.code() == "NoSuchBucket") return Meaning::kRunOver;
  switch (error.kind()) {
    case ErrorKind::kStopped: return Meaning::kStopped;
    case ErrorKind::kThrottled:
    case ErrorKind::kUnavailable: return Meaning::kEndpoint;
    case ErrorKind::kCredentials:
    case ErrorKind::kConfig: return Meaning::kRunOver;
    case ErrorKind::kArchived: return side == Side::kSource ? Meaning::kArchived : Meaning::kObject;
    case ErrorKind::kNotFound: {
      const bool object_gone = error.code() == "NoSuchKey" || error.code() == "NoSuchVersion";
      return side == Side::kSource && object_gone ? Meaning::kVanished : Meaning::kObject;
    }
    case ErrorKind::kDenied:
    case ErrorKind::kInvalid: return Meaning::kFutile;
    case ErrorKind::kConflict:
    case ErrorKind::kCorrupt:
    case ErrorKind::kInDoubt: return Meaning::kObject;
  }
  return Meaning::kObject;
}

std::string Describe(const Error& error, std::optional<Side> side, int attempt) {
  std::string text = error.what();
  const bool changed = side == Side::kSource && error.kind() == ErrorKind::kConflict;
  if (!changed || error.code() == kKeptChanging) return text;
  if (attempt == 1) return "the source changed while it was copied: " + text;
  return "the source kept changing while it was copied: " + text;
}

}  // namespace ferry
