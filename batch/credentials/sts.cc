#include "batch/credentials/sts.h"

#include "batch/base/error.h"
#include "batch/base/time_text.h"
#include "batch/config/aws_names.h"
#include "batch/store/xml_reader.h"

namespace ferry {
namespace {

// <AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>...; the same with
// AssumeRoleWithWebIdentity.
class KeysVisitor final : public XmlVisitor {
 public:
  void OnStart(std::size_t depth, std::string_view name) override {
    if (depth == 1) is_answer_ = name.starts_with("AssumeRole") && name.ends_with("Response");
    if (depth == 3) in_credentials_ = name == "Credentials";
  }
  void OnEnd(std::size_t depth, std::string_view name, std::string_view text) override {
    if (depth != 4 || !is_answer_ || !in_credentials_) return;
    if (name == "AccessKeyId") keys.access_key_id = text;
    if (name == "SecretAccessKey") keys.secret_access_key = Secret(std::string(text));
    if (name == "SessionToken") keys.session_token = Secret(std::string(text));
    if (name == "Expiration") keys.expires_at_ms = ParseRfc3339(text);
  }

  AccessKeys keys;

 private:
  bool is_answer_ = false;
  bool in_credentials_ = false;
};

AccessKeys ReadKeys(const std::string& body, const std::string& who) {
  KeysVisitor visitor;
  try {
    WalkXml(body, visitor);
  } catch (const Error&) {
    // The parser's message would not help, and the answer may hold keys.
    throw Error(ErrorKind::kCredentials, who + ": the answer is not one of STS");
  }
  CheckKeys(visitor.keys, who);
  if (visitor.keys.session_token.empty() || !visitor.keys.expires_at_ms) {
    throw Error(ErrorKind::kCredentials, who + ": the answer lacks a session token or its end");
  }
  return visitor.keys;
}

}  // namespace

AccessKeys AskSts(const StsCall& call, Clock& clock, const std::stop_token& stop) {
  NameValues form = call.form;
  form.emplace_back("Version", "2011-06-15");
  // Encoded as a query is: RFC 3986 escapes are valid in a form too.
  const std::string body = CanonicalQuery(form);
  const NameValues headers = {{"content-type", "application/x-www-form-urlencoded"}};
  ServiceCall service;
  service.who = "STS at " + call.place.endpoint.Url() + ", asked " + call.what;
  service.hidden = call.hidden;
  service.denied_advice = "check the role's trust policy";
  if (call.keys) {
    service.request =
        SignedPost(call.place, "/", headers, body, ToCredentials(*call.keys), clock.WallNow());
  } else {
    service.request.method = Method::kPost;
    service.request.url = call.place.endpoint.Url() + "/";
    service.request.headers = headers;
    service.request.body = body;
  }
  return ReadKeys(AskService(service, stop), service.who);
}

AwsPlace StsPlaceOf(const std::string& role_arn, const std::string& region,
                    const Environment& environment) {
  const std::string_view partition = PartitionOfArn(role_arn);
  std::string chosen = partition == "aws-cn"       ? "cn-north-1"
                       : partition == "aws-us-gov" ? "us-gov-west-1"
                                                   : "us-east-1";
  for (const std::string& one : {environment.Get("AWS_REGION").value_or(""),
                                 environment.Get("AWS_DEFAULT_REGION").value_or(""), region}) {
    if (!IsAwsRegion(one) || PartitionOfRegion(one) != partition) continue;
    chosen = one;
    break;
  }
  return AwsPlaceOf("sts", chosen, environment, "AWS_ENDPOINT_URL_STS");
}

}  // namespace ferry
