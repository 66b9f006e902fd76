// Copies that the store makes itself: where both ends of a task are buckets of one endpoint, no
// byte has to pass here.
//
// They prove as much as moving the bytes does, or they do not count:
//   - A whole object, where the ETag that the store answers is the MD5 that the source's ETag is.
//   - Parts, where they are cut as the source's own were and their MD5s, as the store answers them,
//     make the source's composite ETag. That is seen before Complete, so that no mixture of two
//     objects is ever put together, whatever a store thinks of pins.
// What a copy does not come to is moved the ordinary way, and that way finds out what is wrong with
// an object and on which side. So nothing is concluded from a copy that failed, but that the next
// one may not be worth asking for.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch/copy/object_copy.h"

namespace ferry {

// What this process found out about the server-side copies of one task. Shared by its lanes; any
// thread.
class ServerSideCopies {
 public:
  enum class Step { kObject, kPart, kComplete };

  // `task` is for log lines. The destination's store knows `source_bucket` by that name.
  ServerSideCopies(std::string task, std::string source_bucket)
      : task_(std::move(task)), source_bucket_(std::move(source_bucket)) {}

  const std::string& source_bucket() const { return source_bucket_; }
  bool MayCopyObjects() const { return !Over(Step::kObject); }
  bool MayCopyParts() const { return !Over(Step::kPart) && !Over(Step::kComplete); }

  void Succeeded(Step step) { failures_[Index(step)] = 0; }
  // The copy failed, and the object is fine: its bytes were moved. A refusal ends such copies for
  // this process, anything else does when it is all that comes.
  void Failed(Step step, const Error& error);

 private:
  static std::size_t Index(Step step) { return static_cast<std::size_t>(step); }
  bool Over(Step step) const { return over_[Index(step)]; }

  const std::string task_;
  const std::string source_bucket_;
  std::array<std::atomic<int>, 3> failures_{};  // in a row
  std::array<std::atomic<bool>, 3> over_{};
};

// Neither: a copy was not worth asking for.
template <typename T>
struct ByStore {
  std::optional<T> done;
  std::optional<Error> failed;  // for ServerSideCopies::Failed, once the bytes have been moved
};

// CopyObject, where it can be proven. Throws SideError: kConflict where the source is another one
// by now, and what says that the store has too much to do; Error{kStopped}.
Task<ByStore<Copied>> CopyByStore(Ends ends, ObjectToCopy object);

// UploadPartCopy, where the parts can be proven together. Throws as CopyByStore.
Task<ByStore<DonePart>> CopyPartByStore(Ends ends, ObjectToCopy object, PartToCopy part);

// The part size with which an upload of `head` may be copied part by part; nullopt: its bytes have
// to be moved, in parts of any size. `wanted_bytes` is what the operator set.
std::optional<std::uint64_t> PartBytesToCopy(const Ends& ends, const ObjectToCopy& object,
                                             const ObjectHead& head, std::uint64_t wanted_bytes);

// The parts that the store copied and that are not proven to be those of the source.
std::vector<std::uint32_t> UnprovenParts(const SourceIdentity& source,
                                         const std::vector<DonePart>& parts);

}  // namespace ferry
