// Keys that the configuration holds or names: in it, in a file, in AWS Secrets Manager.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include "batch/base/clock.h"
#include "batch/config/environment.h"
#include "batch/credentials/keys_source.h"

namespace ferry {

class StaticKeys final : public KeysSource {
 public:
  explicit StaticKeys(AccessKeys keys) : keys_(std::move(keys)) {}

  std::string Name() const override { return "the configuration"; }
  AccessKeys Fetch(const std::stop_token&) override { return keys_; }
  bool IsRenewedElsewhere() const override { return true; }

 private:
  const AccessKeys keys_;
};

// ReadCredentialsFile; a file that was written since has changed.
class FileKeys final : public KeysSource {
 public:
  explicit FileKeys(std::filesystem::path file) : file_(std::move(file)) {}

  std::string Name() const override;
  AccessKeys Fetch(const std::stop_token& stop) override;
  bool IsRenewedElsewhere() const override { return true; }
  bool HasChanged() override;

 private:
  const std::filesystem::path file_;
  // When the file that was read last had been written.
  std::atomic<std::filesystem::file_time_type::rep> written_{0};
};

// GetSecretValue: the secret's text is what a credentials file holds, as Data Transfer Hub writes
// it. Nobody says when such keys change: what holds them asks again now and then, and when a store
// refuses them.
class SecretKeys final : public KeysSource {
 public:
  // `reader` gives the keys to ask with. `environment` and `clock` outlive this object.
  SecretKeys(SecretPlace secret, std::unique_ptr<KeysSource> reader, const Environment& environment,
             Clock& clock)
      : secret_(std::move(secret)),
        reader_(std::move(reader)),
        environment_(environment),
        clock_(clock) {}

  std::string Name() const override;
  AccessKeys Fetch(const std::stop_token& stop) override;
  std::vector<std::string> PassedOver() const override { return reader_->PassedOver(); }

 private:
  const SecretPlace secret_;
  const std::unique_ptr<KeysSource> reader_;
  const Environment& environment_;
  Clock& clock_;
};

}  // namespace ferry
