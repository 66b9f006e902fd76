#include <gtest/gtest.h>

#include "batch/listing/keys_stream.h"
#include "batch/listing/prefixes_stream.h"
#include "batch/listing/record_sorter.h"
#include "tests/config/config_file.h"
#include "tests/support/fake_store.h"
#include "tests/support/loop_runner.h"

namespace ferry {
namespace {

using test::ErrorOf;
using test::FakeStore;

class NamedStreamsTest : public testing::Test {
 protected:
  ~NamedStreamsTest() override { runner_.Stop(); }

  KeysStream::Keys Sort(const std::vector<std::string>& names) {
    auto sorter = RecordSorter(folder_.path());
    for (const std::string& name : names) sorter.Add(name);
    auto sorted = std::make_shared<SortedRecords>(sorter.Finish());
    return [sorted](std::size_t count) {
      std::vector<Key> keys;
      while (keys.size() < count) {
        auto record = sorted->Next();
        if (!record) break;
        keys.emplace_back(std::move(record->key));
      }
      return keys;
    };
  }
  static std::string Drain(EntryStream& stream) {
    std::string keys;
    for (; const ListedEntry* entry = stream.Peek(); stream.Next())
      keys += entry->key.bytes() + ";";
    return keys;
  }

  test::TempFolder folder_;
  test::LoopRunner runner_;
  FakeStore store_{runner_.loop()};
};

TEST_F(NamedStreamsTest, EntriesTellOfTheKeysThatAreThereInOrder) {
  for (const char* key : {"in/a", "in/b", "in/c"}) store_.Add(key, "123");
  const auto keys = Sort({"c", "gone", "a", "a"});
  KeysStream stream({{runner_.loop(), store_}}, "in/", keys);
  const ListedEntry* first = stream.Peek();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->size_bytes, 3U);
  EXPECT_EQ(first->etag, store_.objects().at(Key("in/a")).etag);
  EXPECT_EQ(Drain(stream), "a;c;");
  EXPECT_EQ(stream.missing(), 1U);
}

TEST_F(NamedStreamsTest, ManyKeysKeepTheirOrderWhateverIsMissing) {
  std::vector<std::string> names;
  std::string expected;
  for (int i = 1000; i < 3000; ++i) {
    names.push_back(std::to_string(i));
    if (i % 3 != 0 || (i > 1500 && i < 2200)) continue;
    store_.Add("in/" + names.back(), "1");
    expected += names.back() + ";";
  }
  const auto keys = Sort(names);
  KeysStream stream({{runner_.loop(), store_}}, "in/", keys);
  EXPECT_EQ(Drain(stream), expected);
}

TEST_F(NamedStreamsTest, WhatIsDeniedEndsTheStream) {
  store_.Add("in/a", "1");
  store_.FailCall("list", 1, FakeStore::Moment::kBeforeEffect, Error(ErrorKind::kDenied, "no"));
  const auto keys = Sort({"a"});
  KeysStream stream({{runner_.loop(), store_}}, "in/", keys);
  const auto error = ErrorOf([&] { Drain(stream); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kDenied);
}

TEST_F(NamedStreamsTest, KeysThatLieTogetherComeWithOneListing) {
  std::vector<std::string> names;
  for (int i = 1000; i < 2000; ++i) {
    store_.Add("in/" + std::to_string(i), "1");
    if (i % 4 == 0) names.push_back(std::to_string(i));
  }
  KeysStream stream({{runner_.loop(), store_}}, "in/", Sort(names));
  std::string expected;
  for (const std::string& name : names) expected += name + ";";
  EXPECT_EQ(Drain(stream), expected);
  EXPECT_EQ(store_.CountCalls("list"), 1);
  EXPECT_EQ(store_.CountCalls("head"), 0);
}

TEST_F(NamedStreamsTest, WhereVersionsAreComparedTheCurrentOneIsNamed) {
  store_.versioning = FakeStore::Versioning::kEnabled;
  store_.Add("in/a", "1").version_id = "v7";
  KeysStream stream({{runner_.loop(), store_}}, "in/", Sort({"a", "b"}), VersionPolicy::kCompared);
  ASSERT_NE(stream.Peek(), nullptr);
  EXPECT_EQ(stream.Peek()->version, "v7");
}

TEST_F(NamedStreamsTest, PrefixesAreListedOnceEachAndInOrder) {
  for (const char* key : {"in/a/1", "in/a/b/2", "in/b", "in/c/3", "in/d/4", "in/bc"}) {
    store_.Add(key, "1");
  }
  const auto prefixes = Sort({"c/", "a/b/", "a/", "none/", "b"});
  PrefixesStream stream({{runner_.loop(), store_}}, "in/", "far:src", prefixes);
  EXPECT_EQ(Drain(stream), "a/1;a/b/2;b;bc;c/3;");
  EXPECT_EQ(store_.CountCalls("list"), 4);
}

TEST_F(NamedStreamsTest, TheEmptyPrefixIsAllThereIs) {
  for (const char* key : {"in/a", "in/b"}) store_.Add(key, "1");
  const auto prefixes = Sort({"a", ""});
  PrefixesStream stream({{runner_.loop(), store_}}, "in/", "far:src", prefixes);
  EXPECT_EQ(Drain(stream), "a;b;");
}

TEST_F(NamedStreamsTest, ManyPrefixesWithManyKeys) {
  std::vector<std::string> names;
  std::string expected;
  for (int i = 100; i < 150; ++i) {
    names.push_back(std::to_string(i) + "/");
    for (int k = 1000; k < 1000 + (i == 120 ? 2500 : 3); ++k) {
      store_.Add("in/" + names.back() + std::to_string(k), "1");
      expected += names.back() + std::to_string(k) + ";";
    }
  }
  const auto prefixes = Sort(names);
  PrefixesStream stream({{runner_.loop(), store_}}, "in/", "far:src", prefixes);
  EXPECT_EQ(Drain(stream), expected);
}

}  // namespace
}  // namespace ferry
