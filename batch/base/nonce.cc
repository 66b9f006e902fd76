#include "batch/base/nonce.h"

#include <random>

#include "batch/base/key.h"

namespace ferry {

std::string NewNonce() {
  std::random_device random;
  std::string bytes;
  while (bytes.size() < 16) bytes.push_back(static_cast<char>(random() & 0xFF));
  return ToHex(bytes);
}

}  // namespace ferry
