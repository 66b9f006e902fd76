// HttpServer: Endpoints behind a Poco HTTPServer.
//
// One request a connection, so that a client that keeps its connection holds no thread. Threads,
// waiting connections, and the size and time of a request are bounded.
#pragma once

#include <Poco/Net/HTTPServer.h>
#include <Poco/ThreadPool.h>

#include <cstdint>
#include <string>

#include "exporter/endpoints.h"

namespace ferry::exporter {

class HttpServer {
 public:
  // Listens and answers from here on. Throws what ListenBounded does. `endpoints` must outlive
  // this object.
  HttpServer(const std::string& listen, Endpoints& endpoints);

  // Returns once no request is under way.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "0.0.0.0:9847": with the port that was taken.
  std::string address() const;

 private:
  Poco::ThreadPool threads_;
  Poco::Net::ServerSocket socket_;
  Poco::Net::HTTPServer server_;
};

}  // namespace ferry::exporter
