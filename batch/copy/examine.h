// What whole copies and multipart copies both ask of an object: which one it is now, what belongs
// to it beside its bytes, and the MD5 of what a store holds.
#pragma once

#include <string>

#include "batch/copy/object_copy.h"

namespace ferry {

// The identity of the object that answered. Lists know milliseconds, a head seconds: the listed
// time stays as long as it is the same object.
SourceIdentity IdentityOf(const ObjectHead& head, const SourceIdentity& listed);

// Headers and tags; tags cost a request only where the source has some.
Task<ObjectMetadata> MetadataOf(Ends& ends, const Key& key, const ObjectHead& head);

// The MD5 of a body, read and thrown away.
Task<std::string> ReadMd5(ObjectStore& store, Side side, GetRequest get, Traffic& traffic);

[[noreturn]] void ThrowStoredOtherBytes();

}  // namespace ferry
