#include "batch/copy/restore.h"

#include <fmt/format.h>

#include "batch/base/human.h"
#include "batch/copy/examine.h"

namespace ferry {
namespace {

// Of API_RestoreObject: of this class Days may not be said.
constexpr std::string_view kAutomaticClass = "INTELLIGENT_TIERING";

SideError Said(std::string text) {
  return {Side::kSource, Error(ErrorKind::kArchived, std::move(text), std::string(kBeingRestored))};
}

}  // namespace

void CheckReadable(const ObjectHead& head) {
  if (!head.archived) return;
  throw SideError(Side::kSource,
                  Error(ErrorKind::kArchived,
                        fmt::format("the object is in the archive class {} and must be restored "
                                    "first",
                                    EscapeBytes(head.storage_class))));
}

Task<SideError> AskForRestoring(Ends ends, ObjectToCopy object, SideError archived) {
  if (ends.restore == nullptr) co_return archived;
  const std::string version = PinnedVersion(ends, object.source);
  const ObjectHead head = co_await On(Side::kSource, ends.source.Head(object.source_key, version));
  if (head.being_restored) co_return Said("the object is being restored from its archive");
  if (!head.archived) {
    co_return SideError(Side::kSource, Error(ErrorKind::kConflict, "it can be read by now"));
  }
  RestoreRequest request;
  request.key = object.source_key;
  request.version_id = version;
  request.tier = ends.restore->tier;
  if (head.storage_class != kAutomaticClass) request.days = ends.restore->days;
  co_await On(Side::kSource, ends.source.Restore(request));
  const std::string days = request.days > 0 ? fmt::format(", {} days", request.days) : "";
  co_return Said(
      fmt::format("its restoring was asked for ({}{}); a later run copies it", request.tier, days));
}

}  // namespace ferry
