// Objects of the source that lie in an archive: told apart before anything is begun for them, and
// restored where the task asks for that.
#pragma once

#include <string_view>

#include "batch/copy/object_copy.h"

namespace ferry {

// Error::code() of an object whose restoring was asked for, by us or somebody else.
inline constexpr std::string_view kBeingRestored = "BeingRestored";

// Throws kArchived where the object that answered has to be restored first.
void CheckReadable(const ObjectHead& head);

// Asks for the restoring of an object that turned out to be archived, where `ends.restore` says so
// and nobody did before. Returns what there is to say of it: `archived` where nothing is asked for,
// else kArchived with the code kBeingRestored. Throws SideError where asking failed.
Task<SideError> AskForRestoring(Ends ends, ObjectToCopy object, SideError archived);

}  // namespace ferry
