// JSON in and out. Any bytes as a credentials file: sound keys, or Error{kCredentials} in one line
// that holds nothing of the file. Any bytes as a key: one line of JSON that gives the key back.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "batch/app/json_key.h"
#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/config/credentials.h"

namespace {

void CheckCredentials(std::string_view input) {
  const int memory = memfd_create("credentials", MFD_CLOEXEC);
  FERRY_CHECK(memory >= 0);
  FERRY_CHECK(write(memory, input.data(), input.size()) == static_cast<ssize_t>(input.size()));
  const std::string file = "/proc/self/fd/" + std::to_string(memory);
  try {
    const ferry::AccessKeys keys = ferry::ReadCredentialsFile(file);
    FERRY_CHECK(!keys.access_key_id.empty() && ferry::IsSoundSecret(keys.access_key_id));
    const std::string& secret = keys.secret_access_key.Reveal();
    FERRY_CHECK(!secret.empty() && ferry::IsSoundSecret(secret));
    FERRY_CHECK(ferry::IsSoundSecret(keys.session_token.Reveal()));
  } catch (const ferry::Error& error) {
    FERRY_CHECK(error.kind() == ferry::ErrorKind::kCredentials);
    // All it may say beside the name of the file.
    const std::string what = error.what();
    const std::string before = "credentials file " + file + " ";
    FERRY_CHECK(what.starts_with(before));
    const std::string why = what.substr(before.size());
    bool known = why == "is not a JSON object";
    for (const std::string name : {"access_key_id", "secret_access_key", "session_token"}) {
      known = known || why == "lacks " + name ||
              why == "holds something else than a text as " + name ||
              why == "holds a blank or a control character in " + name;
    }
    FERRY_CHECK(known);
  }
  close(memory);
}

void CheckKey(std::string_view input) {
  const ferry::Key key{std::string(input)};
  ferry::Json object;
  ferry::AddKey(object, key);
  object["error"] = std::string(input);
  const std::string line = ferry::ToLine(object);
  for (const char c : line) FERRY_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
  const ferry::Json again = ferry::Json::parse(line);
  if (ferry::IsUtf8(input)) {
    FERRY_CHECK(again.at("key").get<std::string>() == input);
  } else {
    FERRY_CHECK(again.at("key_base64").get<std::string>() == ferry::ToBase64(input));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  CheckCredentials(input);
  CheckKey(input);
  return 0;
}
