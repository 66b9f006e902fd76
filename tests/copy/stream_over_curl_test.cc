// One GET flowing into one PUT over real sockets, when either end goes wrong.
#include <gtest/gtest.h>

#include "batch/copy/object_copy.h"
#include "batch/store/curl_http.h"
#include "batch/store/s3_store.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scripted_http_server.h"

namespace ferry {
namespace {

using test::HttpText;
using test::ScriptedHttpServer;

class Anonymous final : public CredentialsSource {
 public:
  std::optional<Credentials> Get() override { return std::nullopt; }
  bool Refused() override { return false; }
};

class StreamOverCurl : public testing::Test {
 protected:
  static constexpr std::size_t kBytes = 8 << 20;  // far more than the ring holds

  ~StreamOverCurl() override { runner_.Stop(); }

  static S3Options Options(const ScriptedHttpServer& server) {
    return {"far",
            "bucket",
            {.provider = FindProvider("s3"), .region = "us-east-1", .endpoint = server.url()}};
  }
  static std::string ErrorText(int status, const std::string& code) {
    return HttpText(status, {}, "<Error><Code>" + code + "</Code></Error>");
  }
  // The kind, side and code of what CopyWhole throws.
  std::string Failure() {
    const Ends ends{runner_.loop(), source_, destination_, FindProvider("s3"), FindProvider("s3")};
    ObjectToCopy object{Key("a"), Key("b"), {"etag", kBytes, 0, ""}};
    Traffic traffic;
    try {
      runner_.Await([&] { return CopyWhole(ends, object, 1 << 20, traffic); });
    } catch (const SideError& error) {
      return std::string(error.side() == Side::kSource ? "source " : "destination ") +
             std::string(ToString(error.kind())) + " " + error.code();
    } catch (const Error& error) {
      return std::string("nobody ") + std::string(ToString(error.kind()));
    }
    return "none";
  }

  ScriptedHttpServer source_server_;
  ScriptedHttpServer destination_server_;
  Anonymous anonymous_;
  test::LoopRunner runner_;
  CurlHttp http_{runner_.loop(), {}};
  S3Store source_{Options(source_server_), http_, anonymous_, runner_.clock()};
  S3Store destination_{Options(destination_server_), http_, anonymous_, runner_.clock()};
};

TEST_F(StreamOverCurl, ARefusedUploadEndsADownloadThatWaitedForIt) {
  source_server_.Answer({.bytes = HttpText(200, {{"ETag", "\"etag\""}}, std::string(kBytes, 'x'))});
  // By then the ring is full and the download is paused.
  destination_server_.Answer({.bytes = ErrorText(503, "SlowDown"),
                              .when = test::ScriptedAnswer::When::kAfterHead,
                              .then = test::ScriptedAnswer::Then::kClose,
                              .delay = std::chrono::milliseconds(1500)});
  EXPECT_EQ(Failure().substr(0, 11), "destination");
}

TEST_F(StreamOverCurl, AnObjectThatIsGoneIsSaidToBeGone) {
  source_server_.Answer({.bytes = ErrorText(404, "NoSuchKey")});
  EXPECT_EQ(Failure(), "source not_found NoSuchKey");
  EXPECT_EQ(destination_server_.seen(), 0U);
}

TEST_F(StreamOverCurl, ADeniedObjectIsSaidToBeDenied) {
  source_server_.Answer({.bytes = ErrorText(403, "AccessDenied")});
  EXPECT_EQ(Failure(), "source denied AccessDenied");
}

TEST_F(StreamOverCurl, ABodyThatIsCutIsTheSourcesFailure) {
  std::string whole = HttpText(200, {{"ETag", "\"etag\""}}, std::string(kBytes, 'x'));
  whole.resize(whole.size() / 2);
  source_server_.Answer({.bytes = whole, .then = test::ScriptedAnswer::Then::kClose});
  destination_server_.Answer({.bytes = HttpText(200)});
  EXPECT_EQ(Failure().substr(0, 18), "source unavailable");
}

}  // namespace
}  // namespace ferry
