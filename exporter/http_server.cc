#include "exporter/http_server.h"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/URI.h>

#include <exception>
#include <ostream>
#include <utility>

#include "batch/base/log.h"
#include "batch/serve/bounded_socket.h"

namespace ferry::exporter {
namespace {

// Half a hundred scrapes at once, people with a page open, and some clients that only sit there.
constexpr int kConnectionsMax = 80;
constexpr int kConnectionsWaitingMax = 64;
constexpr int kIdleSecondsMax = 60;
constexpr int kStackBytes = 512 * 1024;

bool IsLoopback(const Poco::Net::IPAddress& address) {
  if (address.isLoopback()) return true;
  return address.toString().starts_with("::ffff:127.");
}

// A page in a browser may have led here under any name (DNS rebinding), and whoever comes from the
// loopback and asks for another address was forwarded from elsewhere.
bool NamesThisHost(const std::string& host_header) {
  const bool in_brackets = host_header.starts_with('[');
  const std::string host = in_brackets ? host_header.substr(1, host_header.find(']') - 1)
                                       : host_header.substr(0, host_header.rfind(':'));
  Poco::Net::IPAddress parsed;
  return host == "localhost" ||
         (Poco::Net::IPAddress::tryParse(host, parsed) && IsLoopback(parsed));
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

HttpRequest Translate(const Poco::Net::HTTPServerRequest& request) {
  const Poco::URI uri(request.getURI());
  return {.method = request.getMethod(),
          .path = uri.getPath(),
          .query = uri.getQueryParameters(),
          .scrape_timeout = request.get("X-Prometheus-Scrape-Timeout-Seconds", ""),
          .authorization = request.get("Authorization", ""),
          .is_from_this_host = IsFromThisHost(request),
          .is_from_a_page = request.has("Origin")};
}

void SetHeaders(const HttpAnswer& answer, Poco::Net::HTTPServerResponse* response) {
  response->setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status));
  response->setContentType(answer.content_type);
  response->set("Cache-Control", "no-store");
  response->set("X-Content-Type-Options", "nosniff");
  response->set("Referrer-Policy", "no-referrer");
  response->set("Content-Security-Policy", answer.content_security_policy);
  response->set("Vary", "Accept-Encoding, Authorization");
  if (!answer.allow.empty()) response->set("Allow", answer.allow);
  if (answer.status == 503) response->set("Retry-After", "5");
}

// Whether the client has it, as far as the kernel can tell.
bool Send(const HttpAnswer& answer, const Poco::Net::HTTPServerRequest& request,
          Poco::Net::HTTPServerResponse& response) {
  SetHeaders(answer, &response);
  const Body& body = *answer.body;
  const bool packed = body.is_packed() && AcceptsGzip(request.get("Accept-Encoding", ""));
  if (packed) response.set("Content-Encoding", "gzip");
  response.setContentLength64(
      static_cast<Poco::Int64>(packed ? body.bytes().size() : body.text_size()));
  std::ostream& out = response.send();  // to HEAD: headers only
  if (request.getMethod() != "HEAD") {
    if (packed) {
      out.write(body.bytes().data(), static_cast<std::streamsize>(body.bytes().size()));
    } else {
      body.WriteText(out);
    }
  }
  return out.flush().good();
}

class Handler final : public Poco::Net::HTTPRequestHandler {
 public:
  explicit Handler(Endpoints& endpoints) : endpoints_(endpoints) {}

  // Must not throw: Poco would drop the exception.
  void handleRequest(Poco::Net::HTTPServerRequest& request,
                     Poco::Net::HTTPServerResponse& response) override {
    const HttpAnswer answer = Answer(request);
    bool is_whole = false;
    try {
      is_whole = Send(answer, request, response);
    } catch (const std::exception& error) {
      log::Debug("answer not sent", {{"error", error.what()}});
    }
    if (answer.sent) answer.sent(is_whole);
  }

 private:
  HttpAnswer Answer(const Poco::Net::HTTPServerRequest& request) const {
    try {
      return endpoints_.Answer(Translate(request));
    } catch (const Poco::SyntaxException&) {
      return {.status = 400, .body = MakeBody("malformed path\n")};
    } catch (const std::exception& error) {
      log::Error("request failed", {{"path", request.getURI()}, {"error", error.what()}});
      return {.status = 500, .body = MakeBody("internal error\n")};
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

Poco::Net::HTTPServerParams::Ptr Parameters(const ConnectionBounds& bounds) {
  Poco::Net::HTTPServerParams::Ptr parameters(new Poco::Net::HTTPServerParams);
  parameters->setKeepAlive(false);
  parameters->setTimeout(Poco::Timespan(1000 * bounds.request_time.count()));
  parameters->setMaxThreads(kConnectionsMax);
  parameters->setMaxQueued(kConnectionsWaitingMax);
  return parameters;
}

}  // namespace

HttpServer::HttpServer(const std::string& listen, Endpoints& endpoints,
                       const ConnectionBounds& bounds)
    : threads_(2, kConnectionsMax + 1, kIdleSecondsMax, kStackBytes),
      socket_(ListenBounded(listen, bounds)),
      server_(new HandlerFactory(endpoints), threads_, socket_, Parameters(bounds)) {
  server_.start();
}

HttpServer::~HttpServer() {
  server_.stopAll(/*abortCurrent=*/true);
  threads_.joinAll();
}

std::string HttpServer::address() const { return socket_.address().toString(); }

}  // namespace ferry::exporter
