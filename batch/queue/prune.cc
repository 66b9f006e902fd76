#include "batch/queue/prune.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "batch/base/error.h"
#include "batch/queue/process_totals.h"
#include "batch/queue/run_table.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kJobsAtOnce = 20'000;
constexpr std::int64_t kRowsAtOnce = 1'000;
constexpr milliseconds kStatementTimeout{10'000};
// One a tick while a long run goes on; and a worker is of no interest once its lease is over.
constexpr milliseconds kShortLivedMax{24 * 60 * 60 * 1000};

// Runs `body` as the only one that prunes. nullopt: somebody else does.
template <typename Body>
auto Prune(pg::Session& session, Body body)
    -> std::optional<std::invoke_result_t<Body&, pg::Transaction&>> {
  return session.Transact(
      [&](pg::Transaction& tx) -> std::optional<std::invoke_result_t<Body&, pg::Transaction&>> {
        if (!tx.Execute("queries/try_prune").One().Get<bool>("mine")) return std::nullopt;
        return body(tx);
      },
      {.statement_timeout = kStatementTimeout});
}

class Pruning {
 public:
  Pruning(pg::Session& session, milliseconds history, const std::stop_token& stop)
      : session_(session), history_(history), stop_(stop) {}

  Pruned Run() {
    FoldLateTallies();
    FoldSilentProcesses();
    DropLeftJobs();
    DropPartitions();
    const milliseconds short_lived = std::min(history_, kShortLivedMax);
    DropRows("queries/prune_skipped_runs", short_lived, pruned_.runs);
    DropRows("queries/prune_runs", history_, pruned_.runs);
    DropRows("queries/prune_workers", short_lived, pruned_.workers);
    DropRows("queries/prune_event_asides", history_, pruned_.messages);
    return pruned_;
  }

 private:
  struct LeftRun {
    std::int64_t run_id = 0;
    std::int64_t last_job = 0;
  };

  bool GoesOn() const { return !stop_.stop_requested(); }

  // A claim that met the close, or what was taken back then: nobody else may come to add it up, and
  // neither the run nor the worker could ever go.
  void FoldLateTallies() {
    const auto runs = Prune(session_, [](pg::Transaction& tx) {
      std::vector<std::int64_t> late;
      for (const pg::Row row : tx.Execute("queries/find_late_tallies", kRowsAtOnce)) {
        late.push_back(row.Get<std::int64_t>("run_id"));
      }
      return late;
    });
    if (!runs) return;
    for (const std::int64_t run_id : *runs) {
      if (!GoesOn()) return;
      Prune(session_, [&](pg::Transaction& tx) { return CloseIfFinal(tx, run_id); });
    }
  }

  void FoldSilentProcesses() {
    const auto processes = Prune(session_, FindSilentProcesses);
    if (!processes) return;
    for (const std::string& process : *processes) {
      if (!GoesOn()) return;
      const auto done = Prune(session_, [&](pg::Transaction& tx) {
        FoldProcess(tx, process);
        return true;
      });
      pruned_.processes += done ? 1 : 0;
    }
  }

  void DropLeftJobs() {
    const auto runs = Prune(session_, [](pg::Transaction& tx) {
      std::vector<LeftRun> left;
      for (const pg::Row row : tx.Execute("queries/find_left_runs")) {
        left.push_back({row.Get<std::int64_t>("run_id"), row.Get<std::int64_t>("last_job")});
      }
      return left;
    });
    if (!runs) return;
    for (const LeftRun& run : *runs) {
      if (!DropLeftJobsOf(run)) return;
    }
  }

  // By ranges of ids: searching for what is left would step over all that is done, each time.
  // False: ended early.
  bool DropLeftJobsOf(const LeftRun& run) {
    std::int64_t kept = 0;
    for (std::int64_t above = 0; above < run.last_job; above += kJobsAtOnce) {
      const auto done = Prune(session_, [&](pg::Transaction& tx) {
        const pg::Rows rows =
            tx.Execute("queries/drop_left_jobs", run.run_id, above, above + kJobsAtOnce);
        pruned_.jobs += rows.One().Get<std::int64_t>("dropped");
        kept += rows.One().Get<std::int64_t>("kept");
        return true;
      });
      if (!done || !GoesOn()) return false;
    }
    return Prune(session_,
                 [&](pg::Transaction& tx) {
                   tx.Execute("queries/settle_left_run", run.run_id, kept > 0);
                   return true;
                 })
        .has_value();
  }

  void DropPartitions() {
    bool more = true;
    while (more) more = DropPartition() && GoesOn();
  }

  // False: there is none to drop, or not now.
  bool DropPartition() try {
    const auto name = Prune(session_, [&](pg::Transaction& tx) {
      return tx.Execute("queries/drop_old_partition", history_.count())
          .One()
          .Get<std::optional<std::string>>("name");
    });
    const bool dropped = name && *name;
    pruned_.partitions += dropped ? 1 : 0;
    return dropped;
  } catch (const Error& error) {
    // Somebody reads it, or reads the parent: the next process may find the lock free.
    if (error.code() == "55P03" || error.code() == "40P01") return false;
    throw;
  }

  void DropRows(std::string_view statement, milliseconds age, std::int64_t& count) {
    std::int64_t dropped = kRowsAtOnce;
    while (dropped == kRowsAtOnce) {
      const auto done = Prune(session_, [&](pg::Transaction& tx) {
        return static_cast<std::int64_t>(tx.Execute(statement, age.count(), kRowsAtOnce).size());
      });
      dropped = done.value_or(0);
      count += dropped;
      if (!GoesOn()) return;
    }
  }

  pg::Session& session_;
  const milliseconds history_;
  const std::stop_token stop_;
  Pruned pruned_;
};

}  // namespace

Pruned PruneHistory(pg::Session& session, milliseconds history, const std::stop_token& stop) {
  return Pruning(session, history, stop).Run();
}

}  // namespace ferry
