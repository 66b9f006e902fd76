#include "batch/app/listing_ends.h"

namespace ferry {

ListingEnds::ListingEnds(Stores& stores, LanePool& lanes, const std::string& task,
                         Patience patience) {
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    made_.push_back(stores.MakeWith(lanes.loop(i), task, patience));
  }
}

std::vector<ListingPlace> ListingEnds::Places(Side side) const {
  std::vector<ListingPlace> places;
  for (const auto& one : made_) {
    const Ends ends = one->ends();
    places.push_back({ends.loop, side == Side::kSource ? ends.source : ends.destination});
  }
  return places;
}

}  // namespace ferry
