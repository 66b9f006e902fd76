// That a body which is slowed down arrives whole, whatever it waits for in between.
#include "batch/store/paced_store.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/odd_store.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

std::string Body(std::size_t bytes) {
  std::string body(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) body[i] = static_cast<char>(i * 31 + i / 251);
  return body;
}

GetRequest Whole(std::size_t bytes) {
  GetRequest request;
  request.key = Key("k");
  request.expected_bytes = bytes;
  return request;
}

test::ScriptedAnswer Object(const std::string& body) {
  return test::Says("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
}

// Takes no more than its reader made room for, as a ring does.
class Narrow final : public BodySink {
 public:
  Demand Push(std::string_view bytes) override {
    if (refuses) return Demand::kRefused;
    if (held + bytes.size() > 20'000) return Demand::kLater;
    held += bytes.size();
    body += bytes;
    return Demand::kTaken;
  }
  void WakeWriterBy(std::function<void()> wake) override { wake_ = std::move(wake); }
  void MakeRoom() {
    held = 0;
    if (wake_) wake_();
  }

  std::string body;
  std::size_t held = 0;
  bool refuses = false;

 private:
  std::function<void()> wake_;
};

class PacedStoreTest : public testing::Test {
 protected:
  Task<std::string> Get(std::size_t bytes) {
    MemorySink sink(bytes);
    std::function<void(const ObjectHead&)> ignore = [](const ObjectHead&) {};
    co_await paced_.Get(Whole(bytes), sink, ignore);
    co_return sink.body();
  }
  // Both what paces and what takes the body say "later" in turns.
  Task<std::string> GetIntoNarrow(std::size_t bytes) {
    Narrow sink;
    std::function<void(const ObjectHead&)> ignore = [](const ObjectHead&) {};
    Started<ObjectHead> get(paced_.Get(Whole(bytes), sink, ignore));
    while (!get.Done()) {
      co_await odd_.runner.loop().Sleep(milliseconds(1));
      sink.MakeRoom();
    }
    get.Take();
    co_return sink.body;
  }

  std::atomic<double> rate_{4 << 20};
  TokenBucket bucket_{[this](SteadyTime) { return rate_.load(); }};
  test::OddStore odd_;
  PacedStore paced_{odd_.store, odd_.runner.loop(), bucket_};
};

TEST_F(PacedStoreTest, BringsABodyWhole) {
  const std::string body = Body(1'000'003);
  odd_.server.Answer(Object(body));
  EXPECT_TRUE(odd_.runner.Await([&] { return Get(body.size()); }) == body);
}

TEST_F(PacedStoreTest, BringsABodyWholeInPiecesThatAreSmallerThanWhatLibcurlHands) {
  rate_ = 20'000;  // 5,000 bytes at a time
  const std::string body = Body(17'001);
  odd_.server.Answer(Object(body));
  EXPECT_TRUE(odd_.runner.Await([&] { return Get(body.size()); }) == body);
}

TEST_F(PacedStoreTest, BringsABodyWholeToATakerThatIsSlowItself) {
  const std::string body = Body(400'007);
  odd_.server.Answer(Object(body));
  EXPECT_TRUE(odd_.runner.Await([&] { return GetIntoNarrow(body.size()); }) == body);
}

TEST_F(PacedStoreTest, BodiesSideBySideAllArrive) {
  const std::string body = Body(50'000);
  std::vector<std::future<std::string>> all;
  all.reserve(12);
  for (int i = 0; i < 12; ++i) odd_.server.Answer(Object(body));
  for (int i = 0; i < 12; ++i) {
    all.push_back(odd_.runner.Start([&] { return Get(body.size()); }));
  }
  for (auto& one : all) EXPECT_TRUE(one.get() == body);
}

TEST_F(PacedStoreTest, ATakerThatGivesUpEndsTheRequest) {
  odd_.server.Answer(Object(Body(400'000)));
  const auto get = [&]() -> Task<Unit> {
    Narrow sink;
    sink.refuses = true;
    std::function<void(const ObjectHead&)> ignore = [](const ObjectHead&) {};
    co_await paced_.Get(Whole(400'000), sink, ignore);
    co_return Unit{};
  };
  EXPECT_EQ(odd_.EndOf(get).substr(0, 11), "unavailable");
}

TEST_F(PacedStoreTest, AStopDoesNotWaitForTheNextTurn) {
  rate_ = 0.001;  // after the first piece, the turn comes in days
  odd_.server.Answer(Object(Body(4096)));
  std::promise<void> begun;
  const auto get = [&]() -> Task<Unit> {
    WatchingSink sink([&](std::string_view) { begun.set_value(); });
    std::function<void(const ObjectHead&)> ignore = [](const ObjectHead&) {};
    co_await paced_.Get(Whole(4096), sink, ignore);
    co_return Unit{};
  };
  auto end = odd_.runner.Start(get);
  begun.get_future().wait();
  odd_.runner.Stop();
  EXPECT_EQ(test::KindOf([&] { end.get(); }), "stopped");
}

}  // namespace
}  // namespace ferry
