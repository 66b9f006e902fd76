// Checks that need no credentials: this host, the database, and the way to an endpoint.
#pragma once

#include <string>

#include "batch/app/check_report.h"
#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/store/event_loop.h"

namespace ferry {

// Creates nothing.
void CheckDatabase(CheckReport& report, const Config& config);

void CheckCongestionControl(CheckReport& report, const TransferConfig& transfer);

// DNS, connection, TLS and clock, by one unsigned request. False: nothing further can be asked.
// `side` goes before the name of each check. At most about 20 s.
bool CheckEndpoint(CheckReport& report, std::string_view side, const StoreConfig& store,
                   EventLoop& loop, Clock& clock);

}  // namespace ferry
