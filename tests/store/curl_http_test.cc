// The traps of libcurl, each over a server that answers what a test says.
#include "batch/store/curl_http.h"

#include <gtest/gtest.h>

#include <memory>

#include "batch/store/body.h"
#include "batch/store/classify.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scripted_http_server.h"
#include "tests/support/tls_server.h"

namespace ferry {
namespace {

using test::ChunkedText;
using test::ErrorOf;
using test::HttpText;
using test::KindOf;
using test::ScriptedAnswer;
using test::ScriptedHttpServer;
using test::SeenRequest;

// A body that flows, of `bytes` times 'x', never all at once.
class EndlessSource final : public BodySource {
 public:
  explicit EndlessSource(std::uint64_t bytes) : left_(bytes) {}
  Piece Pull(char* to, std::size_t size) override {
    if (left_ == 0) return {Supply::kEnd, 0};
    const std::size_t moved = std::min<std::uint64_t>({size, left_, 5000});
    std::fill_n(to, moved, 'x');
    left_ -= moved;
    return {Supply::kSome, moved};
  }
  void WakeReaderBy(std::function<void()>) override {}

 private:
  std::uint64_t left_;
};

class CurlHttpTest : public testing::Test {
 protected:
  ~CurlHttpTest() override { runner_.Stop(); }

  HttpAnswer Send(HttpRequest& request) {
    return runner_.Await([&] { return http_.Send(request); });
  }
  HttpAnswer Send(Method method, const std::string& path, std::string_view body = {}) {
    HttpRequest request;
    request.method = method;
    request.url = server_.url() + path;
    request.body = body;
    return Send(request);
  }
  void Answer(std::string bytes) { server_.Answer({.bytes = std::move(bytes)}); }

  ScriptedHttpServer server_;
  test::LoopRunner runner_;
  CurlHttp http_{runner_.loop(), {.ca_file = {}, .connect_timeout = std::chrono::seconds(5)}};
};

TEST_F(CurlHttpTest, EveryVerbGoesOutAsItselfOnAReusedHandle) {
  const Method verbs[] = {Method::kDelete, Method::kGet,    Method::kPut,  Method::kPost,
                          Method::kGet,    Method::kHead,   Method::kPut,  Method::kGet,
                          Method::kPost,   Method::kDelete, Method::kHead, Method::kPost};
  for (const Method method : verbs) {
    Answer(HttpText(204));
    EXPECT_EQ(Send(method, "/k").status, 204);
    EXPECT_EQ(server_.Take().method, ToString(method));
  }
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(CurlHttpTest, PathsAreSentByteForByte) {
  for (const char* path : {"/../k", "/a/../b", "/a/./b", "/a/.", "/.", "/..", "/a//b",
                           "/a/..?x=/../y", "/%2e%2e/k", "/a%2Fb", "/%C3%A9"}) {
    Answer(HttpText(200));
    Send(Method::kGet, path);
    EXPECT_EQ(server_.Take().target, path);
  }
}

TEST_F(CurlHttpTest, ABodyOfNoBytesSaysContentLengthZero) {
  for (const Method method : {Method::kPut, Method::kPost}) {
    Answer(HttpText(200));
    Send(method, "/empty");
    const SeenRequest seen = server_.Take();
    EXPECT_EQ(seen.Header("content-length"), "0") << seen.head;
    EXPECT_FALSE(seen.Has("transfer-encoding")) << seen.head;
  }
}

TEST_F(CurlHttpTest, BodiesArriveWholeWithTheirLengthAndWithoutExpect) {
  for (const std::size_t size : {1U, 1000U, 1'500'000U}) {
    for (const Method method : {Method::kPut, Method::kPost}) {
      const std::string body(size, 'b');
      Answer(HttpText(200));
      Send(method, "/b", body);
      const SeenRequest seen = server_.Take();
      EXPECT_TRUE(seen.body == body) << size;
      EXPECT_EQ(seen.Header("content-length"), std::to_string(size));
      EXPECT_FALSE(seen.Has("expect")) << seen.head;
      EXPECT_FALSE(seen.Has("transfer-encoding")) << seen.head;
    }
  }
}

TEST_F(CurlHttpTest, APostHasNoContentTypeUnlessGivenOne) {
  HttpRequest request;
  request.method = Method::kPost;
  request.url = server_.url() + "/k?uploads";
  Answer(HttpText(200));
  Send(request);
  EXPECT_FALSE(server_.Take().Has("content-type"));
  request.headers = {{"content-type", "video/mp4"}};
  Answer(HttpText(200));
  Send(request);
  EXPECT_EQ(server_.Take().Header("content-type"), "video/mp4");
}

TEST_F(CurlHttpTest, HeaderValuesAreSentAsGivenAlsoWhenEmpty) {
  HttpRequest request;
  request.url = server_.url() + "/k";
  request.headers = {{"x-amz-meta-empty", ""}, {"x-amz-meta-spaces", "a  b"}, {"x-one", "1"}};
  Answer(HttpText(200));
  Send(request);
  const SeenRequest seen = server_.Take();
  EXPECT_TRUE(seen.Has("x-amz-meta-empty")) << seen.head;
  EXPECT_EQ(seen.Header("x-amz-meta-empty"), "");
  EXPECT_EQ(seen.Header("x-amz-meta-spaces"), "a  b");
  EXPECT_FALSE(seen.Has("accept"));
}

TEST_F(CurlHttpTest, AHeadWithALengthDoesNotWaitForABody) {
  Answer("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nETag: \"e\"\r\n\r\n");
  const HttpAnswer answer = Send(Method::kHead, "/k");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(FindHeader(answer.headers, "content-length"), "12345");
  EXPECT_EQ(answer.body, "");
}

TEST_F(CurlHttpTest, ABodyThatIsCutIsUnavailableWhereItsLengthWasSaid) {
  const ScriptedAnswer cuts[] = {
      {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
       .then = ScriptedAnswer::Then::kClose},
      {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
       .then = ScriptedAnswer::Then::kClose},
      {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
       .then = ScriptedAnswer::Then::kReset},
  };
  for (const ScriptedAnswer& cut : cuts) {
    server_.Answer(cut);
    EXPECT_EQ(KindOf([&] { Send(Method::kGet, "/k"); }), "unavailable") << cut.bytes;
  }
}

TEST_F(CurlHttpTest, ABodyWithoutALengthEndsWithItsConnection) {
  server_.Answer({.bytes = "HTTP/1.1 200 OK\r\n\r\nhalf", .then = ScriptedAnswer::Then::kClose});
  EXPECT_EQ(Send(Method::kGet, "/k").body, "half");  // who asked must know how much it should be
}

TEST_F(CurlHttpTest, NoAnswerAtAllIsUnavailable) {
  server_.Answer({.bytes = "", .then = ScriptedAnswer::Then::kClose});
  server_.Answer({.bytes = "", .then = ScriptedAnswer::Then::kReset});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(KindOf([&] { Send(Method::kPost, "/k"); }), "unavailable") << i;
  }
}

TEST_F(CurlHttpTest, AnAnswerCutInItsHeadersIsUnavailable) {
  for (const char* cut :
       {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nETa", "HTTP/1.1 200 OK\r\nETag: \"e\"\r\n"}) {
    for (const Method method : {Method::kPut, Method::kPost, Method::kGet, Method::kDelete}) {
      server_.Answer({.bytes = cut, .then = ScriptedAnswer::Then::kClose});
      EXPECT_EQ(KindOf([&] { Send(method, "/k"); }), "unavailable") << ToString(method) << cut;
    }
  }
}

TEST_F(CurlHttpTest, WhatIsNoHttpIsNeverAnAnswer) {
  server_.Answer({.bytes = "SSH-2.0-OpenSSH_9.2\r\n", .then = ScriptedAnswer::Then::kClose});
  EXPECT_NE(KindOf([&] { Send(Method::kGet, "/k"); }), "none");
}

TEST_F(CurlHttpTest, AServerThatIsNotThereIsUnavailable) {
  HttpRequest request;
  {
    const ScriptedHttpServer gone;
    request.url = gone.url() + "/k";
  }
  EXPECT_EQ(KindOf([&] { Send(request); }), "unavailable");
}

TEST_F(CurlHttpTest, CompressedBodiesStayAsTheyAreStored) {
  const std::string stored("\x1f\x8b\x08\x00not really deflated", 22);
  Answer(HttpText(200, {{"Content-Encoding", "gzip"}}, stored));
  EXPECT_EQ(Send(Method::kGet, "/k").body, stored);
}

TEST_F(CurlHttpTest, ChunkedAnswersComeTogether) {
  const std::string body(100'000, 'c');
  Answer(ChunkedText(200, {}, body, 777));
  EXPECT_TRUE(Send(Method::kGet, "/k").body == body);
}

TEST_F(CurlHttpTest, ARedirectIsAnAnswerAndNothingGoesWhereItPoints) {
  ScriptedHttpServer elsewhere;
  for (const int status : {301, 302, 303, 307, 308}) {
    Answer(HttpText(status, {{"Location", elsewhere.url() + "/stolen"}}));
    HttpRequest request;
    request.url = server_.url() + "/k";
    request.headers = {{"authorization", "secret"}, {"x-amz-security-token", "secret"}};
    EXPECT_EQ(Send(request).status, status);
  }
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(CurlHttpTest, AnEarly503DuringALargeUploadIsTheAnswer) {
  for (const bool close : {false, true}) {
    server_.Answer(
        {.bytes = HttpText(503, {}, "<Error><Code>SlowDown</Code></Error>"),
         .when = ScriptedAnswer::When::kAfterHead,
         .then = close ? ScriptedAnswer::Then::kClose : ScriptedAnswer::Then::kKeepOpen});
    EndlessSource source(20 << 20);
    HttpRequest request;
    request.method = Method::kPut;
    request.url = server_.url() + "/large";
    request.source = &source;
    request.source_bytes = 20 << 20;
    const HttpAnswer answer = Send(request);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body, "<Error><Code>SlowDown</Code></Error>");
  }
}

TEST_F(CurlHttpTest, WithExpectARefusalCostsNoBody) {
  server_.Answer({.bytes = HttpText(503),
                  .when = ScriptedAnswer::When::kAfterHead,
                  .then = ScriptedAnswer::Then::kClose});
  EndlessSource source(20 << 20);
  HttpRequest request;
  request.method = Method::kPut;
  request.url = server_.url() + "/large";
  request.source = &source;
  request.source_bytes = 20 << 20;
  request.expect_continue = true;
  EXPECT_EQ(Send(request).status, 503);
  const SeenRequest seen = server_.Take();
  EXPECT_EQ(seen.Header("expect"), "100-continue");
  EXPECT_EQ(seen.body.size(), 0U);
}

TEST_F(CurlHttpTest, WithExpectTheBodyGoesAfterA100AndAlsoWithoutOne) {
  for (const bool says_continue : {true, false}) {
    server_.Answer({.bytes = HttpText(200, {{"ETag", "\"e\""}}), .continue_first = says_continue});
    EndlessSource source(3 << 20);
    HttpRequest request;
    request.method = Method::kPut;
    request.url = server_.url() + "/large";
    request.source = &source;
    request.source_bytes = 3 << 20;
    request.expect_continue = true;
    const HttpAnswer answer = Send(request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(FindHeader(answer.headers, "etag"), "\"e\"");
    EXPECT_EQ(server_.Take().body.size(), 3U << 20);
  }
}

TEST_F(CurlHttpTest, AnAnswerInMemoryIsBounded) {
  HttpRequest request;
  request.url = server_.url() + "/k";
  request.body_bytes_max = 1000;
  Answer(HttpText(200, {}, std::string(1000, 'x')));
  EXPECT_EQ(Send(request).body.size(), 1000U);
  Answer(HttpText(200, {}, std::string(1001, 'x')));
  EXPECT_EQ(KindOf([&] { Send(request); }), "corrupt");
}

TEST_F(CurlHttpTest, HeadersAreBounded) {
  std::string text = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 200; ++i)
    text += "x-" + std::to_string(i) + ": " + std::string(900, 'h') + "\r\n";
  Answer(text + "Content-Length: 0\r\n\r\n");
  EXPECT_NE(KindOf([&] { Send(Method::kGet, "/k"); }), "none");
}

TEST_F(CurlHttpTest, OnlyTheBodyOfASuccessGoesToASink) {
  for (const int status : {200, 206, 404, 503}) {
    Answer(HttpText(status, {}, "body"));
    MemorySink sink(100);
    HttpRequest request;
    request.url = server_.url() + "/k";
    request.sink = &sink;
    const HttpAnswer answer = Send(request);
    const bool success = status < 300;
    EXPECT_EQ(sink.body(), success ? "body" : "") << status;
    EXPECT_EQ(answer.body, success ? "" : "body") << status;
  }
}

TEST_F(CurlHttpTest, TheHeadIsKnownOnceBeforeTheFirstByte) {
  Answer("HTTP/1.1 100 Continue\r\n\r\n" + HttpText(200, {{"ETag", "\"e\""}}, "body"));
  MemorySink sink(100);
  int calls = 0;
  HttpRequest request;
  request.url = server_.url() + "/k";
  request.sink = &sink;
  request.on_head = [&](const HttpAnswer& head) {
    calls += 1;
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(FindHeader(head.headers, "etag"), "\"e\"");
    EXPECT_EQ(sink.body(), "");
  };
  Send(request);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(sink.body(), "body");
}

TEST_F(CurlHttpTest, WhatOnHeadThrowsIsWhatTheCallerGets) {
  Answer(HttpText(200, {}, "body"));
  HttpRequest request;
  request.url = server_.url() + "/k";
  request.on_head = [](const HttpAnswer&) { throw Error(ErrorKind::kConflict, "changed"); };
  EXPECT_EQ(KindOf([&] { Send(request); }), "conflict");
}

TEST_F(CurlHttpTest, ASinkThatGivesUpEndsTheRequest) {
  Answer(HttpText(200, {}, std::string(1000, 'x')));
  MemorySink sink(10);
  HttpRequest request;
  request.url = server_.url() + "/k";
  request.sink = &sink;
  EXPECT_EQ(KindOf([&] { Send(request); }), "unavailable");
}

TEST_F(CurlHttpTest, APausedDownloadEndsWhenItsReaderHasGone) {
  Answer(HttpText(200, {}, std::string(500'000, 'x')));
  Ring ring(32 << 10, [](std::string_view) {});  // nobody reads: it fills, and the transfer pauses
  HttpRequest request;
  request.url = server_.url() + "/k";
  request.sink = &ring;
  auto download = runner_.Start([&] { return http_.Send(request); });
  runner_.Await([&]() -> Task<Unit> {
    while (ring.pushed_bytes() == 0) co_await runner_.loop().Sleep(std::chrono::milliseconds(5));
    co_await runner_.loop().Sleep(std::chrono::milliseconds(50));
    ring.Refuse();
    co_return Unit{};
  });
  ASSERT_EQ(download.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_EQ(KindOf([&] { download.get(); }), "unavailable");
}

TEST_F(CurlHttpTest, ABodyInMemoryIsSentAgainWhenAReusedConnectionWasClosed) {
  Answer(HttpText(200));
  server_.Answer({.bytes = "", .then = ScriptedAnswer::Then::kClose});
  Answer(HttpText(200));
  Send(Method::kPut, "/1", "first");
  server_.Take();
  // Whether libcurl sends it again or we hear of it, half a body is never taken for a whole one.
  try {
    EXPECT_EQ(Send(Method::kPut, "/2", "second").status, 200);
    server_.Take();
    EXPECT_EQ(server_.Take().body, "second");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  }
}

TEST_F(CurlHttpTest, AConnectionThatIsNotMadeOrBreaksIsToldFromAnErrorOfTheServer) {
  HttpRequest request;
  request.url = "http://127.0.0.1:1/k";
  EXPECT_EQ(test::ErrorOf([&] { Send(request); })->code(), kDisconnected);
  request.url = server_.url() + "/k";
  server_.Answer({.bytes = "", .then = ScriptedAnswer::Then::kReset});
  EXPECT_EQ(test::ErrorOf([&] { Send(request); })->code(), kDisconnected);
  server_.Answer({.bytes = "HTTP/1.1 200 OK\r\nETag", .then = ScriptedAnswer::Then::kClose});
  EXPECT_EQ(test::ErrorOf([&] { Send(request); })->code(), kDisconnected);
  Answer(HttpText(502));
  EXPECT_EQ(Send(request).status, 502);
}

TEST_F(CurlHttpTest, AServerThatFallsSilentIsGivenUp) {
  server_.Answer({.bytes = HttpText(200),
                  .then = ScriptedAnswer::Then::kClose,
                  .delay = std::chrono::seconds(6)});
  HttpRequest request;
  request.url = server_.url() + "/k";
  request.idle_timeout = std::chrono::seconds(1);
  const SteadyTime began = runner_.clock().SteadyNow();
  EXPECT_EQ(KindOf([&] { Send(request); }), "unavailable");
  EXPECT_LT(runner_.clock().SteadyNow() - began, std::chrono::seconds(5));
}

TEST_F(CurlHttpTest, ABodyThatOnlyDripsIsGivenUp) {
  test::ScriptedAnswer drip{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"};
  drip.pieces.assign(40, "x");
  drip.piece_delay = std::chrono::milliseconds(100);
  server_.Answer(drip);
  MemorySink sink(1000);
  HttpRequest request;
  request.url = server_.url() + "/k";
  request.sink = &sink;
  request.idle_timeout = std::chrono::seconds(1);
  const auto error = test::ErrorOf([&] { Send(request); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error->code(), kTimedOut);
  EXPECT_LT(sink.body().size(), 40U);
}

TEST_F(CurlHttpTest, WithExpectA417IsAnsweredByTheSameWithoutIt) {
  server_.Answer({.bytes = HttpText(417, {{"Connection", "close"}}),
                  .when = ScriptedAnswer::When::kAfterHead});
  server_.Answer({.bytes = HttpText(200, {{"ETag", "\"e\""}})});
  EndlessSource source(3 << 20);
  HttpRequest request;
  request.method = Method::kPut;
  request.url = server_.url() + "/large";
  request.source = &source;
  request.source_bytes = 3 << 20;
  request.expect_continue = true;
  EXPECT_EQ(Send(request).status, 200);
  EXPECT_EQ(server_.Take().body.size(), 0U);
  const SeenRequest second = server_.Take();
  EXPECT_FALSE(second.Has("expect"));
  EXPECT_EQ(second.body.size(), 3U << 20);
}

TEST_F(CurlHttpTest, AStoppedLoopEndsARequestAsStopped) {
  server_.Answer({.bytes = HttpText(200), .delay = std::chrono::seconds(3)});
  HttpRequest request;
  request.url = server_.url() + "/k";
  auto future = runner_.Start([&] { return http_.Send(request); });
  while (server_.seen() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  runner_.Stop();
  EXPECT_EQ(KindOf([&] { future.get(); }), "stopped");
}

TEST_F(CurlHttpTest, ADownloadBecomesAnUploadThroughASmallRing) {
  // The reader is slower than the writer: the transfer pauses and goes on, many times.
  const std::string body(400'000, 'r');
  Answer(HttpText(200, {}, body));
  server_.Answer({.bytes = HttpText(200), .delay = std::chrono::milliseconds(50)});
  auto ring = std::make_shared<Ring>(32 << 10, [](std::string_view) {});
  HttpRequest get, put;
  get.url = server_.url() + "/from";
  get.sink = ring.get();
  put.method = Method::kPut;
  put.url = server_.url() + "/to";
  put.source = ring.get();
  put.source_bytes = body.size();
  auto download = runner_.Start([&]() -> Task<Unit> {
    co_await http_.Send(get);
    ring->Close();
    co_return Unit{};
  });
  server_.Take();
  const HttpAnswer answer = Send(put);
  download.get();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(server_.Take().body == body);
}

// A handshake costs a round trip less where a session is gone on with.
TEST(CurlHttpOverTls, ANewConnectionToAKnownServerGoesOnWithItsSession) {
  const test::TlsServer server;
  test::LoopRunner runner;
  CurlHttp http(runner.loop(), {.ca_file = server.ca_file()});
  for (int i = 0; i < 3; ++i) {
    HttpRequest request;
    request.url = server.url() + "/k";
    EXPECT_EQ(runner.Await([&] { return http.Send(request); }).status, 200);
  }
  runner.Stop();
  EXPECT_EQ(server.resumed(), (std::vector<bool>{false, true, true}));
}

TEST(CurlHttpOverTls, AServerThatNobodyVouchesForGetsNoRequest) {
  const test::TlsServer server;
  test::LoopRunner runner;
  CurlHttp http(runner.loop(), {});
  HttpRequest request;
  request.url = server.url() + "/k";
  const auto error = ErrorOf([&] { runner.Await([&] { return http.Send(request); }); });
  ASSERT_TRUE(error);
  EXPECT_NE(std::string(error->what()).find("certificate"), std::string::npos) << error->what();
  runner.Stop();
  EXPECT_TRUE(server.resumed().empty());
}

}  // namespace
}  // namespace ferry
