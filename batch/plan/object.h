// What is known of objects on either side: values of the planner and the ledger.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "batch/base/key.h"

namespace ferry {

// Which bytes an object was at one time. Two equal identities are the same bytes.
struct SourceIdentity {
  std::string etag;  // normalised: no quotes
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ms = 0;  // Unix time
  std::string version;           // "null" is one too; empty: not known

  // Lists say milliseconds, HEAD and GET say seconds: compared by whole seconds. Versions tell
  // objects apart only where both are known.
  bool SameAs(const SourceIdentity& other) const;
};

// Which version of a source object is meant, and how firmly (`versions` of a task).
enum class VersionPolicy {
  kLatest,    // whatever is current, pinned by its ETag
  kPinned,    // the version that is current when the copy of an object begins, by its id
  kCompared,  // the version that the listing named, by its id; a new one is a new copy
};

// One object in a listing of either side; `key` is without the prefix of that side.
struct ListedEntry {
  Key key;
  std::string etag;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ms = 0;
  bool archived = false;     // in a class that must be restored before it can be read
  std::string version = {};  // where the listing names versions
};

enum class Verdict {
  kArchived,
  kBeingRestored,  // archived, and its restoring was asked for
  kKeyRefused,
};

// One ledger row; `key` is without the source prefix.
struct LedgerEntry {
  Key key;
  SourceIdentity source;
  std::string destination_etag;
  std::optional<Verdict> verdict;  // instead of a destination
  bool trusted = false;            // the bytes of both sides were never compared
};

// GLACIER and DEEP_ARCHIVE cannot be read as they are; GLACIER_IR and every other class can.
// Stores that list no class hold nothing in an archive.
bool IsArchiveClass(std::string_view storage_class);

// What an ETag can tell: 32 hex digits may be an MD5, with "-N" the MD5 of N parts' MD5s.
enum class EtagKind { kMd5, kComposite, kOpaque };
EtagKind KindOfEtag(std::string_view etag);
// N of a composite one; 0: it is none.
std::uint32_t PartsOfEtag(std::string_view etag);

}  // namespace ferry
