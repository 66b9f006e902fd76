#include "batch/store/spare_connections.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <thread>
#include <vector>

#include "batch/store/curl_http.h"
#include "tests/support/hand_clock.h"
#include "tests/support/loop_runner.h"
#include "tests/support/loopback_listener.h"
#include "tests/support/scripted_http_server.h"

namespace ferry {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr std::size_t kFirst = SpareConnections::kAtFirst;
constexpr std::size_t kAll = SpareConnections::kAtFirst + SpareConnections::kOnceOfUse;

class SpareConnectionsTest : public testing::Test {
 protected:
  ~SpareConnectionsTest() override { close(socket_); }
  int Take() { return spares_.Take(host_.address(), test::LoopbackListener::address_size()); }

  test::LoopbackListener host_;
  test::HandMovedClock clock_;
  SpareConnections spares_{clock_, microseconds(0)};  // everything is far away
  const int socket_ = host_.Connect();
};

TEST_F(SpareConnectionsTest, AFewAreOpenedBesideTheFirstConnectionToAHostFarAway) {
  spares_.Connected(socket_);
  spares_.Connected(socket_);
  EXPECT_TRUE(host_.Await(1 + kFirst));
  EXPECT_TRUE(host_.NothingElseCame());
}

TEST_F(SpareConnectionsTest, NoneAreOpenedToAHostNearby) {
  SpareConnections spares(clock_, seconds(10));
  spares.Connected(socket_);
  EXPECT_TRUE(host_.Await(1));
  EXPECT_TRUE(host_.NothingElseCame());
}

TEST_F(SpareConnectionsTest, TheFirstThatIsOfUseHasTheOthersOpened) {
  spares_.Connected(socket_);
  ASSERT_TRUE(host_.Await(1 + kFirst));
  const int spare = Take();
  ASSERT_GE(spare, 0);
  EXPECT_EQ(write(spare, "x", 1), 1);
  ASSERT_TRUE(host_.Await(1 + kAll));
  for (std::size_t left = kAll - 1; left > 0; --left) {
    const int other = Take();
    EXPECT_GE(other, 0);
    close(other);
  }
  EXPECT_EQ(Take(), -1);
  EXPECT_TRUE(host_.NothingElseCame());
  close(spare);
}

TEST_F(SpareConnectionsTest, OneThatTheHostHasClosedIsNotGivenOut) {
  spares_.Connected(socket_);
  ASSERT_TRUE(host_.Await(1 + kFirst));
  host_.EndAccepted();
  EXPECT_EQ(Take(), -1);
}

TEST_F(SpareConnectionsTest, WhatNobodyTakesInTimeIsClosed) {
  spares_.Connected(socket_);
  ASSERT_TRUE(host_.Await(1 + kFirst));
  clock_.Advance(SpareConnections::kKeptFor + seconds(1));
  spares_.CloseOld();
  for (std::size_t i = 1; i <= kFirst; ++i) EXPECT_TRUE(host_.Closes(i)) << i;
  EXPECT_EQ(Take(), -1);
}

TEST_F(SpareConnectionsTest, EachIsKeptForItsOwnTime) {
  spares_.Connected(socket_);
  ASSERT_TRUE(host_.Await(1 + kFirst));
  clock_.Advance(seconds(3));
  const int spare = Take();
  ASSERT_GE(spare, 0);
  close(spare);
  ASSERT_TRUE(host_.Await(1 + kAll));
  clock_.Advance(seconds(2));
  spares_.CloseOld();
  for (std::size_t i = 1; i <= kFirst; ++i) EXPECT_TRUE(host_.Closes(i)) << i;
  const int later = Take();
  EXPECT_GE(later, 0);
  close(later);
}

TEST_F(SpareConnectionsTest, OfManyHostsNoMoreAreOpenThanAllowed) {
  std::vector<std::unique_ptr<test::LoopbackListener>> hosts;
  std::size_t opened = 0;
  while (opened < SpareConnections::kOpenMax) {
    auto& host = *hosts.emplace_back(std::make_unique<test::LoopbackListener>());
    const int one = host.Connect();
    spares_.Connected(one);
    close(one);
    opened += kFirst;
    ASSERT_TRUE(host.Await(1 + kFirst));
  }
  spares_.Connected(socket_);
  EXPECT_TRUE(host_.Await(1));
  EXPECT_TRUE(host_.NothingElseCame());
}

TEST_F(SpareConnectionsTest, AnotherHostGetsNoneOfThem) {
  const test::LoopbackListener other;
  spares_.Connected(socket_);
  EXPECT_EQ(spares_.Take(other.address(), test::LoopbackListener::address_size()), -1);
}

TEST_F(SpareConnectionsTest, AHostThatTakesNoMoreLeavesThingsAsTheyAre) {
  auto gone = std::make_unique<test::LoopbackListener>();
  const int last = gone->Connect();
  ASSERT_TRUE(gone->Await(1));
  SpareConnections spares(clock_, microseconds(0));
  const sockaddr_in address = *reinterpret_cast<const sockaddr_in*>(gone->address());
  gone.reset();
  spares.Connected(last);
  EXPECT_EQ(spares.Take(reinterpret_cast<const sockaddr*>(&address), sizeof address), -1);
  close(last);
}

TEST(SpareConnections, ARequestThatNeedsAConnectionGoesOutOverOneOfThem) {
  test::ScriptedHttpServer server;
  test::LoopRunner runner;
  test::HandMovedClock clock;
  SpareConnections spares(clock, microseconds(0));
  CurlHttp http(runner.loop(), {.ca_file = {}, .spares = &spares});
  HttpRequest request;
  request.method = Method::kGet;
  request.url = server.url() + "/k";
  request.once = true;  // over a connection that no other request used
  server.AnswerAlways({.bytes = test::HttpText(200)});
  runner.Await([&] { return http.Send(request); });
  EXPECT_EQ(server.Take().connection, 1);
  const SystemClock real;
  const SteadyTime deadline = real.SteadyNow() + seconds(10);
  while (server.connections() < 1 + static_cast<int>(kFirst) && real.SteadyNow() < deadline) {
    std::this_thread::yield();
  }
  runner.Await([&] { return http.Send(request); });
  const int connection = server.Take().connection;
  EXPECT_GT(connection, 1);
  EXPECT_LE(connection, 1 + static_cast<int>(kFirst));
  runner.Stop();
}

}  // namespace
}  // namespace ferry
