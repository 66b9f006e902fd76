// What is made of a body on its way, and what the answers of both sides then prove of it.
//
// Each side can be held to something: the destination to the checksum it keeps or to an ETag that
// is an MD5, the source to what the head of a whole object says. The cheapest that there is, is
// made; where one does for both sides, it is one.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "batch/base/digest.h"
#include "batch/copy/object_copy.h"

namespace ferry {

// Whether a destination whose provider keeps checksums answers any. Something between us and it, or
// a server that only resembles it, may not: then what is written later is proven by MD5. Shared by
// all that write there; any thread.
class ChecksumAnswers {
 public:
  // For the log line: "store:bucket".
  // `demanded`: by the task, which goes on asking.
  explicit ChecksumAnswers(std::string destination, bool demanded = false)
      : destination_(std::move(destination)), demanded_(demanded) {}

  bool expected() const { return !missing_; }
  void Missing();

 private:
  const std::string destination_;
  const bool demanded_;
  std::atomic<bool> missing_{false};
};

// Whether the task asks for the checksum of the destination, whatever it answers.
bool DemandsChecksum(const Ends& ends);

// What the destination will be held to: its checksum, or MD5.
DigestKind DigestForDestination(const Ends& ends);

// What is to be made of a whole body: `for_destination` first, and what the source says of it, if
// that is another one. `head` is the source's.
DigestKinds DigestsOfWhole(const Provider& source, const ObjectHead& head,
                           DigestKind for_destination);

// Holds what was read to what the source says of all of it, as far as that was made. Throws
// SideError{kCorrupt}.
void CheckRead(const Provider& source, const ObjectHead& head, const Digests& made);

// What an answer proves of the bytes that were sent, kProofChecksum or kProofEtag; nullopt:
// nothing. Throws SideError{kCorrupt} where it says that they are others. `made` is of one body.
std::optional<std::string_view> ProofByAnswer(const Ends& ends, const PutAnswer& answer,
                                              const Digests& made);

// Learns from what was answered of a whole object. Not of a part: there a store may keep silent.
void NoteChecksums(const Ends& ends, const Digests& answered);

// The rung that proves an object written by one PUT. `made` is not empty; `md5_up_front` says that
// the store was to check its MD5.
Task<std::string> ProveWhole(Ends& ends, const ObjectToCopy& object, const PutAnswer& answer,
                             const Digests& made, bool md5_up_front, Traffic& traffic);

}  // namespace ferry
