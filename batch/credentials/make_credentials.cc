#include "batch/credentials/make_credentials.h"

#include "batch/base/check.h"
#include "batch/credentials/assumed_role_keys.h"
#include "batch/credentials/configured_keys.h"
#include "batch/credentials/fresh_credentials.h"
#include "batch/credentials/platform_keys.h"
#include "batch/credentials/service_call.h"

namespace ferry {
namespace {

// What the configuration holds stays as it is.
class FixedCredentials final : public ExplainedCredentials {
 public:
  explicit FixedCredentials(const CredentialsConfig& config) {
    if (config.kind == CredentialsConfig::Kind::kAnonymous) {
      explanation_.source = "none, as configured";
    } else {
      keys_ = ToCredentials(config.keys);
      explanation_.source = "the configuration";
    }
  }

  std::optional<Credentials> Get() override { return keys_; }
  bool Refused() override { return false; }
  void Prepare() override {}
  Explanation Explain() override { return explanation_; }

 private:
  std::optional<Credentials> keys_;
  Explanation explanation_;
};

std::unique_ptr<KeysSource> MakeBase(const CredentialsConfig& config, const std::string& region,
                                     const Environment& environment, Clock& clock) {
  switch (config.kind) {
    case CredentialsConfig::Kind::kPlatform: return MakePlatformKeys(region, environment, clock);
    case CredentialsConfig::Kind::kStatic: return std::make_unique<StaticKeys>(config.keys);
    case CredentialsConfig::Kind::kFile: return std::make_unique<FileKeys>(config.file);
    case CredentialsConfig::Kind::kSecret:
      return std::make_unique<SecretKeys>(
          config.secret, MakePlatformKeys(config.secret.region, environment, clock), environment,
          clock);
    case CredentialsConfig::Kind::kAnonymous: break;
  }
  FERRY_CHECK(false);
  return nullptr;
}

}  // namespace

std::unique_ptr<KeysSource> MakeKeysSource(const CredentialsConfig& config,
                                           const std::string& region,
                                           const Environment& environment, Clock& clock) {
  auto base = MakeBase(config, region, environment, clock);
  if (!config.role) return base;
  return std::make_unique<AssumedRoleKeys>(*config.role, std::move(base), region, environment,
                                           clock);
}

std::unique_ptr<ExplainedCredentials> MakeCredentials(const std::string& owner,
                                                      const CredentialsConfig& config,
                                                      const std::string& region,
                                                      const Environment& environment,
                                                      Clock& clock) {
  const bool fixed = config.kind == CredentialsConfig::Kind::kAnonymous ||
                     (config.kind == CredentialsConfig::Kind::kStatic && !config.role);
  if (fixed) return std::make_unique<FixedCredentials>(config);
  return std::make_unique<FreshCredentials>(
      owner, MakeKeysSource(config, region, environment, clock), clock);
}

}  // namespace ferry
