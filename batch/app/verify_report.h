// What `verify` tells of one task: a line for each difference, what it has seen so far, and the
// sum of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "batch/app/commands.h"
#include "batch/copy/deep_compare.h"

namespace ferry {

struct VerifyCounts {
  std::int64_t objects = 0;  // at the source, within the filter
  std::int64_t excluded = 0;
  std::int64_t by_etag = 0;
  std::int64_t by_ledger = 0;
  std::int64_t by_reading = 0;
  std::int64_t differences = 0;
  std::int64_t cannot_tell = 0;
  std::int64_t archived = 0;
  std::int64_t changed = 0;  // while it was being read
  std::int64_t unreadable = 0;
  std::int64_t only_at_destination = 0;
};

class VerifyReport {
 public:
  // Both outlive this object.
  VerifyReport(const CommandContext& context, const TaskConfig& task);
  ~VerifyReport();
  VerifyReport(const VerifyReport&) = delete;
  VerifyReport& operator=(const VerifyReport&) = delete;

  VerifyCounts counts;

  // "media: size differs (3 at the source, 4 at the destination): in/a". What goes beyond the
  // first 1,000 lines is only counted, unless --all was given.
  void Difference(std::string_view what, const Key& source_key);
  // Throws Error when nothing at all can be read.
  void Found(const PairFinding& finding);

  // Live on a terminal, else a log line now and then. Cheap.
  void ShowProgress(std::uint64_t read_bytes);

  // The last line, and the exit code.
  int Conclude(bool stopped);

 private:
  void Line(std::string_view what, const Key& source_key);
  void Failure(const Key& source_key, const SideError& error);

  const CommandContext& context_;
  const TaskConfig& task_;
  const bool terminal_;
  std::int64_t lines_ = 0;
  std::int64_t failures_in_a_row_ = 0;
  SteadyTime shown_at_;
  std::uint64_t shown_bytes_ = 0;
};

}  // namespace ferry
