#include "batch/listing/record_sorter.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "batch/base/error.h"

namespace ferry {
namespace {

namespace fs = std::filesystem;

class RecordSorterTest : public testing::Test {
 protected:
  RecordSorterTest() {
    std::string name = (fs::temp_directory_path() / "ferry-sort-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~RecordSorterTest() override { fs::remove_all(folder_); }

  static std::vector<Record> All(SortedRecords sorted) {
    std::vector<Record> all;
    while (auto record = sorted.Next()) all.push_back(std::move(*record));
    EXPECT_FALSE(sorted.Next());
    return all;
  }
  bool WroteFiles() const { return fs::exists(folder_ / "scratch"); }
  fs::path scratch() const { return folder_ / "scratch"; }

  fs::path folder_;
};

TEST_F(RecordSorterTest, NothingIsNothing) {
  RecordSorter sorter(scratch());
  EXPECT_TRUE(All(sorter.Finish()).empty());
}

TEST_F(RecordSorterTest, RecordsComeInTheOrderOfTheirBytesAndEachKeyOnceWithItsFirstValue) {
  RecordSorter sorter(scratch());
  sorter.Add("b", "1");
  sorter.Add(std::string_view("\xff", 1), "high");
  sorter.Add(std::string_view("a\0z", 3), "nul");
  sorter.Add("a", "2");
  sorter.Add("b", "3");
  sorter.Add("", "empty");
  EXPECT_EQ(All(sorter.Finish()), (std::vector<Record>{{"", "empty"},
                                                       {"a", "2"},
                                                       {std::string("a\0z", 3), "nul"},
                                                       {"b", "1"},
                                                       {"\xff", "high"}}));
  EXPECT_FALSE(WroteFiles());
}

TEST_F(RecordSorterTest, MoreThanTheMemoryHoldsIsSortedAllTheSameAndLeavesNoFiles) {
  RecordSorter sorter(scratch(), /*memory_bytes=*/1000);
  std::map<std::string, std::string> expected;
  std::uint32_t x = 1;
  for (int i = 0; i < 20'000; ++i) {  // some 700 files, more than are open at a time
    x = x * 1664525U + 1013904223U;
    const std::string key = std::to_string(x % 15'000);
    const std::string value = std::to_string(i);
    sorter.Add(key, value);
    expected.try_emplace(key, value);
  }
  EXPECT_EQ(sorter.added(), 20'000U);
  EXPECT_TRUE(WroteFiles());
  EXPECT_TRUE(fs::is_empty(scratch()));
  const std::vector<Record> all = All(sorter.Finish());
  ASSERT_EQ(all.size(), expected.size());
  auto next = expected.begin();
  for (const Record& record : all) {
    EXPECT_EQ(record.key, next->first);
    EXPECT_EQ(record.value, next->second);
    ++next;
  }
}

TEST_F(RecordSorterTest, AFolderThatCannotBeWrittenIsNamed) {
  RecordSorter sorter("/proc/ferry", /*memory_bytes=*/10);
  sorter.Add("a", "1");
  try {
    sorter.Add("b", "2");
    FAIL() << "it wrote into /proc";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
    EXPECT_NE(std::string(error.what()).find("cannot sort in /proc/ferry"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("state_dir"), std::string::npos);
  }
}

}  // namespace
}  // namespace ferry
