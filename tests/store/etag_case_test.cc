#include "batch/store/etag_case.h"

#include <gtest/gtest.h>

namespace ferry {
namespace {

constexpr const char* kLower = "5b3c1a2e053d763e1b002cc607c5a0fe";
constexpr const char* kUpper = "5B3C1A2E053D763E1B002CC607C5A0FE";

TEST(EtagCase, SpellsAsTheProviderDoesUntilAnAnswerShowsOtherwise) {
  EtagCase etags(/*upper=*/true);
  EXPECT_EQ(etags.OnWire(kLower), kUpper);
  EXPECT_EQ(etags.OnWire(std::string(kLower) + "-2"), std::string(kUpper) + "-2");
  EXPECT_TRUE(etags.IsInDoubt());
  etags.Learn("\"" + std::string(kLower) + "\"");
  EXPECT_EQ(etags.OnWire(kLower), kLower);
  EXPECT_FALSE(etags.IsInDoubt());
  etags.Learn(kUpper + std::string("-7"));
  EXPECT_EQ(etags.OnWire(kLower), kUpper);
}

TEST(EtagCase, LeavesAloneWhatIsNoHexAndLearnsNothingOfIt) {
  EtagCase etags(/*upper=*/true);
  for (const char* opaque : {"", "\"", "Fabcdef", "\"FkGvu7GBKiLRLDlYqGgXTq7vZvXc\"", "\"0123\""}) {
    etags.Learn(opaque);
    EXPECT_EQ(etags.OnWire(opaque), opaque);
  }
  etags.Learn("\"01234567890123456789012345678901\"");  // no letter: says nothing
  EXPECT_EQ(etags.OnWire(kLower), kUpper);
  EXPECT_TRUE(etags.IsInDoubt());
  EXPECT_FALSE(EtagCase(/*upper=*/false).IsInDoubt());
}

}  // namespace
}  // namespace ferry
