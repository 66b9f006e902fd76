// StatusGroups: the statements of one status page, one transaction, each for itself.
//
// What cannot be read (a table that is not granted, a statement that takes too long) must not take
// the rest of the page along, as long as the server answers.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/pg/session.h"

namespace ferry::exporter {

class StatusGroups {
 public:
  // All must outlive this object.
  StatusGroups(pg::Transaction& tx, const Clock& clock, SteadyTime deadline)
      : tx_(tx), clock_(clock), deadline_(deadline) {}

  // For the next statement of the transaction: what is left, at most `share`.
  void Limit(std::chrono::milliseconds share);

  // Returns nothing, or why the group could not be read. Throws when the server has gone.
  template <typename Body>
  std::string Read(std::chrono::milliseconds share, Body body) {
    Limit(share);
    tx_.Execute("metrics/savepoint");
    try {
      body();
      return "";
    } catch (const Error& error) {
      if (!tx_.session().IsOpen()) throw;
      tx_.Execute("metrics/rollback_to_savepoint");
      return error.what();
    }
  }

 private:
  pg::Transaction& tx_;
  const Clock& clock_;
  const SteadyTime deadline_;
};

}  // namespace ferry::exporter
