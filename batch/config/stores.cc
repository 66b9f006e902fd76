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
constexpr std::string_view kUsualRegion = "us-east-1";  // which servers without regions take

// In the order of the enum.
constexpr std::array<std::string_view, 3> kAddressing = {"auto", "path", "virtual"};

const Provider& ReadProvider(const Value& value) {
  const std::vector<std::string_view>& names = ProviderNames();
  return FindProvider(names[value.Choice(names)]);
}

// Without the provider's own mark before it, which its consoles show: "oss-cn-hangzhou".
std::string ReadRegion(const Provider& provider, const Value& value) {
  std::string region = value.LowerWord(kRegionBytesMax, "-");
  const std::string mark = std::string(provider.name) + "-";
  const bool names_host = provider.endpoint.find("{region}") != std::string_view::npos;
  if (names_host && region.starts_with(mark)) value.Fail("write it without \"" + mark + "\"");
  return region;
}

// What the provider implies for the region, which may be wrong or missing.
EndpointConfig ImpliedEndpoint(const StoreConfig& store, bool dual_stack, const Map& keys) {
  try {
    return ParseEndpoint(dual_stack ? DualStackEndpoint(store.provider, store.region)
                                    : DefaultEndpoint(store.provider, store.region));
  } catch (const Error& error) {
    keys.whole().Fail(error.what());
  }
}

// Whether the file says what the provider implies anyway.
bool IsImplied(const StoreConfig& store) {
  return !store.provider.endpoint.empty() &&
         ParseEndpoint(DefaultEndpoint(store.provider, store.region)) == store.endpoint;
}

// Each partition of AWS has keys and names of its own: a region of one at a host of the other would
// be answered with InvalidAccessKeyId, which says nothing of it.
void CheckPartition(const StoreConfig& store, const Map& keys) {
  const std::string at = AwsRegionOf(store.endpoint);
  if (at.empty() || at.starts_with("cn-") == store.region.starts_with("cn-")) return;
  keys.whole().Fail("region " + store.region + " and endpoint " + store.endpoint.host +
                    " belong to different partitions of AWS");
}

StoreConfig ReadStore(const std::string& name, const Value& value) {
  const Map keys = value.Keys({"provider", "region", "endpoint", "dual_stack", "addressing",
                               "habits", "credentials", "ca_file", "proxy"});
  StoreConfig store;
  store.name = name;
  store.provider = ReadProvider(keys.Need("provider"));
  if (const auto region = keys.Find("region")) store.region = ReadRegion(store.provider, *region);
  const auto dual_stack = keys.Find("dual_stack");
  if (const auto endpoint = keys.Find("endpoint")) {
    if (dual_stack) dual_stack->Fail("there is an endpoint already");
    store.endpoint = ReadEndpoint(*endpoint);
    if (store.region.empty()) store.region = AwsRegionOf(store.endpoint);
    if (store.region.empty()) store.region = store.provider.region;
    if (store.region.empty()) store.region = kUsualRegion;
    CheckPartition(store, keys);
    store.implied_endpoint = IsImplied(store);
  } else {
    if (store.region.empty()) store.region = store.provider.region;
    const bool both = dual_stack && dual_stack->Bool();
    store.endpoint = ImpliedEndpoint(store, both, keys);
    store.implied_endpoint = !both;
  }
  if (const auto addressing = keys.Find("addressing")) {
    store.addressing = static_cast<AddressStyle>(addressing->Choice(kAddressing));
  }
  if (const auto habits = keys.Find("habits")) ReadHabits(*habits, store.provider);
  if (const auto credentials = keys.Find("credentials")) {
    store.credentials = ReadCredentials(
        *credentials, store.provider.name == "aws" ? std::string_view(store.region) : "");
  }
  if (const auto ca_file = keys.Find("ca_file")) store.ca_file = ca_file->Path();
  if (const auto proxy = keys.Find("proxy")) store.proxy = ReadEndpoint(*proxy);
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
