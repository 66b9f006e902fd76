// A bucket as one loop reaches it.
#pragma once

#include "batch/store/event_loop.h"
#include "batch/store/object_store.h"

namespace ferry {

// Both outlive who uses it.
struct ListingPlace {
  EventLoop& loop;
  ObjectStore& store;
};

}  // namespace ferry
