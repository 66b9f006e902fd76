// Digests of bodies, made on the way: those that object stores answer with.
//
// A body passes once, and what is wanted of it is said before its first byte: MD5 costs more than
// all the rest of a copy, so nobody makes one that proves nothing new.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/batch_md5.h"
#include "batch/base/crc.h"

struct evp_md_ctx_st;

namespace ferry {

enum class DigestKind { kMd5, kCrc32, kCrc32c, kCrc64Ecma, kCrc64Nvme, kSha256 };

std::string_view ToString(DigestKind kind);  // "md5", "crc64nvme"
std::size_t DigestBytes(DigestKind kind);
// nullopt: it is no CRC.
std::optional<CrcKind> CrcKindOf(DigestKind kind);

struct Digest {
  DigestKind kind = DigestKind::kMd5;
  // As stores write them: 16 of an MD5, 32 of a SHA-256, 4 or 8 of a CRC, highest first.
  std::string bytes;

  friend bool operator==(const Digest&, const Digest&) = default;
};

using DigestKinds = std::vector<DigestKind>;  // each at most once
using Digests = std::vector<Digest>;          // of one body, of each kind at most one

const Digest* FindDigest(const Digests& digests, DigestKind kind);  // null: there is none

Digest CrcDigest(DigestKind kind, std::uint64_t crc);
// nullopt: not base64, or not as long as that kind is.
std::optional<Digest> DigestFromBase64(DigestKind kind, std::string_view text);

// "crc64nvme:rosUhgp5mIg=", as it stands in the database.
std::string ToText(const Digest& digest);
std::optional<Digest> DigestFromText(std::string_view text);  // nullopt: not ToText's

// The digest of two bodies, one behind the other. REQUIRES: CRCs of one kind.
Digest CombineDigests(const Digest& first, const Digest& second, std::uint64_t second_bytes);

// A digest over the digests of parts, one behind the other: where those of the parts cannot be
// combined to that of all bytes.
struct CompositeDigest {
  Digest digest;
  std::size_t parts = 0;

  friend bool operator==(const CompositeDigest&, const CompositeDigest&) = default;
};

// "BASE64-N", as stores write it. nullopt: it is none.
std::optional<CompositeDigest> CompositeFromBase64(DigestKind kind, std::string_view text);

class Md5 {
 public:
  Md5();
  ~Md5();
  Md5(Md5&&) noexcept;
  Md5& operator=(Md5&&) noexcept;

  void Update(std::string_view bytes);
  // 16 bytes. Nothing may be added afterwards.
  std::string Finish();

  static std::string Of(std::string_view bytes);

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(std::string_view bytes);
  // 32 bytes. Nothing may be added afterwards.
  std::string Finish();

  static std::string Of(std::string_view bytes);

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// All that is wanted of one body, in one pass. Belongs to the thread that made it: see BatchMd5.
class BodyDigest {
 public:
  BodyDigest() = default;  // of nothing
  explicit BodyDigest(const DigestKinds& wanted);

  void Update(std::string_view bytes);
  // In the order in which they were wanted. Nothing may be added afterwards.
  Digests Finish();

  static Digests Of(const DigestKinds& wanted, std::string_view bytes);

 private:
  DigestKinds wanted_;
  std::optional<BatchMd5> md5_;
  std::optional<Sha256> sha256_;
  std::vector<Crc> crcs_;  // of the CRCs wanted, in their order
};

}  // namespace ferry
