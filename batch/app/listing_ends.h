// The two sides of one task on every loop of a pool: what a listing by many requests goes over.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batch/app/stores.h"
#include "batch/copy/lane_pool.h"
#include "batch/listing/listing_stream.h"

namespace ferry {

class ListingEnds {
 public:
  // `stores` and `lanes` outlive this object, which outlives the listings.
  ListingEnds(Stores& stores, LanePool& lanes, const std::string& task, Patience patience);

  std::vector<ListingPlace> Places(Side side) const;
  // On the first loop.
  Ends ends() const { return made_.front()->ends(); }

 private:
  std::vector<std::unique_ptr<TaskEnds>> made_;
};

}  // namespace ferry
