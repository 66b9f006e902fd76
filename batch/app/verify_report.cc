#include "batch/app/verify_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include "batch/app/status_text.h"
#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/base/log.h"

namespace ferry {
namespace {

constexpr std::int64_t kLinesMax = 1000;
constexpr std::int64_t kErrorLinesMax = 20;
// So many that cannot be read, one after the other, are a missing permission.
constexpr std::int64_t kFailuresInARowMax = 100;
constexpr std::chrono::seconds kLogEvery{10};
constexpr std::chrono::milliseconds kDrawEvery{500};

}  // namespace

VerifyReport::VerifyReport(const CommandContext& context, const TaskConfig& task)
    : context_(context),
      task_(task),
      terminal_(isatty(STDERR_FILENO) == 1),
      shown_at_(context.clock.SteadyNow()) {}

VerifyReport::~VerifyReport() { log::SetStatus(""); }

void VerifyReport::Line(std::string_view what, const Key& source_key) {
  lines_ += 1;
  if (lines_ > kLinesMax && !context_.line.all) return;
  PrintLine(fmt::format("{}: {}: {}", task_.name, what, Escape(source_key)));
}

void VerifyReport::Difference(std::string_view what, const Key& source_key) {
  counts.differences += 1;
  Line(what, source_key);
}

void VerifyReport::Found(const PairFinding& finding) {
  if (finding.outcome == PairFinding::Outcome::kFailed) {
    return Failure(finding.source_key, *finding.error);
  }
  failures_in_a_row_ = 0;
  if (finding.outcome == PairFinding::Outcome::kChanged) {
    counts.changed += 1;
    return Line("changed while it was read", finding.source_key);
  }
  if (finding.differences.empty()) counts.by_reading += 1;
  for (const std::string& what : finding.differences) Difference(what, finding.source_key);
}

void VerifyReport::Failure(const Key& source_key, const SideError& error) {
  counts.unreadable += 1;
  failures_in_a_row_ += 1;
  if (counts.unreadable <= kErrorLinesMax) {
    log::Error("could not be read",
               {{"task", task_.name}, {"key", source_key}, {"error", error.what()}});
  }
  if (failures_in_a_row_ < kFailuresInARowMax) return;
  throw Error(error.kind(), fmt::format("{} objects in a row could not be read, the last: {}",
                                        failures_in_a_row_, error.what()));
}

void VerifyReport::ShowProgress(std::uint64_t read_bytes) {
  const SteadyTime now = context_.clock.SteadyNow();
  const auto passed = now - shown_at_;
  if (terminal_ ? passed < kDrawEvery : passed < kLogEvery) return;
  const double rate = static_cast<double>(read_bytes - shown_bytes_) /
                      std::chrono::duration<double>(passed).count();
  shown_at_ = now;
  shown_bytes_ = read_bytes;
  if (terminal_) {
    return log::SetStatus(fmt::format(
        "{}: {} objects begun, {} differences, {} read, {}/s", task_.name, counts.objects,
        counts.differences, HumanBytes(static_cast<double>(read_bytes)), HumanBytes(rate)));
  }
  FlushLines();
  log::Info("verifying", {{"task", task_.name},
                          {"objects", counts.objects},
                          {"differences", counts.differences},
                          {"unreadable", counts.unreadable},
                          {"bytes_read", read_bytes},
                          {"bytes_per_second", static_cast<std::int64_t>(rate)}});
}

int VerifyReport::Conclude(bool stopped) {
  log::SetStatus("");
  const VerifyCounts& c = counts;
  if (lines_ > kLinesMax && !context_.line.all) {
    PrintLine(fmt::format("{}: ... and {} more (--all shows all)", task_.name, lines_ - kLinesMax));
  }
  std::string line = fmt::format(
      "{}: {} objects {}, {} differences; equal: {} by ETag, {} by the ledger, {} by reading both",
      task_.name, c.objects, stopped ? "begun and then stopped" : "compared", c.differences,
      c.by_etag, c.by_ledger, c.by_reading);
  const auto add = [&line](std::int64_t count, std::string_view what) {
    if (count > 0) line += fmt::format("; {} {}", count, what);
  };
  add(c.cannot_tell, context_.line.deep ? "cannot be told" : "cannot be told without --deep");
  add(c.archived, "archived at the source and not brought");
  add(c.changed, "changed while they were read");
  add(c.unreadable, "could not be read");
  add(c.excluded, "left out by the filter");
  add(c.only_at_destination, "only at the destination");
  PrintLine(line);
  FlushLines();
  if (c.differences > 0) return kExitIncomplete;
  if (stopped) return kExitStopped;
  return c.unreadable > 0 ? kExitFailed : kExitDone;
}

}  // namespace ferry
