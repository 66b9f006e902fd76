#include "exporter/page.h"

#include <openssl/sha.h>

#include <string_view>

#include "batch/base/check.h"
#include "batch/base/key.h"
#include "exporter/page_files.h"

namespace ferry::exporter {
namespace {

std::string Digest(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return "'sha256-" +
         ToBase64(
             {reinterpret_cast<const char*>(digest), static_cast<std::size_t>(sizeof digest)}) +
         "'";
}

std::string Fill(std::string page, std::string_view place, std::string_view text) {
  const auto at = page.find(place);
  FERRY_CHECK(at != std::string::npos);
  return page.replace(at, place.size(), text);
}

}  // namespace

Page MakePage() {
  const PageFiles files = EmbeddedPageFiles();
  return {
      .html = MakeBody(Fill(Fill(std::string(files.html), "{{style}}", files.style), "{{script}}",
                            files.script)),
      // img-src: the icon, which is data. No form is sent anywhere: the script reads the fields.
      .content_security_policy =
          "default-src 'none'; script-src " + Digest(files.script) + "; style-src " +
          Digest(files.style) +
          "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
          "frame-ancestors 'none'"};
}

}  // namespace ferry::exporter
