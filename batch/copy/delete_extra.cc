#include "batch/copy/delete_extra.h"

namespace ferry {
namespace {

bool SaysNoSuchKey(const Error& error) {
  return error.kind() == ErrorKind::kNotFound && error.code() == "NoSuchKey";
}

// Nothing: there is no such key, and the store said so in so many words.
Task<std::optional<ObjectHead>> Examine(ObjectStore& store, Side side, Key key) {
  bool archived = false;
  try {
    co_return co_await On(side, store.Head(key));
  } catch (const SideError& error) {
    if (error.kind() != ErrorKind::kArchived && !SaysNoSuchKey(error)) throw;
    archived = error.kind() == ErrorKind::kArchived;
  }
  // What would have to be restored is there.
  if (archived) co_return ObjectHead{};
  co_return std::nullopt;
}

// Lists know milliseconds, a head seconds.
bool SameSecond(std::int64_t one_ms, std::int64_t two_ms) {
  const auto second = [](std::int64_t ms) { return (ms >= 0 ? ms : ms - 999) / 1000; };
  return second(one_ms) == second(two_ms);
}

bool IsTarget(const ObjectHead& head, const DeleteTarget& target) {
  if (target.etag.empty() || head.etag != target.etag || head.size_bytes != target.size_bytes) {
    return false;
  }
  // What was not brought by us has no identity but the one it was listed with.
  if (target.kind == ExtraKind::kForeign)
    return SameSecond(head.last_modified_ms, target.modified_ms);
  return target.in_ledger;
}

}  // namespace

Task<DeleteOutcome> DeleteExtra(Ends ends, ObjectToDelete object) {
  // An empty key would name the bucket.
  if (object.source_key.empty() || object.destination_key.empty()) {
    throw Error(ErrorKind::kInvalid, "an empty key is never deleted");
  }
  const auto source = co_await Examine(ends.source, Side::kSource, object.source_key);
  if (source) co_return DeleteOutcome::kSourceHasIt;
  const auto there = co_await Examine(ends.destination, Side::kDestination, object.destination_key);
  if (!there) co_return DeleteOutcome::kAlreadyGone;
  if (!IsTarget(*there, object.target)) co_return DeleteOutcome::kChanged;
  if (!object.may_act()) throw Error(ErrorKind::kStopped, "the lease ran out before the delete");
  co_await On(Side::kDestination, ends.destination.Delete(object.destination_key));
  co_return DeleteOutcome::kDeleted;
}

std::string WhyNotDeleted(DeleteOutcome outcome) {
  switch (outcome) {
    case DeleteOutcome::kDeleted: break;
    case DeleteOutcome::kSourceHasIt: return "not deleted: the source has it again";
    case DeleteOutcome::kAlreadyGone:
      return "not deleted: it was gone already, by others or by an attempt whose end was not heard";
    case DeleteOutcome::kChanged:
      return "not deleted: the destination holds another object than the one that was listed";
  }
  return "";
}

}  // namespace ferry
