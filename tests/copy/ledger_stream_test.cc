#include "batch/copy/ledger_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "batch/base/error.h"

namespace ferry {
namespace {

std::string NameOf(int i) { return std::to_string(1'000'000 + i); }

// A ledger of `count` keys "in/1000001" and so on; one thread at a time.
LedgerStream::Read LedgerOf(int count, std::atomic<int>& rows) {
  return [count, &rows](const Key& after, std::int64_t limit) {
    std::vector<LedgerEntry> page;
    for (int i = 1; i <= count && std::ssize(page) < limit; ++i) {
      const Key key("in/" + NameOf(i));
      if (after < key) page.emplace_back().key = key;
    }
    rows += static_cast<int>(page.size());
    return page;
  };
}

TEST(LedgerStream, EveryRowIsFoundWhetherItIsReadAheadOrWhenAsked) {
  for (const int count : {0, 1, 4999, 5000, 5001, 12'345}) {
    for (const auto when : {LedgerStream::When::kAsked, LedgerStream::When::kAhead}) {
      std::atomic<int> rows{0};
      LedgerStream ledger(LedgerOf(count, rows), "in/", when);
      EXPECT_EQ(ledger.At(Key("1")), nullptr);
      for (int i = 1; i <= count; ++i) {
        const LedgerEntry* const entry = ledger.At(Key(NameOf(i)));
        ASSERT_NE(entry, nullptr) << i << " of " << count;
        EXPECT_EQ(entry->key, Key(NameOf(i)));
      }
      EXPECT_EQ(ledger.At(Key("9")), nullptr);
      EXPECT_EQ(rows, count);
    }
  }
}

TEST(LedgerStream, KeysFarApartAreFoundWithoutReadingWhatLiesBetweenThem) {
  for (const auto when : {LedgerStream::When::kAsked, LedgerStream::When::kAhead}) {
    std::atomic<int> rows{0};
    LedgerStream ledger(LedgerOf(100'000, rows), "in/", when);
    for (const int i : {1, 20'000, 20'001, 70'000, 99'999}) {
      const LedgerEntry* const entry = ledger.At(Key(NameOf(i)));
      ASSERT_NE(entry, nullptr) << i;
      EXPECT_EQ(entry->key, Key(NameOf(i)));
      EXPECT_EQ(ledger.At(Key(NameOf(i) + "x")), nullptr);
    }
    EXPECT_LT(rows, 11'000);
  }
}

TEST(LedgerStream, AKeyThatEndsInAZeroByteIsFound) {
  const Key key(std::string("a\0", 2));
  const LedgerStream::Read read = [&](const Key& after, std::int64_t) {
    std::vector<LedgerEntry> page;
    if (after < Key("in/" + key.bytes())) page.emplace_back().key = Key("in/" + key.bytes());
    return page;
  };
  LedgerStream ledger(read, "in/");
  EXPECT_NE(ledger.At(key), nullptr);
}

TEST(LedgerStream, AFailureToReadAheadIsThrownToWhoeverReads) {
  std::atomic<int> rows{0};
  const LedgerStream::Read read = [&, good = LedgerOf(12'345, rows)](const Key& after,
                                                                     std::int64_t limit) {
    if (rows > 0) throw Error(ErrorKind::kUnavailable, "the database is away");
    return good(after, limit);
  };
  LedgerStream ledger(read, "in/", LedgerStream::When::kAhead);
  for (int i = 1; i <= 5000; ++i) ASSERT_NE(ledger.At(Key(NameOf(i))), nullptr);
  EXPECT_THROW(ledger.At(Key(NameOf(5001))), Error);
}

}  // namespace
}  // namespace ferry
