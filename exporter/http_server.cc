#include "exporter/http_server.h"

#include <Poco/DeflatingStream.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/IPAddress.h>

#include <exception>
#include <memory>
#include <sstream>
#include <utility>

#include "batch/base/log.h"
#include "batch/serve/bounded_socket.h"

namespace ferry::exporter {
namespace {

constexpr int kThreadsMax = 12;
constexpr int kConnectionsWaitingMax = 64;
static_assert(kThreadsMax > 2 * Endpoints::kDatabaseRequestsMax);

constexpr std::size_t kGzipFromBytes = 1024;

bool IsLoopback(const Poco::Net::IPAddress& address) {
  if (address.isLoopback()) return true;
  return address.toString().starts_with("::ffff:127.");
}

// A page in a browser may have led here under any name (DNS rebinding); these lead nowhere else.
bool NamesThisHost(const std::string& host_header) {
  const std::string host = host_header.substr(0, host_header.rfind(':'));
  Poco::Net::IPAddress parsed;
  return host == "localhost" || host.starts_with('[') ||
         Poco::Net::IPAddress::tryParse(host, parsed);
}

// A proxy on this host speaks for clients elsewhere.
bool IsFromThisHost(const Poco::Net::HTTPServerRequest& request) {
  return IsLoopback(request.clientAddress().host()) && NamesThisHost(request.get("Host", "")) &&
         !request.has("X-Forwarded-For") && !request.has("X-Real-IP") &&
         !request.has("Forwarded") && !request.has("Via");
}

// "gzip", or "gzip;q=0.5", not "gzip;q=0".
bool AcceptsGzip(const std::string& header) {
  const auto at = header.find("gzip");
  if (at == std::string::npos) return false;
  const std::string parameters = header.substr(at + 4, header.find(',', at) - at - 4);
  return parameters.find_first_of("123456789") != std::string::npos ||
         parameters.find('=') == std::string::npos;
}

std::string Gzip(const std::string& body) {
  std::ostringstream packed;
  Poco::DeflatingOutputStream gzip(packed, Poco::DeflatingStreamBuf::STREAM_GZIP);
  gzip << body;
  gzip.close();
  return packed.str();
}

HttpRequest Translate(const Poco::Net::HTTPServerRequest& request) {
  const std::string& uri = request.getURI();
  return {.method = request.getMethod(),
          .path = uri.substr(0, uri.find('?')),
          .scrape_timeout = request.get("X-Prometheus-Scrape-Timeout-Seconds", ""),
          .authorization = request.get("Authorization", ""),
          .is_from_this_host = IsFromThisHost(request)};
}

void Send(HttpAnswer answer, const Poco::Net::HTTPServerRequest& request,
          Poco::Net::HTTPServerResponse& response) {
  response.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status));
  response.setContentType(answer.content_type);
  response.set("Cache-Control", "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Content-Security-Policy",
               "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  if (answer.status == 405) response.set("Allow", "GET, HEAD");
  if (answer.status == 503) response.set("Retry-After", "5");
  response.set("Vary", "Accept-Encoding, Authorization");
  if (answer.body.size() >= kGzipFromBytes && AcceptsGzip(request.get("Accept-Encoding", ""))) {
    answer.body = Gzip(answer.body);
    response.set("Content-Encoding", "gzip");
  }
  response.sendBuffer(answer.body.data(), answer.body.size());  // to HEAD: headers only
}

class Handler final : public Poco::Net::HTTPRequestHandler {
 public:
  explicit Handler(Endpoints& endpoints) : endpoints_(endpoints) {}

  // Must not throw: Poco would drop the exception.
  void handleRequest(Poco::Net::HTTPServerRequest& request,
                     Poco::Net::HTTPServerResponse& response) override {
    try {
      Send(Answer(request), request, response);
    } catch (const std::exception& error) {  // the client has gone
      log::Debug("answer not sent", {{"error", error.what()}});
    }
  }

 private:
  HttpAnswer Answer(const Poco::Net::HTTPServerRequest& request) const {
    try {
      return endpoints_.Answer(Translate(request));
    } catch (const std::exception& error) {
      log::Error("request failed", {{"path", request.getURI()}, {"error", error.what()}});
      return {.status = 500, .body = "internal error\n"};
    }
  }

  Endpoints& endpoints_;
};

class HandlerFactory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  explicit HandlerFactory(Endpoints& endpoints) : endpoints_(endpoints) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(
      const Poco::Net::HTTPServerRequest&) override {
    return new Handler(endpoints_);  // Poco deletes it
  }

 private:
  Endpoints& endpoints_;
};

Poco::Net::HTTPServerParams::Ptr Parameters() {
  Poco::Net::HTTPServerParams::Ptr parameters(new Poco::Net::HTTPServerParams);
  parameters->setKeepAlive(false);
  parameters->setTimeout(Poco::Timespan(kRequestSecondsMax, 0));
  parameters->setMaxThreads(kThreadsMax);
  parameters->setMaxQueued(kConnectionsWaitingMax);
  return parameters;
}

}  // namespace

HttpServer::HttpServer(const std::string& listen, Endpoints& endpoints)
    : threads_(2, kThreadsMax + 1),
      socket_(ListenBounded(listen)),
      server_(new HandlerFactory(endpoints), threads_, socket_, Parameters()) {
  server_.start();
}

HttpServer::~HttpServer() {
  server_.stopAll(/*abortCurrent=*/true);
  threads_.joinAll();
}

std::string HttpServer::address() const { return socket_.address().toString(); }

}  // namespace ferry::exporter
