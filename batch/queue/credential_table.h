// What the stores of tasks say to the credentials, as rows: the exporter warns by them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batch/pg/session.h"

namespace ferry {

struct CredentialReport {
  std::string task;
  std::string side;      // "source" or "destination"
  bool refused = false;  // the last word; else accepted
  std::optional<std::int64_t> expires_at_ms;
  bool news = true;  // this process says so for the first time
};

// One transaction of one short statement; writes a row only where it changes something. May be
// repeated. Throws Error.
void TellCredentials(pg::Session& session, const std::vector<CredentialReport>& reports);

}  // namespace ferry
