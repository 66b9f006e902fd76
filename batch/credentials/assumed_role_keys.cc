#include "batch/credentials/assumed_role_keys.h"

#include "batch/credentials/sts.h"

namespace ferry {

std::string AssumedRoleKeys::Name() const {
  return "role " + role_.arn + " (assumed with keys of " + base_->Name() + ")";
}

AccessKeys AssumedRoleKeys::Fetch(const std::stop_token& stop) {
  StsCall call;
  call.keys = base_->Fetch(stop);
  call.place = StsPlaceOf(role_.arn, region_, environment_);
  call.what = "to assume " + role_.arn;
  call.form = {
      {"Action", "AssumeRole"}, {"RoleArn", role_.arn}, {"RoleSessionName", role_.session_name}};
  if (!role_.external_id.empty()) call.form.emplace_back("ExternalId", role_.external_id);
  if (role_.duration.count() > 0) {
    call.form.emplace_back("DurationSeconds", std::to_string(role_.duration.count()));
  }
  return AskSts(call, clock_, stop);
}

}  // namespace ferry
