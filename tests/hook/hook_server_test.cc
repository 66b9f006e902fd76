// The hook's socket: who comes in, and what of half a message.
#include "batch/hook/hook_server.h"

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gmock/gmock.h>

#include <array>

#include "tests/downstream/downstream_fixture.h"

namespace ferry {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class HookServerTest : public DownstreamFixture {
 protected:
  HookServerTest() { hook_.listen = "127.0.0.1:0"; }

  // Sends these bytes and nothing more, and reads the answer to its end.
  std::string Send(const HookServer& server, const std::string& bytes) {
    Poco::Net::StreamSocket socket{Poco::Net::SocketAddress(server.address())};
    socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
    socket.shutdownSend();
    std::string answer;
    std::array<char, 4096> buffer{};
    for (int count = 0; (count = socket.receiveBytes(buffer.data(), buffer.size())) > 0;) {
      answer.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return answer;
  }
  static std::string Post(const std::string& body, std::size_t length) {
    return "POST /events HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) +
           "\r\n\r\n" + body;
  }

  HookConfig hook_;
  Intake intake_{config_, [this] { return std::make_unique<pg::Session>(database_.options()); },
                 [] {}};
  HookEndpoints endpoints_{hook_, intake_};
};

TEST_F(HookServerTest, TakesAMessage) {
  const HookServer server(hook_, endpoints_);
  const std::string body = R"({"alerts":[]})";
  EXPECT_THAT(Send(server, Post(body, body.size())), StartsWith("HTTP/1.1 200"));
}

TEST_F(HookServerTest, HalfAMessageIsToBeSentAgain) {
  const HookServer server(hook_, endpoints_);
  EXPECT_THAT(Send(server, Post(R"({"alerts":[)", 500)), StartsWith("HTTP/1.1 503"));
}

TEST_F(HookServerTest, AnEndlessMessageIsTooLarge) {
  const HookServer server(hook_, endpoints_);
  const std::string body(kAlertBytesMax + 1, ' ');
  EXPECT_THAT(Send(server, Post(body, body.size())), StartsWith("HTTP/1.1 413"));
}

TEST_F(HookServerTest, ListensForOthersOnlyWhenItAsksWhoTheyAre) {
  hook_.listen = "0.0.0.0:0";
  try {
    const HookServer server(hook_, endpoints_);
    FAIL() << "anybody could come in";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("hook.token_file"));
  }
}

}  // namespace
}  // namespace ferry
