#include "batch/serve/message_server.h"

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
MessageRequest Read(Poco::Net::HTTPServerRequest& request, std::size_t body_bytes_max) {
  const std::string& uri = request.getURI();
  const std::size_t mark = uri.find('?');
  MessageRequest read{.method = request.getMethod(),
                      .path = uri.substr(0, mark),
                      .query = mark == std::string::npos ? std::string() : uri.substr(mark + 1),
                      .authorization = request.get("Authorization", "")};
  std::array<char, 8192> buffer{};
  std::istream& body = request.stream();
  while (read.body.size() <= body_bytes_max &&
         body.read(buffer.data(), buffer.size()).gcount() > 0) {
    read.body.append(buffer.data(), static_cast<std::size_t>(body.gcount()));
  }
  const bool cut = request.hasContentLength() && read.body.size() <= body_bytes_max &&
                   static_cast<Poco::Int64>(read.body.size()) < request.getContentLength64();
  if (cut) throw Error(ErrorKind::kUnavailable, "the message was cut off");
  read.body.resize(std::min(read.body.size(), body_bytes_max + 1));
  return read;
}

class Handler final : public Poco::Net::HTTPRequestHandler {
 public:
  Handler(const MessageServer::Answers& answers, std::size_t body_bytes_max)
      : answers_(answers), body_bytes_max_(body_bytes_max) {}

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
  MessageAnswer Answer(Poco::Net::HTTPServerRequest& request) const {
    try {
      return answers_(Read(request, body_bytes_max_));
    } catch (const std::exception& error) {
      const std::string& uri = request.getURI();
      log::Error("request failed",
                 {{"path", uri.substr(0, uri.find('?'))}, {"error", error.what()}});
      return {503, "not accepted, send it again\n"};
    }
  }

  static void Send(const MessageAnswer& answer, Poco::Net::HTTPServerResponse& response) {
    response.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status));
    response.setContentType("text/plain; charset=utf-8");
    response.set("Cache-Control", "no-store");
    for (const auto& [name, value] : answer.headers) response.add(name, value);
    response.sendBuffer(answer.body.data(), answer.body.size());
  }

  const MessageServer::Answers& answers_;
  const std::size_t body_bytes_max_;
};

class HandlerFactory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  HandlerFactory(MessageServer::Answers answers, std::size_t body_bytes_max)
      : answers_(std::move(answers)), body_bytes_max_(body_bytes_max) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(
      const Poco::Net::HTTPServerRequest&) override {
    return new Handler(answers_, body_bytes_max_);  // Poco deletes it
  }

 private:
  const MessageServer::Answers answers_;
  const std::size_t body_bytes_max_;
};

Poco::Net::HTTPServerParams::Ptr Parameters() {
  Poco::Net::HTTPServerParams::Ptr parameters(new Poco::Net::HTTPServerParams);
  parameters->setKeepAlive(false);
  parameters->setTimeout(Poco::Timespan(kRequestTimeMax.count(), 0));
  parameters->setMaxThreads(kThreadsMax);
  parameters->setMaxQueued(kConnectionsWaitingMax);
  return parameters;
}

Poco::Net::ServerSocket ListenSecure(const MessageServerOptions& options) {
  using Poco::Net::Context;
  try {
    Context::Params files;
    files.privateKeyFile = options.key;
    files.certificateFile = options.certificate;
    files.caLocation = options.client_ca;
    files.loadDefaultCAs = false;
    // Without an authority nobody is asked for a certificate; with one nobody comes in without.
    files.verificationMode =
        options.client_ca.empty() ? Context::VERIFY_NONE : Context::VERIFY_STRICT;
    Context::Ptr context(new Context(Context::TLS_SERVER_USE, files));
    context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
    context->disableStatelessSessionResumption();
    // That would hold a client's name against the address it comes from; who signed it is what
    // counts.
    context->enableExtendedCertificateVerification(false);
    Poco::Net::SecureServerSocket socket(context);
    socket.bind(ParseListen(options.listen), /*reuseAddress=*/true, /*reusePort=*/false);
    socket.listen();
    return socket;
  } catch (const Poco::Net::SSLException& error) {
    throw Error(ErrorKind::kConfig, options.section + ": tls: " + EscapeBytes(error.displayText()));
  } catch (const Poco::Exception& error) {
    throw Error(ErrorKind::kUnavailable, options.section + ": cannot listen on " +
                                             EscapeBytes(options.listen) + ": " +
                                             EscapeBytes(error.displayText()));
  }
}

Poco::Net::ServerSocket Listen(const MessageServerOptions& options) {
  if (!options.certificate.empty()) return ListenSecure(options);
  return ListenBounded(options.listen,
                       {.request_bytes = static_cast<int>(options.body_bytes_max) + kHeadBytesMax,
                        .request_time = kRequestTimeMax});
}

}  // namespace

MessageServer::MessageServer(const MessageServerOptions& options, Answers answers)
    : threads_(options.section, 2, kThreadsMax + 1),
      socket_(Listen(options)),
      server_(new HandlerFactory(std::move(answers), options.body_bytes_max), threads_, socket_,
              Parameters()) {
  server_.start();
}

MessageServer::~MessageServer() {
  server_.stopAll(/*abortCurrent=*/true);
  threads_.joinAll();
}

std::string MessageServer::address() const { return socket_.address().toString(); }

}  // namespace ferry
