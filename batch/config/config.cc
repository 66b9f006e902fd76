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

std::string_view ToString(Provider provider) {
  switch (provider) {
    case Provider::kAws:
      return "aws";
    case Provider::kMinio:
      return "minio";
    case Provider::kCeph:
      return "ceph";
    case Provider::kS3:
      return "s3";
  }
  return "unknown";
}

std::string_view ToString(Addressing addressing) {
  switch (addressing) {
    case Addressing::kAuto:
      return "auto";
    case Addressing::kPath:
      return "path";
    case Addressing::kVirtual:
      return "virtual";
  }
  return "unknown";
}

std::string_view ToString(Adopt adopt) {
  switch (adopt) {
    case Adopt::kTrust:
      return "trust";
    case Adopt::kVerify:
      return "verify";
    case Adopt::kCopy:
      return "copy";
  }
  return "unknown";
}

}  // namespace ferry
