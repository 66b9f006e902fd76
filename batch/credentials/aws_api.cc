#include "batch/credentials/aws_api.h"

#include <utility>

#include "batch/base/error.h"
#include "batch/credentials/make_credentials.h"
#include "batch/store/classify.h"

namespace ferry {
namespace {

// A call is repeated: then with other keys, if there are.
bool MeansOtherKeys(const HttpAnswer& answer) {
  if (answer.status != 400 && answer.status != 403) return false;
  const std::string code = ReadServiceRefusal(answer).code;
  return IsTokenError(code) || code == "UnrecognizedClientException" ||
         code == "InvalidClientTokenId" || code == "InvalidSignatureException";
}

}  // namespace

AwsApi::AwsApi(std::string target, AwsPlace place, const CredentialsConfig& credentials,
               const Environment& environment, Clock& clock)
    : target_(std::move(target)),
      place_(std::move(place)),
      credentials_(MakeCredentials(target_, credentials, place_.region, environment, clock)),
      clock_(clock) {}

HttpAnswer AwsApi::Post(const std::string& path, NameValues headers, const std::string& body,
                        const WaitLimits& limits, const std::stop_token& stop) const {
  WaitingHttp http(clock_);
  return Post(http, path, std::move(headers), body, limits, stop);
}

HttpAnswer AwsApi::Post(WaitingHttp& http, const std::string& path, NameValues headers,
                        const std::string& body, const WaitLimits& limits,
                        const std::stop_token& stop) const {
  const std::optional<Credentials> keys = credentials_->Get();
  if (!keys) {
    throw Error(ErrorKind::kCredentials, target_ + ": this API is not called anonymously");
  }
  HttpRequest request = SignedPost(place_, path, std::move(headers), body, *keys, clock_.WallNow());
  HttpAnswer answer = http.Send(target_, std::move(request), limits, stop);
  if (MeansOtherKeys(answer)) credentials_->Refused();
  return answer;
}

}  // namespace ferry
