// A file that says what there is to look at: a key or a prefix a line, as many as there are.
//
// A line is a whole key (with the task's prefix), as it is or as this program prints one: \xNN and
// \\ are understood. Lines may end in CR LF, blank ones are skipped, a byte order mark at the
// beginning is too. A file that gzip made is read as what it holds.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "batch/base/key.h"
#include "batch/listing/record_sorter.h"

namespace ferry {

// Calls `one` for each line with what stands behind `prefix` in it. Throws Error{kConfig} naming
// file and line: what cannot be read, is no key or not below the prefix; and a file without any.
void ReadListFile(const std::filesystem::path& file, const std::string& prefix,
                  const std::function<void(std::string_view rest)>& one);

// Each once, in key order, without the prefix.
class SortedList {
 public:
  // Reads and sorts; `scratch` is RecordSorter's. Throws as both.
  SortedList(const std::filesystem::path& file, const std::string& prefix,
             const std::filesystem::path& scratch);

  // The next ones, `count` of them or what is left; empty at the end.
  std::vector<Key> Take(std::size_t count);

 private:
  SortedRecords sorted_;
};

}  // namespace ferry
