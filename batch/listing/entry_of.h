// What a listing or a head says of an object, as an entry of its side.
#pragma once

#include "batch/plan/object.h"
#include "batch/store/object_store.h"

namespace ferry {

// `key`: without the prefix of its side. The version is not named.
ListedEntry EntryOf(ListedObject object, Key key);
ListedEntry EntryOf(const ObjectHead& head, Key key);

}  // namespace ferry
