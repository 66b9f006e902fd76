// KeyRefusal: keys that a provider does not take.
#pragma once

#include <optional>
#include <string>

#include "batch/base/key.h"
#include "batch/provider/provider.h"

namespace ferry {

// Why this provider would not take the key, for the per-key verdict "key not allowed there";
// nullopt: it would. Says only what is certain: a key wrongly refused here is never copied.
std::optional<std::string> KeyRefusal(const Provider& provider, const Key& key);

}  // namespace ferry
