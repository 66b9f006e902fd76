// `refresh_targets` and `notify_targets`.

#include <array>
#include <string>

#include "batch/config/sections.h"

namespace ferry {
namespace {

using yaml::Map;
using yaml::Value;

constexpr std::size_t kListMax = 1000;
constexpr std::size_t kRegionBytesMax = 40;
constexpr std::size_t kDistributionBytesMax = 64;

// A webhook's or rc server's address: its path and user may be its secret, so it is never shown.
Secret ReadUrl(const Value& value) {
  Secret url = value.SecretText();
  if (value.reading().credentials == CredentialUse::kLeftOut) return url;
  const std::string& text = url.Reveal();
  if (!text.starts_with("http://") && !text.starts_with("https://")) {
    value.Fail("must begin with http:// or https://");
  }
  const std::size_t host = text.find("://") + 3;
  if (host == text.size() || text[host] == '/') value.Fail("names no host");
  return url;
}

std::vector<std::string> ReadTexts(const Map& keys, std::string_view key,
                                   std::vector<std::string> otherwise) {
  const auto value = keys.Find(key);
  if (!value) return otherwise;
  std::vector<std::string> texts = value->Texts(kListMax);
  if (texts.empty()) value->Fail("is an empty list");
  return texts;
}

CredentialsConfig ReadOptionalCredentials(const Map& keys) {
  const auto value = keys.Find("credentials");
  return value ? ReadCredentials(*value) : CredentialsConfig();
}

StorageGatewayTarget ReadStorageGateway(const Value& value) {
  const Map keys = value.Keys({"type", "file_share", "region", "folders", "credentials"});
  StorageGatewayTarget target;
  const Value share = keys.Need("file_share");
  target.file_share = share.Text();
  if (!target.file_share.starts_with("arn:")) share.Fail("must be the ARN of a file share");
  target.region = keys.Need("region").LowerWord(kRegionBytesMax, "-");
  target.folders = ReadTexts(keys, "folders", target.folders);
  target.credentials = ReadOptionalCredentials(keys);
  return target;
}

RcloneTarget ReadRclone(const Value& value) {
  const Map keys = value.Keys({"type", "url", "fs", "dir"});
  RcloneTarget target;
  target.url = ReadUrl(keys.Need("url"));
  if (const auto fs = keys.Find("fs")) target.fs = fs->AnyText();
  if (const auto dir = keys.Find("dir")) target.dir = dir->AnyText();
  return target;
}

CloudfrontTarget ReadCloudfront(const Value& value) {
  const Map keys = value.Keys({"type", "distribution", "paths", "credentials"});
  CloudfrontTarget target;
  target.distribution = keys.Need("distribution").Word(kDistributionBytesMax, "");
  target.paths = ReadTexts(keys, "paths", target.paths);
  target.credentials = ReadOptionalCredentials(keys);
  return target;
}

WebhookTarget ReadWebhook(const Value& value) {
  const Map keys = value.Keys({"type", "url", "token_file"});
  WebhookTarget target;
  target.url = ReadUrl(keys.Need("url"));
  if (const auto file = keys.Find("token_file")) target.token_file = file->Path();
  return target;
}

CommandTarget ReadCommand(const Value& value) {
  const Map keys = value.Keys({"type", "argv"});
  CommandTarget target;
  for (const Value& argument : keys.Need("argv").List(kListMax)) {
    target.argv.push_back(argument.AnyText());
    if (target.argv.back().find('\0') != std::string::npos) argument.Fail("holds a NUL");
  }
  if (target.argv.empty() || target.argv.front().empty()) {
    keys.Need("argv").Fail("names no program");
  }
  return target;
}

RefreshTarget ReadRefreshTarget(const std::string& name, const Value& value) {
  constexpr std::array<std::string_view, 5> kTypes = {"storage-gateway", "rclone", "cloudfront",
                                                      "webhook", "command"};
  switch (value.Lookup("type").Choice(kTypes)) {
    case 0: return {name, ReadStorageGateway(value)};
    case 1: return {name, ReadRclone(value)};
    case 2: return {name, ReadCloudfront(value)};
    case 3: return {name, ReadWebhook(value)};
    default: return {name, ReadCommand(value)};
  }
}

NotifyTarget ReadNotifyTarget(const std::string& name, const Value& value) {
  constexpr std::array<std::string_view, 2> kTypes = {"webhook", "command"};
  if (value.Lookup("type").Choice(kTypes) == 0) return {name, ReadWebhook(value)};
  return {name, ReadCommand(value)};
}

}  // namespace

std::vector<RefreshTarget> ReadRefreshTargets(const Value& value) {
  std::vector<RefreshTarget> targets;
  for (const auto& [name, target] : value.Named(yaml::kEntriesMax)) {
    targets.push_back(ReadRefreshTarget(name, target));
  }
  return targets;
}

std::vector<NotifyTarget> ReadNotifyTargets(const Value& value) {
  std::vector<NotifyTarget> targets;
  for (const auto& [name, target] : value.Named(yaml::kEntriesMax)) {
    targets.push_back(ReadNotifyTarget(name, target));
  }
  return targets;
}

}  // namespace ferry
