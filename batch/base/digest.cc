#include "batch/base/digest.h"

#include <openssl/evp.h>

#include "batch/base/check.h"

namespace ferry {

void Md5::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Md5::Md5() : context_(EVP_MD_CTX_new()) {
  // Fails where policy forbids MD5 (FIPS): no ETag could be proven there.
  FERRY_CHECK(EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) == 1);
}
Md5::~Md5() = default;
Md5::Md5(Md5&&) noexcept = default;
Md5& Md5::operator=(Md5&&) noexcept = default;

void Md5::Update(std::string_view bytes) {
  FERRY_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Md5::Finish() {
  std::string digest(16, '\0');
  FERRY_CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()),
                                 nullptr) == 1);
  return digest;
}

std::string Md5::Of(std::string_view bytes) {
  Md5 md5;
  md5.Update(bytes);
  return md5.Finish();
}

}  // namespace ferry
