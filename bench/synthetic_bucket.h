// A bucket of any number of keys that nobody stores: keys, ETags and bodies are computed.
//
// Keys have a fixed width, so that the order of indexes is the byte order of keys, and a page of a
// listing is plain string appends from one index on. A seed has only kBodies different bodies; the
// ETag of an object is the MD5 of its body, so that a client may check what it reads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ferry::bench {

struct ListQuery {
  std::string bucket;
  std::string prefix;
  std::string delimiter;
  std::string start_after;         // V1: marker
  std::string continuation_token;  // V2 only; wins over start_after
  std::size_t keys_max = 1000;     // above 1,000 counts as 1,000
  bool url_encoded = false;
  bool v2 = true;
};

class SyntheticBucket {
 public:
  static constexpr std::size_t kObjectBytes = 1024;

  // Keys "dir-000000/object-0000000000"; with no dirs "object-0000000000".
  // Another seed gives other bodies and other ETags to the same keys. Of each hundred keys
  // `changed_percent` (0..100) have been changed since: they have the body of the next seed, and
  // are a day younger.
  SyntheticBucket(std::uint64_t keys, std::uint64_t dirs, std::uint64_t seed,
                  std::uint64_t changed_percent = 0);

  // The answer to ListObjects or ListObjectsV2; nullopt for a continuation token that is none.
  std::optional<std::string> List(const ListQuery& query) const;

  std::optional<std::uint64_t> Find(std::string_view key) const;
  std::string Key(std::uint64_t index) const;
  std::string_view EtagHex(std::uint64_t index) const;
  std::string Body(std::uint64_t index) const;
  std::string_view LastModifiedIso(std::uint64_t index) const;
  std::string_view LastModifiedHttp(std::uint64_t index) const;

 private:
  static constexpr std::size_t kBodies = 4096;

  void AppendKey(std::uint64_t index, std::string& out) const;
  std::uint64_t FirstNotBelow(std::string_view text) const;  // the least index with key >= text
  std::uint64_t FirstBehind(std::string_view prefix) const;  // ... behind all keys with the prefix
  static std::string BodyOf(std::uint64_t seed, std::size_t which);
  bool IsChanged(std::uint64_t index) const { return index % 100 < changed_percent_; }

  const std::uint64_t keys_;
  const std::uint64_t keys_a_dir_;  // 0: no directories
  const std::uint64_t seed_;
  const std::uint64_t changed_percent_;
  using Etags = std::array<std::array<char, 32>, kBodies>;
  Etags etags_;
  Etags changed_etags_;
};

// What the server needs of the rules for text in URLs and XML. Written apart from batch/store on
// purpose: a mistake there must not find its twin here.
std::string PercentEncode(std::string_view bytes);
std::string PercentDecode(std::string_view text);
std::string EscapeXml(std::string_view text);

// The MD5 of a body, as an ETag has it.
std::string Md5Text(std::string_view body);

}  // namespace ferry::bench
