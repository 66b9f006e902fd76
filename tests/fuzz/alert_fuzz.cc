// The hook reads what anybody with its token sends, and is to survive all of it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/hook/alert_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const ferry::AlertMessage message =
        ferry::ParseAlertMessage(std::string_view(reinterpret_cast<const char*>(data), size));
    for (const ferry::AlertSignal& signal : message.signals) {
      FERRY_CHECK(signal.run_id > 0 && !signal.task.empty());
    }
  } catch (const ferry::Error& error) {
    FERRY_CHECK(error.kind() == ferry::ErrorKind::kInvalid);
  }
  return 0;
}
