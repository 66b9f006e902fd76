// The text of /metrics.
#pragma once

#include <string>

#include "batch/config/config.h"
#include "exporter/process.h"
#include "exporter/snapshot.h"

namespace ferry::exporter {

// Series for exactly the tasks and refresh targets of the configuration, at zero where the
// database has no rows. Without a database (snapshot.up is false) no series of tasks at all: a
// number that nobody knows is absent, not old and not zero.
std::string RenderMetrics(const Config& config, const Snapshot& snapshot,
                          const ProcessNumbers& process);

}  // namespace ferry::exporter
