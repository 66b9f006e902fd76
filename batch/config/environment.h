// The process environment as a dependency, so that tests bring their own.
#pragma once

#include <optional>
#include <string>

namespace ferry {

class Environment {
 public:
  virtual ~Environment() = default;

  // nullopt: not set. Set to nothing is an empty text.
  virtual std::optional<std::string> Get(const std::string& name) const = 0;
};

// The real one. Nothing in this program changes the environment after main() began, so it may be
// read from any thread.
class ProcessEnvironment final : public Environment {
 public:
  std::optional<std::string> Get(const std::string& name) const override;
};

}  // namespace ferry
