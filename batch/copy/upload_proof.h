// What proves an object that an upload became: by its parts, which were digested one by one.
#pragma once

#include <optional>
#include <string>

#include "batch/base/digest.h"
#include "batch/copy/object_copy.h"

namespace ferry {

struct Completion {
  std::string etag;
  std::optional<Digests> checksums;  // as answered; nullopt: there was no answer
  std::optional<CompositeDigest> composite = std::nullopt;
};

// Whether what was stored is what was sent, by reading it part by part.
Task<bool> ReadBackParts(Ends& ends, const ObjectToCopy& object, const OpenUpload& upload,
                         const std::string& etag, Traffic& traffic);

// The rung that proves a completed upload. Throws SideError{kCorrupt} where other bytes are there.
Task<std::string> ProveComplete(Ends& ends, const ObjectToCopy& object, const OpenUpload& upload,
                                const Completion& completion, Traffic& traffic);

}  // namespace ferry
