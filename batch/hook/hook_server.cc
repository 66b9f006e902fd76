#include "batch/hook/hook_server.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/SecureServerSocket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>

#include "batch/base/error.h"
#include "batch/base/key.h"
#include "batch/base/log.h"
#include "batch/serve/bounded_socket.h"

namespace ferry {
namespace {

constexpr int kThreadsMax = 8;
constexpr int kConnectionsWaitingMax = 64;
constexpr std::chrono::seconds kRequestTimeMax{20};
constexpr int kHeadBytesMax = 32 * 1024;

// Throws Error: not all of it came.
HookRequest Read(Poco::Net::HTTPServerRequest& request) {
  const std::string& uri = request.getURI();
  HookRequest read{.method = request.getMethod(),
                   .path = uri.substr(0, uri.find('?')),
                   .authorization = request.get("Authorization", ""),
                   .body = {}};
  std::array<char, 8192> buffer{};
  std::istream& body = request.stream();
  while (read.body.size() <= kAlertBytesMax &&
         body.read(buffer.data(), buffer.size()).gcount() > 0) {
    read.body.append(buffer.data(), static_cast<std::size_t>(body.gcount()));
  }
  const bool cut = request.hasContentLength() && read.body.size() <= kAlertBytesMax &&
                   static_cast<Poco::Int64>(read.body.size()) < request.getContentLength64();
  if (cut) throw Error(ErrorKind::kUnavailable, "the message was cut off");
  read.body.resize(std::min(read.body.size(), kAlertBytesMax + 1));
  return read;
}

class Handler final : public Poco::Net::HTTPRequestHandler {
 public:
  explicit Handler(HookEndpoints& endpoints) : endpoints_(endpoints) {}

  // Must not throw: Poco would drop the exception.
  void handleRequest(Poco::Net::HTTPServerRequest& request,
                     Poco::Net::HTTPServerResponse& response) override {
    try {
      Send(Answer(request), response);
    } catch (const std::exception& error) {  // the client has gone
      log::Debug("answer not sent", {{"error", error.what()}});
    }
  }

 private:
  HookAnswer Answer(Poco::Net::HTTPServerRequest& request) const {
    try {
      return endpoints_.Answer(Read(request));
    } catch (const std::exception& error) {
      log::Error("request failed", {{"path", request.getURI()}, {"error", error.what()}});
      return {503, "not accepted, send it again\n"};
    }
  }

  static void Send(const HookAnswer& answer, Poco::Net::HTTPServerResponse& response) {
    response.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status));
    response.setContentType("text/plain; charset=utf-8");
    response.set("Cache-Control", "no-store");
    if (answer.status == 401) response.set("WWW-Authenticate", "Bearer");
    if (answer.status == 405) response.set("Allow", "POST");
    response.sendBuffer(answer.body.data(), answer.body.size());
  }

  HookEndpoints& endpoints_;
};

class HandlerFactory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  explicit HandlerFactory(HookEndpoints& endpoints) : endpoints_(endpoints) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(
      const Poco::Net::HTTPServerRequest&) override {
    return new Handler(endpoints_);  // Poco deletes it
  }

 private:
  HookEndpoints& endpoints_;
};

Poco::Net::HTTPServerParams::Ptr Parameters() {
  Poco::Net::HTTPServerParams::Ptr parameters(new Poco::Net::HTTPServerParams);
  parameters->setKeepAlive(false);
  parameters->setTimeout(Poco::Timespan(kRequestTimeMax.count(), 0));
  parameters->setMaxThreads(kThreadsMax);
  parameters->setMaxQueued(kConnectionsWaitingMax);
  return parameters;
}

Poco::Net::ServerSocket ListenSecure(const HookConfig& config) {
  using Poco::Net::Context;
  try {
    Context::Params files;
    files.privateKeyFile = config.key;
    files.certificateFile = config.certificate;
    files.caLocation = config.client_ca;
    files.loadDefaultCAs = false;
    // Without an authority nobody is asked for a certificate; with one nobody comes in without.
    files.verificationMode =
        config.client_ca.empty() ? Context::VERIFY_NONE : Context::VERIFY_STRICT;
    Context::Ptr context(new Context(Context::TLS_SERVER_USE, files));
    context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
    context->disableStatelessSessionResumption();
    // That would hold a client's name against the address it comes from; who signed it is what
    // counts.
    context->enableExtendedCertificateVerification(false);
    Poco::Net::SecureServerSocket socket(context);
    socket.bind(ParseListen(config.listen), /*reuseAddress=*/true, /*reusePort=*/false);
    socket.listen();
    return socket;
  } catch (const Poco::Net::SSLException& error) {
    throw Error(ErrorKind::kConfig, "hook: tls: " + EscapeBytes(error.displayText()));
  } catch (const Poco::Exception& error) {
    throw Error(ErrorKind::kUnavailable, "hook: cannot listen on " + EscapeBytes(config.listen) +
                                             ": " + EscapeBytes(error.displayText()));
  }
}

Poco::Net::ServerSocket Listen(const HookConfig& config) {
  const bool asks = !config.token_file.empty() || !config.client_ca.empty();
  if (!asks && !ParseListen(config.listen).host().isLoopback()) {
    throw Error(ErrorKind::kConfig, "hook: anybody could come in on " + EscapeBytes(config.listen) +
                                        ": set hook.token_file or hook.tls.client_ca, or listen "
                                        "on 127.0.0.1");
  }
  if (!config.certificate.empty()) return ListenSecure(config);
  return ListenBounded(config.listen,
                       {.request_bytes = static_cast<int>(kAlertBytesMax) + kHeadBytesMax,
                        .request_time = kRequestTimeMax});
}

}  // namespace

HookServer::HookServer(const HookConfig& config, HookEndpoints& endpoints)
    : threads_("hook", 2, kThreadsMax + 1),
      socket_(Listen(config)),
      server_(new HandlerFactory(endpoints), threads_, socket_, Parameters()) {
  server_.start();
}

HookServer::~HookServer() {
  server_.stopAll(/*abortCurrent=*/true);
  threads_.joinAll();
}

std::string HookServer::address() const { return socket_.address().toString(); }

}  // namespace ferry
