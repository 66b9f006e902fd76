// Any bytes as a configuration file: values within their limits, or Error{kConfig} in one line that
// holds nothing of the environment.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/config/load_config.h"

namespace {

constexpr const char* kFilledIn = "hunter2hunter2";

class OneName final : public ferry::Environment {
 public:
  std::optional<std::string> Get(const std::string& name) const override {
    return name == "X" ? std::optional<std::string>(kFilledIn) : std::nullopt;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int memory = memfd_create("config", MFD_CLOEXEC);
  FERRY_CHECK(memory >= 0);
  FERRY_CHECK(write(memory, data, size) == static_cast<ssize_t>(size));
  try {
    const std::string file = "/proc/self/fd/" + std::to_string(memory);
    const ferry::Config config = ferry::LoadConfig(file, OneName());
    FERRY_CHECK(!config.tasks.empty());
    for (const ferry::TaskConfig& task : config.tasks) {
      FERRY_CHECK(!config.Store(task.source.store).region.empty());
      FERRY_CHECK(!config.Store(task.destination.store).endpoint.host.empty());
    }
  } catch (const ferry::Error& error) {
    const std::string what = error.what();
    FERRY_CHECK(error.kind() == ferry::ErrorKind::kConfig);
    FERRY_CHECK(what.find('\n') == std::string::npos);
    // The fuzzer learns the text from the comparison, and may write it into the file itself.
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    FERRY_CHECK(input.find(kFilledIn) != std::string_view::npos ||
                what.find(kFilledIn) == std::string::npos);
  }
  close(memory);
  return 0;
}
