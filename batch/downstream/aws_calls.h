// The caches of AWS: file shares of a Storage Gateway and distributions of CloudFront. Both only
// accept a refresh, and carry it out in their own time.
#pragma once

#include <string>

#include "batch/credentials/aws_api.h"
#include "batch/downstream/call.h"

namespace ferry {

// RefreshCache of AWS Storage Gateway (API version 2013-06-30). A gateway takes two at a time and
// refuses a third with InvalidGatewayRequestException: to be tried again.
class StorageGatewayCall final : public Call {
 public:
  StorageGatewayCall(const std::string& name, const StorageGatewayTarget& target,
                     const Environment& environment, Clock& clock);
  RefreshOutcome Make(const Occasion& occasion, std::chrono::milliseconds timeout,
                      const std::stop_token& stop) override;

 private:
  const std::string name_;
  const StorageGatewayTarget& target_;
  const AwsApi api_;
};

// CreateInvalidation of CloudFront (API version 2020-05-31). The caller reference makes a repeated
// call the same invalidation, which is paid for once.
class CloudfrontCall final : public Call {
 public:
  CloudfrontCall(const std::string& name, const CloudfrontTarget& target,
                 const Environment& environment, Clock& clock);
  RefreshOutcome Make(const Occasion& occasion, std::chrono::milliseconds timeout,
                      const std::stop_token& stop) override;

 private:
  const std::string name_;
  const CloudfrontTarget& target_;
  const AwsApi api_;
};

}  // namespace ferry
