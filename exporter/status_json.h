// The status as JSON, for the page and for programs. Fields may be added, none is renamed or taken
// away.
#pragma once

#include <string>

#include "batch/config/config.h"
#include "exporter/status.h"

namespace ferry::exporter {

// What the reader may see, and what became of the token that he sent, if he sent one.
struct Reader {
  Detail detail = Detail::kPublic;
  bool token_refused = false;
};

// {"problem": ...} when the database did not answer.
std::string ToJson(const Config& config, const Status& status, const Reader& reader);

}  // namespace ferry::exporter
