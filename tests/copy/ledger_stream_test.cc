#include "batch/copy/ledger_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "batch/base/error.h"

namespace ferry {
namespace {

// A ledger of `count` keys "in/0000001" and so on; one thread at a time.
LedgerStream::Read LedgerOf(int count, std::atomic<int>& pages) {
  return [count, &pages](const Key& after, std::int64_t limit) {
    pages += 1;
    const int first = after.bytes().empty() ? 1 : std::stoi(after.bytes().substr(3)) - 1000000 + 1;
    std::vector<LedgerEntry> page;
    for (int i = first; i <= count && std::ssize(page) < limit; ++i) {
      page.emplace_back().key = Key("in/" + std::to_string(1000000 + i));
    }
    return page;
  };
}

std::vector<std::string> All(LedgerStream& ledger) {
  std::vector<std::string> keys;
  for (; const LedgerEntry* entry = ledger.Peek(); ledger.Next()) {
    keys.push_back(entry->key.bytes());
  }
  return keys;
}

TEST(LedgerStream, WhatIsReadAheadIsWhatIsReadWhenAsked) {
  for (const int count : {0, 1, 4999, 5000, 5001, 12'345}) {
    std::atomic<int> pages{0};
    std::atomic<int> pages_ahead{0};
    LedgerStream asked(LedgerOf(count, pages), "in/");
    LedgerStream ahead(LedgerOf(count, pages_ahead), "in/", LedgerStream::When::kAhead);
    const std::vector<std::string> keys = All(asked);
    EXPECT_EQ(std::ssize(keys), count);
    EXPECT_EQ(All(ahead), keys);
    EXPECT_EQ(pages_ahead, pages) << count;
  }
}

TEST(LedgerStream, AFailureToReadAheadIsThrownToWhoeverReads) {
  std::atomic<int> pages{0};
  const LedgerStream::Read read = [&, good = LedgerOf(12'345, pages)](const Key& after,
                                                                      std::int64_t limit) {
    if (pages == 1) throw Error(ErrorKind::kUnavailable, "the database is away");
    return good(after, limit);
  };
  LedgerStream ledger(read, "in/", LedgerStream::When::kAhead);
  for (int i = 0; i < 5000; ++i) {
    ASSERT_NE(ledger.Peek(), nullptr);
    ledger.Next();
  }
  EXPECT_THROW(ledger.Peek(), Error);
}

}  // namespace
}  // namespace ferry
