// The sections of the file, each read from its value. LoadConfig puts them together.
#pragma once

#include <vector>

#include "batch/config/config.h"
#include "batch/config/yaml_value.h"

namespace ferry {

DatabaseConfig ReadDatabase(const yaml::Value& value);
// The URI itself is checked and never shown: it may carry a password. Throws Error{kConfig}.
DatabaseConfig ParseDatabase(const std::string& text);

// `region`: of AWS, of what the keys are for; a role must be of its partition. Empty: not of AWS.
CredentialsConfig ReadCredentials(const yaml::Value& value, std::string_view region);
EndpointConfig ReadEndpoint(const yaml::Value& value);
// Of a store: what its server does otherwise than the provider's table says.
void ReadHabits(const yaml::Value& value, Provider& provider);
std::vector<StoreConfig> ReadStores(const yaml::Value& value);
// Of one task: how it writes. REQUIRES: its destination was read.
void ReadWriteRules(const yaml::Map& keys, const Config& config, TaskConfig& task);
// Of one task: `timezone`, `bandwidth`, `window`.
void ReadTaskHours(const yaml::Map& keys, TaskConfig& task);
TransferConfig ReadTransfer(const yaml::Value& value);
std::vector<RefreshTarget> ReadRefreshTargets(const yaml::Value& value);
std::vector<NotifyTarget> ReadNotifyTargets(const yaml::Value& value);
HookConfig ReadHook(const yaml::Value& value);
ListenConfig ReadListen(const yaml::Value& value);
// Of one task: what tells it of single objects. REQUIRES: `listen` was read.
EventRules ReadEvents(const yaml::Value& value, const ListenConfig& listen);

// `tls` of a server of ours.
template <typename Server>
void ReadServerTls(const yaml::Map& keys, Server& server) {
  const auto tls = keys.Find("tls");
  if (!tls) return;
  const yaml::Map files = tls->Keys({"certificate", "key", "client_ca"});
  server.certificate = files.Need("certificate").Path();
  server.key = files.Need("key").Path();
  if (const auto authority = files.Find("client_ca")) server.client_ca = authority->Path();
}

// REQUIRES: stores, targets and `listen` of `config` were read: tasks name them.
std::vector<TaskConfig> ReadTasks(const yaml::Value& value, const Config& config);

}  // namespace ferry
