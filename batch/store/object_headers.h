// What the headers of requests and answers say of an object: its ETag, size and checksums, and what
// travels with it.
#pragma once

#include <string>

#include "batch/store/http.h"
#include "batch/store/object_store.h"

namespace ferry {

// Normalised. Throws Error{kCorrupt} where there is none: every store says the ETag of what it
// sends or took; what stands in front of one does not.
std::string NeededEtag(const HttpAnswer& answer);

// Of an answer to HEAD or GET. Throws as NeededEtag.
ObjectHead ReadHead(const HttpAnswer& answer);

// Holds the answer to what was asked for: a server may ignore Range and send everything, or another
// range, and neither is an error to HTTP. Throws Error: kCorrupt, or kConflict where the object is
// another one by now.
void CheckGetAnswer(const HttpAnswer& answer, const GetRequest& request, const ObjectHead& head);

void AddMetadata(const ObjectMetadata& metadata, Headers& headers);

}  // namespace ferry
