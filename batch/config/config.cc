#include "batch/config/config.h"

#include <algorithm>

#include "batch/base/check.h"

namespace ferry {

const StoreConfig& Config::Store(std::string_view name) const {
  const auto found = std::find_if(stores.begin(), stores.end(),
                                  [&](const StoreConfig& store) { return store.name == name; });
  FERRY_CHECK(found != stores.end());
  return *found;
}

const TaskConfig* Config::FindTask(std::string_view name) const {
  const auto found = std::find_if(tasks.begin(), tasks.end(),
                                  [&](const TaskConfig& task) { return task.name == name; });
  return found == tasks.end() ? nullptr : &*found;
}

std::string_view ToString(ProviderName provider) {
  switch (provider) {
    case ProviderName::kAws: return "aws";
    case ProviderName::kMinio: return "minio";
    case ProviderName::kCeph: return "ceph";
    case ProviderName::kS3: return "s3";
  }
  return "unknown";
}

std::string_view ToString(Addressing addressing) {
  switch (addressing) {
    case Addressing::kAuto: return "auto";
    case Addressing::kPath: return "path";
    case Addressing::kVirtual: return "virtual";
  }
  return "unknown";
}

std::string_view ToString(AdoptMode adopt) {
  switch (adopt) {
    case AdoptMode::kTrust: return "trust";
    case AdoptMode::kVerify: return "verify";
    case AdoptMode::kCopy: return "copy";
  }
  return "unknown";
}

std::string_view ToString(VersionMode versions) {
  switch (versions) {
    case VersionMode::kLatest: return "latest";
    case VersionMode::kPinned: return "pinned";
    case VersionMode::kCompared: return "compared";
  }
  return "unknown";
}

std::string_view ToString(DeleteMode mode) {
  switch (mode) {
    case DeleteMode::kNever: return "never";
    case DeleteMode::kExtra: return "extra";
    case DeleteMode::kExtraAll: return "extra-all";
  }
  return "unknown";
}

}  // namespace ferry
