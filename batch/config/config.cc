#include "batch/config/config.h"

#include <algorithm>

#include "batch/base/check.h"

namespace ferry {

namespace {

template <typename Named>
const Named* Find(const std::vector<Named>& all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &Named::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

const StoreConfig& Config::Store(std::string_view name) const {
  const StoreConfig* const found = Find(stores, name);
  FERRY_CHECK(found != nullptr);
  return *found;
}

const TaskConfig* Config::FindTask(std::string_view name) const { return Find(tasks, name); }

const RefreshTarget* Config::FindRefreshTarget(std::string_view name) const {
  return Find(refresh_targets, name);
}

const NotifyTarget* Config::FindNotifyTarget(std::string_view name) const {
  return Find(notify_targets, name);
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
