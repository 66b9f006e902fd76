// Listings by ranges, against a bucket that is a set of keys: whatever the keys, the order in which
// pages come and how many are under way, what is read is the whole bucket in its order.
#include "batch/listing/key_ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>

#include "batch/base/error.h"

namespace ferry {
namespace {

using std::chrono::microseconds;

constexpr microseconds kFarAway{200'000};
constexpr microseconds kSomeWayOff{40'000};
constexpr microseconds kNear{500};

// Answers as a store does: keys behind a marker, below a prefix, at most so many.
class Bucket {
 public:
  Bucket(std::set<std::string> keys, std::size_t page_keys)
      : keys_(std::move(keys)), page_keys_(page_keys) {}

  ListingPage List(const KeyRanges::Fetch& fetch, const std::string& prefix) {
    requests += 1;
    const ListingCursor& from = fetch.from;
    const std::size_t most = std::min<std::size_t>(page_keys_, fetch.keys_max);
    const std::string& marker = from.token.empty() && heeds_after ? from.after : from.token;
    ListingPage page;
    if (probe_is_empty && requests == 2) return page;
    auto it = marker.empty() ? keys_.lower_bound(prefix) : keys_.upper_bound(marker);
    while (it != keys_.end() && *it < prefix) ++it;
    if (wrong_after_what_is_not_there && from.token.empty() && !keys_.contains(marker) &&
        !marker.empty() && it != keys_.end()) {
      ++it;
    }
    for (; it != keys_.end() && it->starts_with(prefix); ++it) {
      if (page.entries.size() == most) {
        page.next = ListingCursor{"", page.entries.back().key.bytes(), "", false};
        break;
      }
      page.entries.emplace_back().key = Key(*it);
      keys_sent += 1;
    }
    return page;
  }
  const std::set<std::string>& keys() const { return keys_; }

  bool heeds_after = true;
  bool probe_is_empty = false;
  bool wrong_after_what_is_not_there = false;
  std::size_t requests = 0;
  std::size_t keys_sent = 0;

 private:
  const std::set<std::string> keys_;
  const std::size_t page_keys_;
};

// One reader and a network of which a seed says what arrives next.
class Listing {
 public:
  Listing(Bucket& bucket, KeyRangesOptions options, microseconds took, unsigned seed)
      : bucket_(bucket), prefix_(options.prefix), ranges_(options), took_(took), random_(seed) {}

  std::vector<std::string> ReadAll() {
    std::vector<std::string> read;
    while (true) {
      Launch();
      if (auto page = ranges_.TakePage()) {
        for (const ListedEntry& entry : *page) read.push_back(prefix_ + entry.key.bytes());
        continue;
      }
      if (ranges_.AtEnd()) return read;
      ranges_.Starved();
      Launch();
      if (under_way_.empty()) ADD_FAILURE() << "nothing is fetched and nothing is there";
      if (under_way_.empty()) return read;
      Arrive();
    }
  }

  std::size_t most_at_once() const { return most_at_once_; }
  // As if every answer took as long: what was sent together comes together.
  std::size_t round_trips() const { return round_trips_; }

 private:
  void Launch() {
    while (auto fetch = ranges_.NextFetch()) under_way_.push_back(*fetch);
    most_at_once_ = std::max(most_at_once_, under_way_.size());
  }
  void Arrive() {
    if (in_round_ == 0) {
      in_round_ = under_way_.size();
      round_trips_ += 1;
    }
    in_round_ -= 1;
    const std::size_t which = in_order ? 0 : random_() % under_way_.size();
    const KeyRanges::Fetch fetch = under_way_[which];
    under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(which));
    ranges_.Arrived(fetch, bucket_.List(fetch, prefix_), took_);
  }

 public:
  bool in_order = false;

 private:
  Bucket& bucket_;
  const std::string prefix_;
  KeyRanges ranges_;
  const microseconds took_;
  std::minstd_rand random_;
  std::vector<KeyRanges::Fetch> under_way_;
  std::size_t most_at_once_ = 0;
  std::size_t in_round_ = 0;
  std::size_t round_trips_ = 0;
};

std::string Padded(std::uint64_t number, int digits) {
  std::string text = std::to_string(number);
  return std::string(static_cast<std::size_t>(digits) - text.size(), '0') + text;
}

using Keys = std::set<std::string>;
struct Population {
  const char* name;
  std::function<Keys(std::minstd_rand&)> make;
};

Keys Make(int count, const std::function<std::string(int)>& key) {
  Keys keys;
  for (int i = 0; i < count; ++i) keys.insert(key(i));
  return keys;
}
std::string RandomBytes(std::minstd_rand& random, std::size_t bytes_max, std::string_view among) {
  std::string text;
  const std::size_t size = 1 + random() % bytes_max;
  while (text.size() < size) {
    text += among.empty() ? static_cast<char>(random() % 256) : among[random() % among.size()];
  }
  return text;
}

const Population kPopulations[] = {
    {"none", [](std::minstd_rand&) { return Keys{}; }},
    {"one", [](std::minstd_rand&) { return Keys{"a"}; }},
    {"folders of numbered files",
     [](std::minstd_rand&) {
       return Make(20'000, [](int i) {
         return "dir-" + Padded(static_cast<std::uint64_t>(i) / 400, 6) + "/object-" +
                Padded(static_cast<std::uint64_t>(i), 10);
       });
     }},
    {"a flat bucket of numbers",
     [](std::minstd_rand&) {
       return Make(20'000, [](int i) { return Padded(static_cast<std::uint64_t>(i), 12); });
     }},
    {"numbers of any length",
     [](std::minstd_rand&) { return Make(20'000, [](int i) { return std::to_string(i); }); }},
    {"hexadecimal digests",
     [](std::minstd_rand& random) {
       return Make(20'000, [&](int) {
         return RandomBytes(random, 32, "0123456789abcdef") + Padded(random() % 100'000, 6);
       });
     }},
    {"any bytes",
     [](std::minstd_rand& random) {
       return Make(20'000, [&](int) { return RandomBytes(random, 12, ""); });
     }},
    {"two letters",
     [](std::minstd_rand& random) {
       return Make(8'000, [&](int) { return RandomBytes(random, 24, "ab"); });
     }},
    {"long names with little in them",
     [](std::minstd_rand& random) {
       return Make(8'000, [&](int i) {
         return std::string(900, 'x') + std::to_string(i) + RandomBytes(random, 4, "/.-");
       });
     }},
    {"one folder far away",
     [](std::minstd_rand&) {
       Keys keys = Make(10'000, [](int i) { return "a/" + std::to_string(i); });
       keys.insert("\xF4\x8F\xBF\xBF");
       keys.insert("\xFF\xFF");
       return keys;
     }},
    {"names in many scripts",
     [](std::minstd_rand& random) {
       const std::vector<std::string> letters = {"a", "é", "Ж", "日", "本", "語", "𝄞", "z", "/"};
       return Make(20'000, [&](int) {
         std::string text;
         for (int i = 0; i < 8; ++i) text += letters[random() % letters.size()];
         return text;
       });
     }},
};

TEST(KeyRanges, WhateverTheKeysAndTheOrderOfAnswersTheListingIsWholeAndInOrder) {
  const microseconds ways[] = {kNear, kSomeWayOff, kFarAway};
  for (const Population& population : kPopulations) {
    for (unsigned seed = 1; seed <= 6; ++seed) {
      SCOPED_TRACE(std::string(population.name) + ", seed " + std::to_string(seed));
      std::minstd_rand random(seed);
      Bucket bucket(population.make(random), 1 + random() % 1000);
      const std::size_t requests_max = 1 + random() % 64;
      Listing listing(bucket,
                      {.prefix = "",
                       .what = "b",
                       .requests_max = requests_max,
                       .held_keys_max = 1 + random() % 64'000},
                      ways[seed % 3], seed);
      const std::vector<std::string> read = listing.ReadAll();
      EXPECT_TRUE(std::equal(read.begin(), read.end(), bucket.keys().begin(), bucket.keys().end()));
      EXPECT_LE(listing.most_at_once(), requests_max);
      if (HasFailure()) return;
    }
  }
}

TEST(KeyRanges, OnlyWhatIsBelowThePrefixIsRead) {
  Keys keys = Make(5'000, [](int i) { return "in/" + Padded(static_cast<std::uint64_t>(i), 6); });
  const std::size_t inside = keys.size();
  keys.insert({"im", "in", "in.", "io", "z"});
  Bucket bucket(keys, 100);
  Listing listing(bucket, {.prefix = "in/", .what = "b"}, kFarAway, 1);
  EXPECT_EQ(listing.ReadAll().size(), inside);
}

TEST(KeyRanges, AFarBucketIsReadInAFewRoundTrips) {
  for (const char* name : {"folders of numbered files", "a flat bucket of numbers",
                           "hexadecimal digests", "any bytes", "names in many scripts"}) {
    SCOPED_TRACE(name);
    const auto* population =
        std::find_if(std::begin(kPopulations), std::end(kPopulations),
                     [name](const Population& one) { return one.name == std::string_view(name); });
    std::minstd_rand random(7);
    Bucket bucket(population->make(random), 500);
    const std::size_t pages = bucket.keys().size() / 500;
    Listing listing(bucket, {.prefix = "", .what = "b"}, kFarAway, 1);
    listing.in_order = true;
    listing.ReadAll();
    EXPECT_LE(listing.round_trips(), pages / 2);
    EXPECT_LE(bucket.requests, 6 * pages);
    EXPECT_LE(bucket.keys_sent, 3 * bucket.keys().size());
  }
}

TEST(KeyRanges, ANearBucketIsReadPageByPage) {
  std::minstd_rand random(7);
  Bucket bucket(kPopulations[2].make(random), 500);
  Listing listing(bucket, {.prefix = "", .what = "b"}, kNear, 1);
  listing.ReadAll();
  EXPECT_EQ(bucket.requests, 40U);
}

TEST(KeyRanges, ABucketSomeWayOffIsDividedOnceItHasProvedLong) {
  const auto numbers = [](int count) {
    return Make(count, [](int i) { return Padded(static_cast<std::uint64_t>(i), 12); });
  };
  Bucket small(numbers(5'000), 1000);
  Listing of_small(small, {.prefix = "", .what = "b"}, kSomeWayOff, 1);
  of_small.ReadAll();
  EXPECT_EQ(small.requests, 5U);
  Bucket large(numbers(100'000), 1000);
  Listing of_large(large, {.prefix = "", .what = "b"}, kSomeWayOff, 1);
  of_large.in_order = true;
  of_large.ReadAll();
  EXPECT_LE(of_large.round_trips(), 40U) << "100 pages";
  EXPECT_LE(large.requests, 130U);
}

TEST(KeyRanges, AStoreThatDoesNotHeedAKeyToBeginAfterIsReadByItsTokens) {
  std::minstd_rand random(7);
  Bucket bucket(kPopulations[2].make(random), 500);
  bucket.heeds_after = false;
  Listing listing(bucket, {.prefix = "", .what = "b"}, kFarAway, 1);
  EXPECT_EQ(listing.ReadAll().size(), bucket.keys().size());
  EXPECT_EQ(bucket.requests, 41U) << "it was asked once";
}

TEST(KeyRanges, AStoreThatAnswersAKeyToBeginAfterWithNothingIsReadByItsTokens) {
  std::minstd_rand random(7);
  Bucket bucket(kPopulations[2].make(random), 500);
  bucket.probe_is_empty = true;
  Listing listing(bucket, {.prefix = "", .what = "b"}, kFarAway, 1);
  EXPECT_EQ(listing.ReadAll().size(), bucket.keys().size());
}

TEST(KeyRanges, WhatAStoreLosesAtASeamIsListedAgain) {
  for (const std::size_t which : {2U, 3U, 5U, 10U}) {
    std::minstd_rand random(7);
    Bucket bucket(kPopulations[which].make(random), 500);
    bucket.wrong_after_what_is_not_there = true;
    Listing listing(bucket, {.prefix = "", .what = "b"}, kFarAway, 1);
    const std::vector<std::string> read = listing.ReadAll();
    EXPECT_TRUE(std::equal(read.begin(), read.end(), bucket.keys().begin(), bucket.keys().end()))
        << kPopulations[which].name;
  }
}

TEST(KeyRanges, AFirstPageWithoutKeysThatGoesOnIsGoneOnFrom) {
  KeyRanges ranges({.prefix = "", .what = "b"});
  ListingPage none;
  none.next = ListingCursor{"", "t", "", false};
  ranges.Arrived(*ranges.NextFetch(), std::move(none), kNear);
  EXPECT_EQ(ranges.NextFetch()->from.token, "t");
}

std::vector<KeyRanges::Fetch> FetchesOfAReaderWhoWaits(KeyRanges& ranges) {
  std::vector<KeyRanges::Fetch> fetches;
  while (auto fetch = ranges.NextFetch()) fetches.push_back(*fetch);
  ranges.Starved();
  while (auto fetch = ranges.NextFetch()) fetches.push_back(*fetch);
  return fetches;
}

TEST(KeyRanges, KeysOutOfOrderBeyondARangeEndTheListing) {
  KeyRanges ranges({.prefix = "", .what = "b"});
  Bucket bucket(Make(4'000, [](int i) { return Padded(static_cast<std::uint64_t>(i), 4); }), 100);
  const auto read_on = [&] {
    for (int round = 0; round < 40; ++round) {
      for (const KeyRanges::Fetch& fetch : FetchesOfAReaderWhoWaits(ranges)) {
        ListingPage page = bucket.List(fetch, "");
        if (page.entries.size() > 2 && ranges.ranges() > 1) {
          std::swap(page.entries.back(), page.entries[page.entries.size() - 2]);
        }
        ranges.Arrived(fetch, std::move(page), kFarAway);
      }
      while (ranges.TakePage()) continue;
    }
  };
  EXPECT_THROW(read_on(), Error);
}

// How many keys a reader who seldom takes a page, and none after some rounds, lets be held at most.
std::size_t MostHeld(Bucket& bucket, const KeyRangesOptions& options, int rounds = 50) {
  constexpr int kRoundsRead = 50;
  KeyRanges ranges(options);
  std::set<std::string> sent;  // what came twice is held once
  std::size_t taken = 0;
  std::size_t most = 0;
  for (int round = 0; round < rounds; ++round) {
    for (const KeyRanges::Fetch& fetch : FetchesOfAReaderWhoWaits(ranges)) {
      ListingPage page = bucket.List(fetch, "");
      for (const ListedEntry& entry : page.entries) sent.insert(entry.key.bytes());
      ranges.Arrived(fetch, std::move(page), kFarAway);
    }
    most = std::max(most, sent.size() - taken);
    if (round % 4 != 0 || round > kRoundsRead) continue;
    if (const auto page = ranges.TakePage()) taken += page->size();
  }
  return most;
}

TEST(KeyRanges, NoMoreKeysAreHeldThanAllowedAndThePageThatIsNeededNext) {
  std::minstd_rand random(3);
  Bucket bucket(kPopulations[3].make(random), 100);
  const std::size_t most =
      MostHeld(bucket, {.prefix = "", .what = "b", .requests_max = 32, .held_keys_max = 8'000});
  EXPECT_GT(most, 5'000U);
  EXPECT_LE(most, 9'000U);
}

TEST(KeyRanges, RangesOfOnePageEachAreNotReadAheadOfASlowReaderWithoutBound) {
  Bucket bucket(Make(100'000,
                     [](int i) {
                       return "dir-" + Padded(static_cast<std::uint64_t>(i) / 200, 6) + "/" +
                              Padded(static_cast<std::uint64_t>(i), 10);
                     }),
                1000);
  const std::size_t most =
      MostHeld(bucket, {.prefix = "", .what = "b", .requests_max = 32, .held_keys_max = 12'000},
               /*rounds=*/600);
  EXPECT_GT(most, 6'000U);
  EXPECT_LE(most, 16'000U);
}

TEST(KeyRanges, OfLongKeysFewerAreHeld) {
  Bucket bucket(
      Make(20'000,
           [](int i) { return std::string(900, 'x') + Padded(static_cast<std::uint64_t>(i), 12); }),
      100);
  const std::size_t most = MostHeld(
      bucket,
      {.prefix = "", .what = "b", .requests_max = 32, .held_bytes_max = std::size_t{8} << 20});
  EXPECT_GT(most, 5'000U);
  EXPECT_LE(most, 12'000U);  // with those that came in vain
}

class KeyRangesErrors : public testing::Test {
 protected:
  ListingPage Page(std::vector<std::string> keys, std::optional<std::string> token) {
    ListingPage page;
    for (std::string& key : keys) page.entries.emplace_back().key = Key(std::move(key));
    if (token) page.next = ListingCursor{"", *token, "", false};
    return page;
  }
  std::string Failure(ListingPage page) {
    try {
      ranges_.Arrived(*ranges_.NextFetch(), std::move(page), kNear);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
      return error.what();
    }
    return "";
  }
  KeyRanges ranges_{{.prefix = "p/", .what = "far:bucket"}};
};

TEST_F(KeyRangesErrors, KeysOutOfOrderEndTheListing) {
  EXPECT_EQ(Failure(Page({"p/b", "p/a"}, "t")),
            "far:bucket: the listing is not in key order at p/a");
}

TEST_F(KeyRangesErrors, AKeyThatComesTwiceEndsTheListing) {
  EXPECT_EQ(Failure(Page({"p/a", "p/a"}, "t")),
            "far:bucket: the listing is not in key order at p/a");
}

TEST_F(KeyRangesErrors, AKeyOutsideThePrefixEndsTheListing) {
  EXPECT_EQ(Failure(Page({"q/a"}, "t")),
            "far:bucket: the listing has a key outside its prefix: q/a");
}

TEST_F(KeyRangesErrors, AListingThatGoesOnWithoutSayingWhereEnds) {
  EXPECT_EQ(Failure(Page({"p/a"}, "")),
            "far:bucket: the listing says that it goes on, but not where");
}

}  // namespace
}  // namespace ferry
