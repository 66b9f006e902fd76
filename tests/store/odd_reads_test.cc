// Answers to a read as no healthy server gives them: each row ends in exactly the object that was
// asked for, or in an error.
#include <gtest/gtest.h>

#include "tests/support/odd_store.h"

namespace ferry {
namespace {

using std::chrono::seconds;
using test::CutBody;
using test::ErrorXml;
using test::HttpText;
using test::OddStore;
using test::Says;
using test::ScriptedAnswer;

constexpr const char* kEtag = "\"900150983cd24fb0d6963f7d28e17f72\"";  // of "abc"

// Reads "abc", pinned; what was taken of it is in `sink`.
std::string Read(OddStore& odd, MemorySink& sink) {
  GetRequest request;
  request.key = Key("k");
  request.if_match = "900150983cd24fb0d6963f7d28e17f72";
  request.expected_bytes = 3;
  return odd.EndOf([&] { return odd.store.Get(request, sink, [](const ObjectHead&) {}); });
}

ScriptedAnswer Object(const NameValues& headers, const std::string& body) {
  NameValues all = headers;
  all.push_back({"ETag", kEtag});
  return Says(HttpText(200, all, body));
}

TEST(OddRead, IsTheObjectOrAnError) {
  struct {
    const char* fact;
    ScriptedAnswer answer;
    const char* end;
  } const cases[] = {
      {"chunks instead of a length", Says(test::ChunkedText(200, {{"ETag", kEtag}}, "abc", 2)),
       "none"},
      {"chunks with more than the object has",
       Says(test::ChunkedText(200, {{"ETag", kEtag}}, "abcd", 2)), "corrupt"},
      {"chunks with less than the object has",
       Says(test::ChunkedText(200, {{"ETag", kEtag}}, "ab", 2)), "unavailable Disconnected"},
      {"a body that ends with the connection",
       {.bytes = "HTTP/1.1 200 OK\r\nETag: " + std::string(kEtag) + "\r\n\r\nabc",
        .then = ScriptedAnswer::Then::kClose},
       "none"},
      {"compressed on the way: other bytes than are stored",
       Says(test::ChunkedText(200, {{"ETag", kEtag}, {"Content-Encoding", "gzip"}},
                              "\x1f\x8b\x08 and more", 5)),
       "corrupt"},
      {"compressed on the way, with its length", Object({{"Content-Encoding", "gzip"}}, "\x1f\x8b"),
       "conflict"},
      {"an ETag in quotes twice",
       Says(HttpText(200, {{"ETag", "\"\"900150983cd24fb0d6963f7d28e17f72\"\""}}, "abc")), "none"},
      {"an ETag without quotes",
       Says(HttpText(200, {{"ETag", "900150983cd24fb0d6963f7d28e17f72"}}, "abc")), "none"},
      {"a weak ETag in capitals",
       Says(HttpText(200, {{"ETag", "W/\"900150983CD24FB0D6963F7D28E17F72\""}}, "abc")), "none"},
      {"no ETag", Says(HttpText(200, {}, "abc")), "corrupt MalformedAnswer"},
      {"an empty ETag", Says(HttpText(200, {{"ETag", "\"\""}}, "abc")), "corrupt MalformedAnswer"},
      {"a web page in place of the object",
       Says(HttpText(200, {{"Content-Type", "text/html"}}, "<html>Log in</html>")),
       "corrupt MalformedAnswer"},
      {"nothing at all, with success", Says(HttpText(204, {{"ETag", kEtag}})), "corrupt"},
      {"a failed pin as 304", Says(HttpText(304, {{"ETag", kEtag}})), "conflict"},
      {"an empty 500", Says(HttpText(500)), "unavailable"},
      {"an empty 502", Says(HttpText(502)), "unavailable"},
      {"an empty 504", Says(HttpText(504)), "unavailable"},
      {"a proxy's 520", Says(HttpText(520)), "unavailable"},
      {"a web page as 503",
       Says(HttpText(503, {{"Content-Type", "text/html"}}, "<html>busy</html>")), "throttled"},
      {"JSON as 429", Says(HttpText(429, {}, "{\"slow\": \"down\"}")), "throttled"},
      {"a bandwidth limit as 509", Says(HttpText(509)), "throttled"},
      {"a time-out as 400", Says(HttpText(400, {}, ErrorXml("RequestTimeout"))),
       "unavailable RequestTimeout"},
      {"a time-out as 408", Says(HttpText(408)), "unavailable RequestTimeout"},
      {"the code in a header", Says(HttpText(503, {{"x-minio-error-code", "SlowDownRead"}})),
       "throttled SlowDownRead"},
      {"an error without a namespace, after white space",
       Says(HttpText(404, {}, " \n" + ErrorXml("NoSuchKey"))), "not_found NoSuchKey"},
      {"an error in a name space",
       Says(HttpText(404, {}, "<s:Error xmlns:s=\"urn:x\"><s:Code>NoSuchKey</s:Code></s:Error>")),
       "not_found NoSuchKey"},
      {"an error that is cut after its code",
       Says(HttpText(404, {}, "<Error><Code>NoSuchKey</Code><Mess")), "not_found NoSuchKey"},
      {"an error with two megabytes behind it",
       Says(HttpText(404, {}, "<Error><Code>NoSuchKey</Code><X>" + std::string(2 << 20, 'x'))),
       "not_found NoSuchKey"},
      {"a status that is none", Says("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"), "corrupt"},
      {"a redirect of a configured endpoint",
       Says(HttpText(307, {{"Location", "https://bucket.s3.amazonaws.com/k"}})), "invalid"},
      {"no HTTP at all",
       {.bytes = "SSH-2.0-OpenSSH_9.2\r\n", .then = ScriptedAnswer::Then::kClose},
       "unavailable Disconnected"},
  };
  for (const auto& c : cases) {
    OddStore odd({c.answer});
    MemorySink sink(1000);
    EXPECT_EQ(Read(odd, sink), c.end) << c.fact;
    if (std::string(c.end) == "none") {
      EXPECT_EQ(sink.body(), "abc") << c.fact;
    }
    EXPECT_LE(sink.body().size(), 3U) << c.fact;  // never more than was asked for
    EXPECT_EQ(odd.server.seen(), 1U) << c.fact;
  }
}

TEST(OddRead, ThatIsCutIsUnavailableInAllThreeWays) {
  for (const char* way : {"length", "chunks", "close"}) {
    OddStore odd({CutBody(way, "ETag: " + std::string(kEtag) + "\r\n", "ab")});
    MemorySink sink(1000);
    const std::string end = Read(odd, sink);
    // A length that is not the object's is told before the cut is.
    EXPECT_EQ(end, std::string(way) == "length" ? "conflict" : "unavailable Disconnected") << way;
  }
  OddStore odd({{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: " + std::string(kEtag) +
                          "\r\n\r\nab",
                 .then = ScriptedAnswer::Then::kReset}});
  MemorySink sink(1000);
  EXPECT_EQ(Read(odd, sink), "unavailable Disconnected");
}

TEST(OddRead, TheStoreSaysWhenToComeBackInEachFormOfRetryAfter) {
  struct {
    NameValues headers;
    seconds pause;
  } const cases[] = {
      {{}, seconds(0)},
      {{{"Retry-After", "17"}}, seconds(17)},
      {{{"Retry-After", "86400"}}, seconds(60)},
      {{{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"Retry-After", "Sun, 06 Nov 1994 08:49:47 GMT"}},
       seconds(10)},
      {{{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"Retry-After", "Sun, 06 Nov 1994 08:00:00 GMT"}},
       seconds(0)},
      {{{"Retry-After", "later"}}, seconds(0)},
  };
  for (const auto& c : cases) {
    OddStore odd({Says(HttpText(503, c.headers, ErrorXml("SlowDown")))});
    MemorySink sink(1000);
    EXPECT_EQ(Read(odd, sink), "throttled SlowDown");
    EXPECT_EQ(odd.last_error->retry_after(), c.pause);
  }
}

TEST(OddHead, IsTheObjectOrAnError) {
  struct {
    const char* fact;
    std::vector<ScriptedAnswer> answers;
    const char* end;
  } const cases[] = {
      {"a web page for every path",
       {Says("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n")},
       "invalid"},
      {"no ETag",
       {Says("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")},
       "corrupt MalformedAnswer"},
      {"hidden: a 403 for what is not there",
       {Says("HTTP/1.1 403 Forbidden\r\n\r\n"), Says(HttpText(403, {}, ErrorXml("AccessDenied")))},
       "denied AccessDenied"},
      {"a 404 of the bucket",
       {Says("HTTP/1.1 404 Not Found\r\n\r\n"), Says(HttpText(404, {}, ErrorXml("NoSuchBucket")))},
       "not_found NoSuchBucket"},
      {"a 503 has no body either", {Says("HTTP/1.1 503 Slow\r\n\r\n")}, "throttled"},
  };
  for (const auto& c : cases) {
    OddStore odd(c.answers);
    EXPECT_EQ(odd.EndOf([&] { return odd.store.Head(Key("k")); }), c.end) << c.fact;
    EXPECT_EQ(odd.server.seen(), c.answers.size()) << c.fact;
  }
}

}  // namespace
}  // namespace ferry
