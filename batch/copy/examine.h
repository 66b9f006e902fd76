// What whole copies and multipart copies both ask of an object: which one it is now, what belongs
// to it beside its bytes, and the digest of what a store holds.
#pragma once

#include <string>

#include "batch/base/digest.h"
#include "batch/copy/object_copy.h"

namespace ferry {

// The identity of the object that answered. Lists know milliseconds, a head seconds: the listed
// time stays as long as it is the same object.
SourceIdentity IdentityOf(const ObjectHead& head, const SourceIdentity& listed);

// The version id that requests for this object carry; empty: they ask for the current one.
std::string PinnedVersion(const Ends& ends, const SourceIdentity& source);

// Whether tags travel with this object: it has some, and the destination is to have them.
bool TagsTravel(const Ends& ends, const ObjectHead& head);
// Whether the object has tags at the destination, its own or those that all get.
bool HasTags(const Ends& ends, const ObjectHead& head);

// What an object with these headers at the source has at the destination.
NameValues HeadersThere(const Ends& ends, const NameValues& headers);

// Headers, storage class and tags as they are to be at the destination; tags cost a request only
// where they travel.
Task<ObjectMetadata> MetadataOf(Ends& ends, const Key& key, const ObjectHead& head);

// Throws kConflict where the tags that were read may be those of another object than `head`'s. A
// request, where there are tags and no version pins them. Not while a read is under way: it would
// wait for a slot that the read holds (LimitedStore).
Task<Unit> CheckTagsBelong(Ends& ends, const Key& key, const ObjectHead& head);

// What is at the source now, after a read failed with `error`. Throws `error` when looking again
// cannot help: it is no change of the object, or the key itself is gone.
Task<ObjectHead> LookAgain(const Ends& ends, const ObjectToCopy& object, const SideError& error);

// The digest of a body, read and thrown away.
Task<Digest> ReadDigest(ObjectStore& store, Side side, GetRequest get, DigestKind kind,
                        Traffic& traffic);

// That of the whole object at the destination, which must have this ETag and so many bytes.
Task<Digest> ReadBack(Ends& ends, const Key& key, const std::string& etag, std::uint64_t bytes,
                      DigestKind kind, Traffic& traffic);

// Whether a side that failed at one object answers at all: it is asked for a list of that key.
// Throws Error{kStopped} only.
Task<bool> Answers(Ends ends, Side side, Key key);

[[noreturn]] void ThrowStoredOtherBytes();

}  // namespace ferry
