// `refresh_targets`, `notify_targets` and `hook`.

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
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

bool IsText(std::string_view placeholder) {
  constexpr std::string_view kTexts[] = {"event", "target", "task",       "kind",       "state",
                                         "text",  "error",  "started_at", "finished_at"};
  return std::ranges::find(kTexts, placeholder) != std::end(kTexts);
}

// Of a filled template: a text that stands outside of quotes makes it no JSON.
void CheckIsJson(const Value& value, const std::string& text) {
  std::string filled = text;
  for (const std::string_view name : kPlaceholders) {
    const std::string placeholder = "{{" + std::string(name) + "}}";
    for (std::size_t at = 0; (at = filled.find(placeholder)) != std::string::npos;) {
      filled.replace(at, placeholder.size(), IsText(name) ? "x" : "0");
    }
  }
  if (nlohmann::json::accept(filled)) return;
  value.Fail("is no JSON once it is filled: texts stand within quotes, numbers alone");
}

// {{names}} are known ones; braces that stand alone are the template's own.
std::string ReadTemplate(const Value& value) {
  std::string text = value.AnyText();
  for (std::size_t at = text.find("{{"); at != std::string::npos; at = text.find("{{", at + 2)) {
    const std::size_t end = text.find("}}", at);
    if (end == std::string::npos) continue;
    const std::string name = text.substr(at + 2, end - at - 2);
    if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != std::string::npos) continue;
    if (std::ranges::find(kPlaceholders, name) != std::end(kPlaceholders)) continue;
    std::string known;
    for (const std::string_view one : kPlaceholders) known.append(known.empty() ? "" : ", ") += one;
    value.Fail("{{" + name + "}} stands for nothing; known: " + known);
  }
  CheckIsJson(value, text);
  return text;
}

template <typename Target>
Target WithTimeout(Target target, const Value& value) {
  if (const auto timeout = value.Find("timeout")) {
    target.timeout = timeout->Duration({std::chrono::seconds(1), std::chrono::hours(24)});
  }
  return target;
}

CredentialsConfig ReadOptionalCredentials(const Map& keys, const std::string& region) {
  const auto value = keys.Find("credentials");
  return value ? ReadCredentials(*value, region) : CredentialsConfig();
}

StorageGatewayTarget ReadStorageGateway(const Value& value) {
  const Map keys =
      value.Keys({"type", "timeout", "file_share", "region", "endpoint", "folders", "credentials"});
  StorageGatewayTarget target;
  const Value share = keys.Need("file_share");
  target.file_share = share.Text();
  if (!target.file_share.starts_with("arn:")) share.Fail("must be the ARN of a file share");
  target.region = keys.Need("region").LowerWord(kRegionBytesMax, "-");
  if (const auto endpoint = keys.Find("endpoint")) target.endpoint = ReadEndpoint(*endpoint);
  target.folders = ReadTexts(keys, "folders", target.folders);
  target.credentials = ReadOptionalCredentials(keys, target.region);
  return target;
}

RcloneTarget ReadRclone(const Value& value) {
  const Map keys = value.Keys({"type", "timeout", "url", "fs", "dir"});
  RcloneTarget target;
  target.url = ReadUrl(keys.Need("url"));
  if (const auto fs = keys.Find("fs")) target.fs = fs->AnyText();
  if (const auto dir = keys.Find("dir")) target.dir = dir->AnyText();
  return target;
}

CloudfrontTarget ReadCloudfront(const Value& value) {
  const Map keys =
      value.Keys({"type", "timeout", "distribution", "region", "endpoint", "paths", "credentials"});
  CloudfrontTarget target;
  target.distribution = keys.Need("distribution").Word(kDistributionBytesMax, "");
  if (const auto region = keys.Find("region")) {
    target.region = region->LowerWord(kRegionBytesMax, "-");
  }
  if (const auto endpoint = keys.Find("endpoint")) target.endpoint = ReadEndpoint(*endpoint);
  target.paths = ReadTexts(keys, "paths", target.paths);
  target.credentials = ReadOptionalCredentials(keys, target.region);
  return target;
}

WebhookTarget ReadWebhook(const Value& value) {
  const Map keys = value.Keys({"type", "timeout", "url", "token_file", "body"});
  WebhookTarget target;
  target.url = ReadUrl(keys.Need("url"));
  if (const auto file = keys.Find("token_file")) target.token_file = file->Path();
  if (const auto body = keys.Find("body")) target.body = ReadTemplate(*body);
  return target;
}

CommandTarget ReadCommand(const Value& value) {
  const Map keys = value.Keys({"type", "timeout", "argv"});
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
    case 0: return WithTimeout<RefreshTarget>({name, ReadStorageGateway(value)}, value);
    case 1: return WithTimeout<RefreshTarget>({name, ReadRclone(value)}, value);
    case 2: return WithTimeout<RefreshTarget>({name, ReadCloudfront(value)}, value);
    case 3: return WithTimeout<RefreshTarget>({name, ReadWebhook(value)}, value);
    default: return WithTimeout<RefreshTarget>({name, ReadCommand(value)}, value);
  }
}

NotifyTarget ReadNotifyTarget(const std::string& name, const Value& value) {
  constexpr std::array<std::string_view, 2> kTypes = {"webhook", "command"};
  if (value.Lookup("type").Choice(kTypes) == 0) {
    return WithTimeout<NotifyTarget>({name, ReadWebhook(value)}, value);
  }
  return WithTimeout<NotifyTarget>({name, ReadCommand(value)}, value);
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

HookConfig ReadHook(const Value& value) {
  const Map keys = value.Keys({"listen", "token_file", "tls"});
  HookConfig hook;
  if (const auto listen = keys.Find("listen")) hook.listen = listen->Text();
  if (const auto file = keys.Find("token_file")) hook.token_file = file->Path();
  ReadServerTls(keys, hook);
  return hook;
}

}  // namespace ferry
