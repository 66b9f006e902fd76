#include "batch/base/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "batch/base/check.h"
#include "batch/base/key.h"

namespace ferry {
namespace {

constexpr DigestKind kAllKinds[] = {DigestKind::kMd5,       DigestKind::kCrc32,
                                    DigestKind::kCrc32c,    DigestKind::kCrc64Ecma,
                                    DigestKind::kCrc64Nvme, DigestKind::kSha256};
constexpr std::size_t kMd5Bytes = 16;
constexpr std::size_t kSha256Bytes = 32;

std::uint64_t CrcOf(const Digest& digest) {
  std::uint64_t crc = 0;
  for (const char byte : digest.bytes) crc = (crc << 8) | static_cast<unsigned char>(byte);
  return crc;
}

}  // namespace

std::string_view ToString(DigestKind kind) {
  switch (kind) {
    case DigestKind::kMd5: return "md5";
    case DigestKind::kCrc32: return "crc32";
    case DigestKind::kCrc32c: return "crc32c";
    case DigestKind::kCrc64Ecma: return "crc64ecma";
    case DigestKind::kCrc64Nvme: return "crc64nvme";
    case DigestKind::kSha256: return "sha256";
  }
  return "";
}

std::optional<CrcKind> CrcKindOf(DigestKind kind) {
  switch (kind) {
    case DigestKind::kMd5:
    case DigestKind::kSha256: return std::nullopt;
    case DigestKind::kCrc32: return CrcKind::kCrc32;
    case DigestKind::kCrc32c: return CrcKind::kCrc32c;
    case DigestKind::kCrc64Ecma: return CrcKind::kCrc64Ecma;
    case DigestKind::kCrc64Nvme: return CrcKind::kCrc64Nvme;
  }
  return std::nullopt;
}

std::size_t DigestBytes(DigestKind kind) {
  const std::optional<CrcKind> crc = CrcKindOf(kind);
  if (crc) return CrcBytes(*crc);
  return kind == DigestKind::kSha256 ? kSha256Bytes : kMd5Bytes;
}

const Digest* FindDigest(const Digests& digests, DigestKind kind) {
  const auto found = std::find_if(digests.begin(), digests.end(),
                                  [kind](const Digest& one) { return one.kind == kind; });
  return found == digests.end() ? nullptr : &*found;
}

Digest CrcDigest(DigestKind kind, std::uint64_t crc) {
  Digest digest{kind, std::string(DigestBytes(kind), '\0')};
  for (auto byte = digest.bytes.rbegin(); byte != digest.bytes.rend(); ++byte, crc >>= 8) {
    *byte = static_cast<char>(crc & 0xFF);
  }
  return digest;
}

std::optional<Digest> DigestFromBase64(DigestKind kind, std::string_view text) {
  std::optional<std::string> bytes = FromBase64(text);
  if (!bytes || bytes->size() != DigestBytes(kind)) return std::nullopt;
  return Digest{kind, std::move(*bytes)};
}

std::string ToText(const Digest& digest) {
  return std::string(ToString(digest.kind)) + ":" + ToBase64(digest.bytes);
}

std::optional<Digest> DigestFromText(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  for (const DigestKind kind : kAllKinds) {
    if (text.substr(0, colon) == ToString(kind)) {
      return DigestFromBase64(kind, text.substr(colon + 1));
    }
  }
  return std::nullopt;
}

Digest CombineDigests(const Digest& first, const Digest& second, std::uint64_t second_bytes) {
  const std::optional<CrcKind> kind = CrcKindOf(first.kind);
  FERRY_CHECK(kind && first.kind == second.kind);
  return CrcDigest(first.kind, CombineCrcs(*kind, CrcOf(first), CrcOf(second), second_bytes));
}

std::optional<CompositeDigest> CompositeFromBase64(DigestKind kind, std::string_view text) {
  const std::size_t dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::optional<Digest> digest = DigestFromBase64(kind, text.substr(0, dash));
  const std::string_view count = text.substr(dash + 1);
  std::size_t parts = 0;
  const auto [end, problem] = std::from_chars(count.data(), count.data() + count.size(), parts);
  const bool whole = problem == std::errc{} && end == count.data() + count.size();
  if (!digest || !whole || parts == 0) return std::nullopt;
  return CompositeDigest{std::move(*digest), parts};
}

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
  std::string digest(kMd5Bytes, '\0');
  FERRY_CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()),
                                 nullptr) == 1);
  return digest;
}

std::string Md5::Of(std::string_view bytes) {
  Md5 md5;
  md5.Update(bytes);
  return md5.Finish();
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  FERRY_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(std::string_view bytes) {
  FERRY_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::Finish() {
  std::string digest(kSha256Bytes, '\0');
  FERRY_CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()),
                                 nullptr) == 1);
  return digest;
}

std::string Sha256::Of(std::string_view bytes) {
  Sha256 sha256;
  sha256.Update(bytes);
  return sha256.Finish();
}

BodyDigest::BodyDigest(const DigestKinds& wanted) : wanted_(wanted) {
  for (const DigestKind kind : wanted) {
    if (const std::optional<CrcKind> crc = CrcKindOf(kind)) {
      crcs_.emplace_back(*crc);
    } else if (kind == DigestKind::kSha256) {
      sha256_.emplace();
    } else {
      md5_.emplace();
    }
  }
}

void BodyDigest::Update(std::string_view bytes) {
  if (md5_) md5_->Update(bytes);
  if (sha256_) sha256_->Update(bytes);
  for (Crc& crc : crcs_) crc.Update(bytes);
}

Digests BodyDigest::Finish() {
  Digests digests;
  auto crc = crcs_.begin();
  for (const DigestKind kind : wanted_) {
    if (kind == DigestKind::kMd5) {
      digests.push_back({kind, md5_->Finish()});
    } else if (kind == DigestKind::kSha256) {
      digests.push_back({kind, sha256_->Finish()});
    } else {
      digests.push_back(CrcDigest(kind, (crc++)->value()));
    }
  }
  return digests;
}

Digests BodyDigest::Of(const DigestKinds& wanted, std::string_view bytes) {
  Digests digests;
  for (const DigestKind kind : wanted) {
    if (const std::optional<CrcKind> crc = CrcKindOf(kind)) {
      Crc one(*crc);
      one.Update(bytes);
      digests.push_back(CrcDigest(kind, one.value()));
    } else if (kind == DigestKind::kSha256) {
      digests.push_back({kind, Sha256::Of(bytes)});
    } else {
      digests.push_back({kind, Md5::Of(bytes)});
    }
  }
  return digests;
}

}  // namespace ferry
