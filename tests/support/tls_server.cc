#include "tests/support/tls_server.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "batch/base/check.h"

namespace ferry::test {
namespace {

using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
using PrivateKey = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

Certificate MakeCertificate(EVP_PKEY* key) {
  Certificate certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_EXTENSION* const names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  FERRY_CHECK(names != nullptr && X509_add_ext(certificate.get(), names, -1) == 1);
  X509_EXTENSION_free(names);
  FERRY_CHECK(X509_sign(certificate.get(), key, EVP_sha256()) > 0);
  return certificate;
}

std::filesystem::path WritePem(X509* certificate) {
  std::string path = (std::filesystem::temp_directory_path() / "ferry-ca-XXXXXX").string();
  const int file = mkstemp(path.data());
  FERRY_CHECK(file >= 0);
  std::FILE* const out = fdopen(file, "w");
  FERRY_CHECK(out != nullptr && PEM_write_X509(out, certificate) == 1);
  std::fclose(out);
  return path;
}

void SetPatience(int socket) {
  const timeval patience{10, 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

}  // namespace

TlsServer::TlsServer() : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
  const PrivateKey key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate certificate = MakeCertificate(key.get());
  FERRY_CHECK(SSL_CTX_use_certificate(context_.get(), certificate.get()) == 1);
  FERRY_CHECK(SSL_CTX_use_PrivateKey(context_.get(), key.get()) == 1);
  ca_file_ = WritePem(certificate.get());

  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  FERRY_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  FERRY_CHECK(listen(listener_, 16) == 0);
  FERRY_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

TlsServer::~TlsServer() {
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
  std::filesystem::remove(ca_file_);
}

std::string TlsServer::url() const { return "https://127.0.0.1:" + std::to_string(port_); }

std::string TlsServer::ca_file() const { return ca_file_.string(); }

std::vector<bool> TlsServer::resumed() const {
  const std::lock_guard lock(mutex_);
  return resumed_;
}

void TlsServer::Serve() {
  while (true) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    SetPatience(socket);
    Answer(socket);
    close(socket);
  }
}

void TlsServer::Answer(int socket) {
  constexpr std::string_view kAnswer =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  const std::unique_ptr<SSL, void (*)(SSL*)> tls(SSL_new(context_.get()), SSL_free);
  SSL_set_fd(tls.get(), socket);
  if (SSL_accept(tls.get()) != 1) return;
  {
    const std::lock_guard lock(mutex_);
    resumed_.push_back(SSL_session_reused(tls.get()) == 1);
  }
  std::string head;
  char bytes[4096];
  while (head.find("\r\n\r\n") == std::string::npos) {
    const int got = SSL_read(tls.get(), bytes, sizeof bytes);
    if (got <= 0) return;
    head.append(bytes, static_cast<std::size_t>(got));
  }
  SSL_write(tls.get(), kAnswer.data(), static_cast<int>(kAnswer.size()));
  SSL_shutdown(tls.get());
}

}  // namespace ferry::test
