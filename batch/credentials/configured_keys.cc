#include "batch/credentials/configured_keys.h"

#include <nlohmann/json.hpp>

#include "batch/base/error.h"
#include "batch/config/bounded_file.h"
#include "batch/config/credentials.h"
#include "batch/credentials/service_call.h"

namespace ferry {

using Json = nlohmann::json;

std::string FileKeys::Name() const { return "file " + Shown(file_); }

AccessKeys FileKeys::Fetch(const std::stop_token&) {
  // Before it is read: what is written meanwhile is read again.
  std::error_code problem;
  written_ = std::filesystem::last_write_time(file_, problem).time_since_epoch().count();
  return ReadCredentialsFile(file_);
}

bool FileKeys::HasChanged() {
  std::error_code problem;
  const auto written = std::filesystem::last_write_time(file_, problem);
  return !problem && written.time_since_epoch().count() != written_;
}

std::string SecretKeys::Name() const {
  return "secret " + secret_.name + " in " + secret_.region + " (read with keys of " +
         reader_->Name() + ")";
}

AccessKeys SecretKeys::Fetch(const std::stop_token& stop) {
  const AccessKeys reader = reader_->Fetch(stop);
  const AwsPlace place = AwsPlaceOf("secretsmanager", secret_.region, environment_,
                                    "AWS_ENDPOINT_URL_SECRETS_MANAGER");
  const std::string body = Json{{"SecretId", secret_.name}}.dump();
  ServiceCall call;
  call.who = "Secrets Manager at " + place.endpoint.Url() + ", asked for secret " + secret_.name;
  call.denied_advice = "these keys need secretsmanager:GetSecretValue";
  call.request = SignedPost(place, "/",
                            {{"content-type", "application/x-amz-json-1.1"},
                             {"x-amz-target", "secretsmanager.GetSecretValue"}},
                            body, ToCredentials(reader), clock_.WallNow());
  const std::string answer = AskService(call, stop);
  const Json parsed = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) {
    throw Error(ErrorKind::kCredentials, call.who + ": the answer is not a JSON object");
  }
  const auto text = parsed.find("SecretString");
  if (text == parsed.end() || !text->is_string()) {
    throw Error(ErrorKind::kCredentials,
                call.who +
                    ": the secret holds no text (SecretString), which has to be JSON with "
                    "access_key_id and secret_access_key");
  }
  return ParseCredentials(text->get<std::string>(), "secret " + secret_.name);
}

}  // namespace ferry
