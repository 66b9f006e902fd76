#include "batch/base/batch_md5.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "batch/base/digest.h"
#include "batch/base/md5_blocks.h"

namespace ferry {
namespace {

std::string RandomBytes(std::minstd_rand& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() >> 8);
  return bytes;
}

// A body on its way, in pieces as they may come.
struct Passing {
  std::string body;
  std::size_t passed = 0;
  std::optional<BatchMd5> md5 = std::nullopt;

  // False: it has passed.
  bool PassSome(std::size_t bytes) {
    if (!md5) md5.emplace();
    const std::string_view piece = std::string_view(body).substr(passed, bytes);
    md5->Update(piece);
    passed += piece.size();
    return passed < body.size();
  }
};

TEST(BatchMd5, OfABodyThatPassesAloneIsThatOfOpenSsl) {
  std::minstd_rand random(1);
  for (std::size_t size = 0; size < 400; ++size) {
    Passing one{RandomBytes(random, size)};
    while (one.PassSome(1 + random() % 100)) {
    }
    EXPECT_EQ(one.md5->Finish(), Md5::Of(one.body)) << size;
  }
}

// However many there are, however long and in whatever turn they come.
TEST(BatchMd5, OfEachOfManyBodiesIsItsOwn) {
  for (const std::size_t count : {2U, 3U, 4U, 5U, 9U, 16U, 17U, 40U}) {
    SCOPED_TRACE(count);
    std::minstd_rand random(static_cast<unsigned>(count));
    std::vector<Passing> bodies;
    std::size_t begun = 0;
    for (; begun < 3 * count; ++begun) {
      const std::size_t most = begun % 4 == 0 ? 2'000'000 : 100'000;
      bodies.push_back({RandomBytes(random, random() % most)});
    }
    std::vector<Passing*> passing;
    std::size_t next = 0;
    while (next < begun || !passing.empty()) {
      while (next < begun && passing.size() < count) passing.push_back(&bodies[next++]);
      const std::size_t which = random() % passing.size();
      if (passing[which]->PassSome(random() % 130'000)) continue;
      Passing& one = *passing[which];
      EXPECT_EQ(one.md5->Finish(), Md5::Of(one.body));
      one.md5.reset();
      passing.erase(passing.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }
}

TEST(BatchMd5, OneThatIsGivenUpLeavesTheOthersAsTheyAre) {
  std::minstd_rand random(1);
  std::vector<Passing> bodies;
  for (int i = 0; i < 6; ++i) bodies.push_back({RandomBytes(random, 900'000)});
  for (int round = 0; round < 3; ++round) {
    for (Passing& one : bodies) one.PassSome(100'000);
  }
  bodies[1].md5.reset();
  bodies[4].md5 = BatchMd5();
  for (const std::size_t i : {0U, 2U, 3U, 5U}) {
    while (bodies[i].PassSome(100'000)) {
    }
    EXPECT_EQ(bodies[i].md5->Finish(), Md5::Of(bodies[i].body)) << i;
  }
  EXPECT_EQ(bodies[4].md5->Finish(), Md5::Of(""));
}

TEST(BatchMd5, ThreadsDoNotMeet) {
  const auto work = [](unsigned seed) {
    std::minstd_rand random(seed);
    std::vector<Passing> bodies;
    for (int i = 0; i < 5; ++i) bodies.push_back({RandomBytes(random, 700'000)});
    for (bool more = true; more;) {
      more = false;
      for (Passing& one : bodies) more = one.PassSome(60'000) || more;
    }
    for (Passing& one : bodies) EXPECT_EQ(one.md5->Finish(), Md5::Of(one.body));
  };
  std::vector<std::jthread> threads;
  for (unsigned seed = 1; seed <= 3; ++seed) threads.emplace_back(work, seed);
}

TEST(TakeMd5Blocks, IsTheSameInWhateverWidth) {
  constexpr std::size_t kBlocks = 3;
  std::minstd_rand random(1);
  for (const std::size_t width : {1U, 8U, 16U}) {
    if (width > Md5Width()) continue;
    for (std::size_t count = 0; count <= 35; ++count) {
      SCOPED_TRACE(std::to_string(count) + " messages, " + std::to_string(width) + " at once");
      std::vector<std::string> messages;
      std::vector<Md5State> states(count, kMd5Start);
      std::vector<Md5Stretch> stretches;
      for (std::size_t i = 0; i < count; ++i) {
        // RFC 1321, section 3.1: with a bit, zeros and the length in bits, it is whole blocks.
        std::string message = RandomBytes(random, kBlocks * kMd5BlockBytes - 9);
        message += '\x80';
        const std::uint64_t bits = (message.size() - 1) * 8;
        message.append(reinterpret_cast<const char*>(&bits), sizeof bits);
        messages.push_back(std::move(message));
      }
      for (std::size_t i = 0; i < count; ++i) stretches.push_back({&states[i], messages[i].data()});
      TakeMd5Blocks(stretches, kBlocks, width);
      for (std::size_t i = 0; i < count; ++i) {
        const std::string expected = Md5::Of(messages[i].substr(0, messages[i].size() - 9));
        EXPECT_EQ(std::string(reinterpret_cast<const char*>(states[i].data()), 16), expected) << i;
      }
    }
  }
}

}  // namespace
}  // namespace ferry
