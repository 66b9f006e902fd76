#include "batch/store/congestion_control.h"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/loopback_listener.h"

namespace ferry {
namespace {

using std::chrono::microseconds;

// A connection over the loopback.
class CongestionControlTest : public testing::Test {
 protected:
  CongestionControlTest() {
    before_ = Algorithm();
    other_ = before_ == "reno" ? "cubic" : "reno";
  }
  ~CongestionControlTest() override { close(socket_); }

  std::string Algorithm() const {
    char name[16] = "";
    socklen_t size = sizeof name;
    EXPECT_EQ(getsockopt(socket_, IPPROTO_TCP, TCP_CONGESTION, name, &size), 0);
    return name;
  }

  const test::LoopbackListener listener_;
  const int socket_ = listener_.Connect();
  std::string before_;
  std::string other_;  // that any process may use
};

TEST_F(CongestionControlTest, ALongConnectionGetsTheAlgorithm) {
  CongestionControl control(other_, microseconds(0));
  control.Apply(socket_);
  EXPECT_EQ(Algorithm(), other_);
}

TEST_F(CongestionControlTest, AShortConnectionIsLeftAsItIs) {
  CongestionControl control(other_, std::chrono::seconds(10));
  control.Apply(socket_);
  EXPECT_EQ(Algorithm(), before_);
}

TEST_F(CongestionControlTest, WithoutANameTheHostDecides) {
  CongestionControl control("", microseconds(0));
  control.Apply(socket_);
  EXPECT_EQ(Algorithm(), before_);
}

TEST_F(CongestionControlTest, WhatTheKernelDoesNotHaveLeavesTheConnectionAsItIsAndIsSaidOnce) {
  CongestionControl control("nosuch", microseconds(0));
  testing::internal::CaptureStderr();
  control.Apply(socket_);
  control.Apply(socket_);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(Algorithm(), before_);
  const std::size_t first = said.find("modprobe tcp_nosuch");
  ASSERT_NE(first, std::string::npos) << said;
  EXPECT_EQ(said.find("modprobe", first + 1), std::string::npos) << said;
}

TEST_F(CongestionControlTest, AConnectionThatIsNotThereYetIsToBeAskedAgain) {
  CongestionControl control(other_, microseconds(0));
  const int unconnected = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_FALSE(control.Apply(unconnected));
  close(unconnected);
  EXPECT_TRUE(control.Apply(socket_));
}

TEST(WhyNoCongestionControl, NamesWhatIsMissing) {
  const std::string why = WhyNoCongestionControl("nosuch").value_or("");
  EXPECT_EQ(why.find("this kernel has no nosuch, but "), 0U) << why;
  EXPECT_NE(why.find("reno"), std::string::npos) << why;
  EXPECT_NE(why.find("modprobe tcp_nosuch"), std::string::npos) << why;
}

TEST(WhyNoCongestionControl, SaysNothingOfWhatTheHostUses) {
  EXPECT_EQ(WhyNoCongestionControl("reno"), std::nullopt);
}

}  // namespace
}  // namespace ferry
