// HttpServer: Endpoints behind a Poco HTTPServer.
//
// One request a connection, so that a client that keeps its connection holds no thread. A thread a
// connection, so that a client that is slow holds nobody else; threads, waiting connections, and
// the size and time of requests and answers are bounded.
#pragma once

#include <Poco/Net/HTTPServer.h>
#include <Poco/ThreadPool.h>

#include <string>

#include "batch/serve/bounded_socket.h"
#include "exporter/endpoints.h"

namespace ferry::exporter {

class HttpServer {
 public:
  // Listens and answers from here on. Throws what ListenBounded does. `endpoints` must outlive
  // this object.
  HttpServer(const std::string& listen, Endpoints& endpoints, const ConnectionBounds& bounds = {});

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
