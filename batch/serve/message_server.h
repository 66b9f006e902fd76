// MessageServer: a Poco HTTPServer for messages of bounded size, over HTTP or HTTPS.
//
// One request a connection. Threads and waiting connections are bounded, and so are the size and
// time of a request; over HTTPS only the time between two of its pieces.
#pragma once

#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace ferry {

struct MessageRequest {
  std::string method;
  std::string path;                // without a query
  std::string query = {};          // without its '?'; may hold secrets: never for a log
  std::string authorization = {};  // or empty
  std::string body = {};           // of a longer one MessageServerOptions::body_bytes_max + 1 bytes
};

struct MessageAnswer {
  int status = 200;
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct MessageServerOptions {
  std::string section;  // of the configuration, which errors name: "hook"
  std::string listen;   // as ListenBounded takes it
  std::size_t body_bytes_max = 0;
  // Both or none: HTTPS. With client_ca only clients with a certificate of that authority come in.
  std::filesystem::path certificate = {};
  std::filesystem::path key = {};
  std::filesystem::path client_ca = {};
};

class MessageServer {
 public:
  // Called on several threads at once. What it throws is answered with 503.
  using Answers = std::function<MessageAnswer(const MessageRequest&)>;

  // Listens and answers from here on. Throws Error{kConfig}: an address or a certificate that
  // cannot be; Error{kUnavailable}: the address cannot be listened on.
  MessageServer(const MessageServerOptions& options, Answers answers);

  // Returns once no request is under way.
  ~MessageServer();
  MessageServer(const MessageServer&) = delete;
  MessageServer& operator=(const MessageServer&) = delete;

  // "0.0.0.0:9848": with the port that was taken.
  std::string address() const;

 private:
  Poco::ThreadPool threads_;
  Poco::Net::ServerSocket socket_;
  Poco::Net::HTTPServer server_;
};

}  // namespace ferry
