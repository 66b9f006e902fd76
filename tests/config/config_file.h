// A configuration file in a folder of its own, and an environment that tests set.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/config/environment.h"
#include "batch/config/load_config.h"

namespace ferry::test {

class MapEnvironment final : public Environment {
 public:
  std::optional<std::string> Get(const std::string& name) const override {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, std::string> values;
};

class TempFolder {
 public:
  TempFolder() {
    std::string name = std::filesystem::temp_directory_path() / "ferry-config-XXXXXX";
    FERRY_CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

// Two stores and one task; everything else as it is left out.
inline constexpr const char* kSmallest = R"(stores:
  a: {provider: aws, region: us-east-1}
  b: {provider: minio, endpoint: "http://127.0.0.1:9000"}
tasks:
  - name: media
    source: {store: a, bucket: src}
    destination: {store: b, bucket: dst}
)";

class ConfigFile {
 public:
  Config Load(const std::string& text, CredentialUse credentials = CredentialUse::kNeeded) const {
    return LoadConfig(folder.Write("f.yaml", text), environment, credentials);
  }

  // The error's text without the folder: "f.yaml:3: tasks: ..."; "accepted" when there is none.
  std::string Failure(const std::string& text) const {
    try {
      Load(text);
    } catch (const Error& error) {
      FERRY_CHECK(error.kind() == ErrorKind::kConfig);
      std::string what = error.what();
      FERRY_CHECK(what.find('\n') == std::string::npos);
      const std::string path = folder.path().string() + "/";
      for (auto at = what.find(path); at != std::string::npos; at = what.find(path)) {
        what.erase(at, path.size());
      }
      return what;
    }
    return "accepted";
  }

  TempFolder folder;
  MapEnvironment environment;
};

}  // namespace ferry::test
