#include "batch/base/random_id.h"

#include <openssl/rand.h>

#include <array>
#include <string_view>

#include "batch/base/check.h"
#include "batch/base/key.h"

namespace ferry {

std::string RandomId() {
  std::array<unsigned char, 16> bytes{};
  FERRY_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  return ToHex(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace ferry
