#include "batch/listing/list_file.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/config/config_file.h"

namespace ferry {
namespace {

using test::TempFolder;

class ListFileTest : public testing::Test {
 protected:
  // The lines found, each followed by ';', or what is wrong after the folder's name.
  std::string Read(const std::string& text, const std::string& prefix = "in/") {
    return ReadAt(folder_.Write("keys.txt", text), prefix);
  }
  std::string ReadAt(const std::filesystem::path& file, const std::string& prefix = "in/") {
    std::string found;
    try {
      ReadListFile(file, prefix, [&](std::string_view rest) { found.append(rest).append(";"); });
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      std::string what = error.what();
      const std::string folder = folder_.path().string() + "/";
      if (const auto at = what.find(folder); at != std::string::npos) what.erase(at, folder.size());
      return what;
    }
    return found;
  }
  std::filesystem::path Compress(const std::string& text, std::size_t cut = 0) {
    const std::filesystem::path path = folder_.path() / "keys.txt.gz";
    const gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - cut);
    return path;
  }

  TempFolder folder_;
};

TEST_F(ListFileTest, ALineIsAWholeKeyHoweverItEnds) {
  EXPECT_EQ(Read("in/a\nin/b\n"), "a;b;");
  EXPECT_EQ(Read("in/a\r\n\r\n  \nin/b c "), "a;b c ;");
  EXPECT_EQ(Read("\xEF\xBB\xBFin/a\n"), "a;");
  EXPECT_EQ(Read("in/\n"), ";");
  EXPECT_EQ(Read("\n#a\n", ""), "#a;");
}

TEST_F(ListFileTest, TheFormThatWePrintIsUnderstood) {
  EXPECT_EQ(Read("in/\\x0A\\\\\n"), "\n\\;");
  EXPECT_EQ(Read("in/a\nin/\\q\n").substr(0, 12), "keys.txt:2: ");
}

TEST_F(ListFileTest, WhatCannotBeAKeyOfTheSourceIsNamedByItsLine) {
  EXPECT_EQ(Read("in/a\n\nout/b\n"), "keys.txt:3: out/b is not below the source's prefix in/");
  EXPECT_EQ(Read("in/" + std::string(1022, 'k')),
            "keys.txt:1: the line is longer than a key can be");
  EXPECT_EQ(Read("in/" + std::string(1021, 'k')), std::string(1021, 'k') + ";");
  EXPECT_EQ(Read(std::string(100'000, 'k')), "keys.txt:1: the line is longer than a key can be");
}

TEST_F(ListFileTest, AFileThatNamesNothingOrCannotBeReadIsRefused) {
  EXPECT_EQ(Read(""), "keys.txt: is empty: nothing would be brought");
  EXPECT_EQ(Read("\r\n \n"), "keys.txt: is empty: nothing would be brought");
  EXPECT_EQ(ReadAt(folder_.path() / "none"), "none: cannot be read: No such file or directory");
  EXPECT_NE(ReadAt(folder_.path()).find("is a folder"), std::string::npos);
}

TEST_F(ListFileTest, ACompressedFileIsReadAndACutOneRefused) {
  EXPECT_EQ(ReadAt(Compress("in/a\nin/b\n")), "a;b;");
  for (const std::size_t cut : {1U, 8U, 12U}) {
    EXPECT_EQ(ReadAt(Compress("in/a\nin/b\n", cut)).substr(0, 31),
              "keys.txt.gz: cannot be unpacked")
        << cut;
  }
}

TEST_F(ListFileTest, TheLinesAreSortedAndEachIsThereOnce) {
  SortedList list(folder_.Write("k", "in/b\nin/a\nin/b\nin/c\n"), "in/", folder_.path());
  EXPECT_EQ(list.Take(2), (std::vector<Key>{Key("a"), Key("b")}));
  EXPECT_EQ(list.Take(2), (std::vector<Key>{Key("c")}));
  EXPECT_TRUE(list.Take(2).empty());
}

}  // namespace
}  // namespace ferry
