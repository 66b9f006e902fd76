// TlsServer: a server on 127.0.0.1 with a certificate of its own that answers one request a
// connection with 200 and no body, and tells which connections resumed a session.
//
// A thread of its own; every wait ends after ten seconds.
#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ferry::test {

class TlsServer {
 public:
  TlsServer();
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  std::string url() const;      // "https://127.0.0.1:PORT"
  std::string ca_file() const;  // a PEM file that vouches for it

  // Of each connection so far, in order.
  std::vector<bool> resumed() const;

 private:
  void Serve();
  void Answer(int socket);

  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::filesystem::path ca_file_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<bool> resumed_;
  std::thread thread_;
};

}  // namespace ferry::test
