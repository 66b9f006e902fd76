// `stores`.

#include <algorithm>
#include <array>

#include "batch/base/error.h"
#include "batch/config/sections.h"

namespace ferry {
namespace {

using yaml::Map;
using yaml::Value;

constexpr std::size_t kRegionBytesMax = 40;
constexpr std::string_view kUsualRegion = "us-east-1";

// In the order of the enums.
constexpr std::array<std::string_view, 4> kServed = {"aws", "minio", "ceph", "s3"};
constexpr std::array<std::string_view, 5> kNotYetServed = {"oss", "cos", "kodo", "gcs", "r2"};
constexpr std::array<std::string_view, 3> kAddressing = {"auto", "path", "virtual"};

ProviderName ReadProvider(const Value& value) {
  const std::string name = value.Text();
  if (std::find(kNotYetServed.begin(), kNotYetServed.end(), name) != kNotYetServed.end()) {
    value.Fail("provider " + name + " is not served yet (served: aws, minio, ceph, s3)");
  }
  return static_cast<ProviderName>(value.Choice(kServed));
}

StoreConfig ReadStore(const std::string& name, const Value& value) {
  const Map keys =
      value.Keys({"provider", "region", "endpoint", "addressing", "credentials", "ca_file"});
  StoreConfig store;
  store.name = name;
  store.provider = ReadProvider(keys.Need("provider"));
  if (const auto region = keys.Find("region")) {
    store.region = region->LowerWord(kRegionBytesMax, "-");
  }
  if (const auto endpoint = keys.Find("endpoint")) {
    store.endpoint = ReadEndpoint(*endpoint);
    if (store.region.empty()) store.region = AwsRegionOf(store.endpoint);
  } else if (store.provider != ProviderName::kAws) {
    keys.whole().Fail("provider " + std::string(ToString(store.provider)) + " needs an endpoint");
  } else if (store.region.empty()) {
    keys.whole().Fail("provider aws needs a region (or an endpoint)");
  } else {
    store.endpoint = AwsEndpoint(store.region);
  }
  if (store.region.empty()) store.region = kUsualRegion;
  if (const auto addressing = keys.Find("addressing")) {
    store.addressing = static_cast<Addressing>(addressing->Choice(kAddressing));
  }
  if (const auto credentials = keys.Find("credentials")) {
    store.credentials = ReadCredentials(*credentials, store.region);
  }
  if (const auto ca_file = keys.Find("ca_file")) store.ca_file = ca_file->Path();
  return store;
}

}  // namespace

EndpointConfig ReadEndpoint(const Value& value) {
  const std::string text = value.Text();
  try {
    return ParseEndpoint(text);
  } catch (const Error& error) {
    value.Fail(error.what());
  }
}

std::vector<StoreConfig> ReadStores(const Value& value) {
  std::vector<StoreConfig> stores;
  for (const auto& [name, store] : value.Named(yaml::kEntriesMax)) {
    stores.push_back(ReadStore(name, store));
  }
  return stores;
}

}  // namespace ferry
