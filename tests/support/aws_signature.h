// Whether a request carries the signature that AWS would expect, reckoned without the signer of the
// product ("Create a signed AWS API request" in the IAM User Guide).
#pragma once

#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <sstream>
#include <string>

#include "batch/base/key.h"
#include "tests/support/scripted_http_server.h"

namespace ferry::test {

inline std::string Sha256(const std::string& bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return std::string(reinterpret_cast<const char*>(digest), sizeof digest);
}

inline std::string HmacSha256(const std::string& key, const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, nullptr);
  return std::string(reinterpret_cast<const char*>(digest), sizeof digest);
}

// "us-east-1" and "sqs" are of the scope that the request must name. REQUIRES: a path without a
// query.
inline bool IsSignedWith(const std::string& key_id, const std::string& secret,
                         const std::string& region, const std::string& service,
                         const SeenRequest& request) {
  const std::string authorization = request.Header("authorization");
  const auto field = [&](const std::string& name) {
    const std::size_t begin = authorization.find(name + "=");
    if (begin == std::string::npos) return std::string();
    const std::size_t from = begin + name.size() + 1;
    return authorization.substr(from, authorization.find_first_of(", ", from) - from);
  };
  const std::string time = request.Header("x-amz-date");
  const std::string scope = time.substr(0, 8) + "/" + region + "/" + service + "/aws4_request";
  if (field("Credential") != key_id + "/" + scope) return false;
  std::string canonical = request.method + "\n" + request.target + "\n\n";
  std::istringstream names(field("SignedHeaders"));
  bool signs_host = false, signs_target = false;
  for (std::string name; std::getline(names, name, ';');) {
    canonical += name + ":" + request.Header(name) + "\n";
    signs_host = signs_host || name == "host";
    signs_target = signs_target || name == "x-amz-target";
  }
  canonical += "\n" + field("SignedHeaders") + "\n" + ToHex(Sha256(request.body));
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + ToHex(Sha256(canonical));
  std::string key = "AWS4" + secret;
  for (const std::string& part :
       {time.substr(0, 8), region, service, std::string("aws4_request")}) {
    key = HmacSha256(key, part);
  }
  return signs_host && signs_target && field("Signature") == ToHex(HmacSha256(key, to_sign));
}

}  // namespace ferry::test
