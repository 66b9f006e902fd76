// Requests by way of a configured proxy.
#include <gtest/gtest.h>

#include <cstdlib>

#include "batch/store/curl_http.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scripted_http_server.h"

namespace ferry {
namespace {

TEST(Proxy, OfAStoreIsAskedWhateverTheEnvironmentLeavesOut) {
  test::ScriptedHttpServer proxy;
  proxy.Answer({.bytes = test::HttpText(204)});
  test::LoopRunner runner;
  setenv("no_proxy", "*", 1);
  {
    CurlHttp http(runner.loop(), {.ca_file = {}, .proxy = proxy.url()});
    HttpRequest request;
    request.url = "http://bucket.s3.invalid/a/../b?x=1";
    EXPECT_EQ(runner.Await([&] { return http.Send(request); }).status, 204);
  }
  unsetenv("no_proxy");
  EXPECT_EQ(proxy.Take().target, "http://bucket.s3.invalid/a/../b?x=1");
  runner.Stop();
}

}  // namespace
}  // namespace ferry
