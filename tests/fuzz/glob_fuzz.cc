// Pattern and key from one input, split at the first line break: no pattern may crash, run for
// ever, or refuse with anything but Error{kConfig}.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/plan/glob.h"
#include "batch/plan/key_filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  const std::string_view pattern = input.substr(0, end);
  const std::string_view rest =
      end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  try {
    const bool matches = ferry::Glob(pattern).Matches(rest);
    const ferry::KeyFilter filter({std::string(pattern)}, {});
    FERRY_CHECK(filter.Matches(rest) == matches);
    FERRY_CHECK(filter.WhyExcluded(rest).has_value() != matches);
  } catch (const ferry::Error& error) {
    FERRY_CHECK(error.kind() == ferry::ErrorKind::kConfig);
  }
  return 0;
}
