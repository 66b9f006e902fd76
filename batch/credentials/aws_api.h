// AwsApi: calls of a service of AWS, signed with keys that are kept fresh.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "batch/base/clock.h"
#include "batch/config/config.h"
#include "batch/config/environment.h"
#include "batch/credentials/service_call.h"
#include "batch/store/credentials_source.h"
#include "batch/store/http.h"
#include "batch/store/waiting_http.h"

namespace ferry {

// An API of AWS with one endpoint a region, signed with SigV4.
class AwsApi {
 public:
  AwsApi(std::string target, AwsPlace place, const CredentialsConfig& credentials,
         const Environment& environment, Clock& clock);

  // POST `path`, with the host, the date and the signature added. Throws what
  // CredentialsSource::Get does, {kCredentials} where these are anonymous, and what SendAndWait
  // does.
  HttpAnswer Post(const std::string& path, NameValues headers, const std::string& body,
                  const WaitLimits& limits, const std::stop_token& stop) const;
  // The same over the connections of `http`.
  HttpAnswer Post(WaitingHttp& http, const std::string& path, NameValues headers,
                  const std::string& body, const WaitLimits& limits,
                  const std::stop_token& stop) const;

 private:
  const std::string target_;
  const AwsPlace place_;
  const std::unique_ptr<CredentialsSource> credentials_;
  Clock& clock_;
};

}  // namespace ferry
