// ProviderServer: tests/servers/provider_server, which behaves as the stores of many providers do,
// as a process of its own on 127.0.0.1.
#pragma once

#include <sys/types.h>

#include <string>

namespace ferry::test {

class ProviderServer {
 public:
  // The one of this process; started at the first call, it ends with the process.
  static ProviderServer& Instance();

  // "http://oss.localhost:PORT"
  std::string Endpoint(const std::string& provider) const;
  static std::string AccessKey(const std::string& provider) { return "AK" + provider; }
  static std::string SecretKey(const std::string& provider) { return "SK" + provider; }

  ProviderServer(const ProviderServer&) = delete;
  ProviderServer& operator=(const ProviderServer&) = delete;

 private:
  ProviderServer();
  ~ProviderServer();

  pid_t process_ = -1;
  int input_ = -1;  // it ends when this is closed
  int port_ = 0;
};

}  // namespace ferry::test
