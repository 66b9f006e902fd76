// Sources of keys over a scripted server, an environment, a folder and a clock of their own. The
// clock stands at 1970-01-01T00:16:40Z.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <sstream>
#include <string>

#include "batch/base/error.h"
#include "batch/base/key.h"
#include "batch/credentials/keys_source.h"
#include "batch/store/sigv4.h"
#include "tests/config/config_file.h"
#include "tests/support/hand_clock.h"
#include "tests/support/scripted_http_server.h"

namespace ferry {

inline constexpr const char* kRole = "arn:aws:iam::123456789012:role/copy";
inline constexpr const char* kLater = "1970-01-01T01:16:40Z";    // in an hour
inline constexpr const char* kEarlier = "1970-01-01T00:16:39Z";  // a second ago

// Signature Version 4 once more, from the request as it came: "sts us-east-1 right signature".
// Written from "Create a signed AWS API request" (IAM user guide), not from our signer.
class SignatureCheck {
 public:
  static std::string Judge(const test::SeenRequest& request, const std::string& secret) {
    const std::string line = request.Header("authorization");
    const std::string scope = Between(line, "Credential=", ",");
    const std::string names = Between(line, "SignedHeaders=", ",");
    const std::string signature = line.substr(line.find("Signature=") + 10);
    const auto parts = Split(scope, '/');  // key, date, region, service, aws4_request
    if (parts.size() != 5) return "unsigned";
    std::string canonical = request.method + "\n" + request.target + "\n\n";
    for (const std::string& name : Split(names, ';')) {
      canonical += name + ":" + request.Header(name) + "\n";
    }
    canonical += "\n" + names + "\n" + PayloadHash(request.body);
    const std::string to_sign = "AWS4-HMAC-SHA256\n" + request.Header("x-amz-date") + "\n" +
                                scope.substr(scope.find('/') + 1) + "\n" + PayloadHash(canonical);
    std::string key = "AWS4" + secret;
    for (std::size_t i = 1; i < parts.size(); ++i) key = Hmac(key, parts[i]);
    const bool right =
        ToHex(Hmac(key, to_sign)) == signature && names.find("host") != std::string::npos;
    return parts[3] + " " + parts[2] + (right ? " right" : " wrong") + " signature";
  }

 private:
  static std::string Hmac(const std::string& key, const std::string& text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
    return std::string(reinterpret_cast<char*>(digest), size);
  }
  static std::string Between(const std::string& text, const std::string& from,
                             const std::string& to) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos) return {};
    const std::size_t begin = at + from.size();
    return text.substr(begin, text.find(to, begin) - begin);
  }
  static std::vector<std::string> Split(const std::string& text, char by) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, by);) parts.push_back(part);
    return parts;
  }
};

class SourcesFixture : public testing::Test {
 protected:
  // The documented answers.
  static std::string StsXml(const std::string& action, const std::string& end = kLater) {
    return "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <" +
           action +
           "Result>\n"
           "    <AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId>"
           "<Arn>arn:aws:sts::123456789012:assumed-role/copy/s</Arn></AssumedRoleUser>\n"
           "    <Credentials>\n      <AccessKeyId>ASIAROLE</AccessKeyId>\n"
           "      <SecretAccessKey>role/secret+</SecretAccessKey>\n"
           "      <SessionToken>role/token==</SessionToken>\n      <Expiration>" +
           end + "</Expiration>\n    </Credentials>\n  </" + action +
           "Result>\n  <ResponseMetadata><RequestId>c6104cbe</RequestId></ResponseMetadata>\n</" +
           action + "Response>";
  }
  static std::string StsError(const std::string& code, const std::string& message) {
    return "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
           "<Type>Sender</Type><Code>" +
           code + "</Code><Message>" + message +
           "</Message></Error><RequestId>c6104cbe</RequestId></ErrorResponse>";
  }
  static std::string AgentJson(const std::string& end = kLater) {
    return R"({"RoleArn":"arn:aws:iam::123456789012:role/copy","AccessKeyId":"ASIAAGENT",)"
           R"("SecretAccessKey":"agent/secret","Token":"agent/token","Expiration":")" +
           end + "\"}";
  }

  void Answer(int status, const std::string& body) {
    server_.Answer({.bytes = test::HttpText(status, {}, body)});
  }
  void Set(const std::string& name, const std::string& value) { environment_.values[name] = value; }
  AccessKeys Fetch(KeysSource& source) { return source.Fetch(stop_.get_token()); }
  // "credentials: what it says"; "none" when it succeeds.
  std::string Failure(KeysSource& source) {
    try {
      Fetch(source);
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return std::string(ToString(error.kind())) + ": " + error.what();
    }
    return "none";
  }

  test::ScriptedHttpServer server_;
  test::MapEnvironment environment_;
  test::TempFolder folder_;
  test::HandMovedClock clock_;
  std::stop_source stop_;
};

}  // namespace ferry
