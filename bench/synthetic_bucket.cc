#include "bench/synthetic_bucket.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace ferry::bench {
namespace {

constexpr std::size_t kKeysAPage = 1000;
constexpr std::size_t kEntryBytes = 256;  // of one <Contents>, to reserve
constexpr int kDirDigits = 6;
constexpr int kObjectDigits = 10;
constexpr std::string_view kHex = "0123456789abcdef";

void AppendNumber(std::uint64_t number, int digits, std::string& out) {
  const std::size_t end = out.size() + static_cast<std::size_t>(digits);
  out.append(static_cast<std::size_t>(digits), '0');
  for (std::size_t at = end; number > 0 && at > end - static_cast<std::size_t>(digits);
       number /= 10) {
    out[--at] = static_cast<char>('0' + number % 10);
  }
}

// SplitMix64: a well-mixed number for each position of a body.
std::uint64_t Mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::array<char, 32> Md5Hex(std::string_view body) {
  std::array<unsigned char, 16> digest{};
  if (EVP_Digest(body.data(), body.size(), digest.data(), nullptr, EVP_md5(), nullptr) != 1) {
    std::abort();
  }
  std::array<char, 32> hex{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    hex[2 * i] = kHex[digest[i] >> 4];
    hex[2 * i + 1] = kHex[digest[i] & 15];
  }
  return hex;
}

void AppendElement(std::string_view name, std::string_view text, std::string& out) {
  out.append("<").append(name).append(">").append(text).append("</").append(name).append(">");
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

SyntheticBucket::SyntheticBucket(std::uint64_t keys, std::uint64_t dirs, std::uint64_t seed,
                                 std::uint64_t changed_percent)
    : keys_(keys),
      keys_a_dir_(dirs == 0 ? 0 : std::max<std::uint64_t>(1, (keys + dirs - 1) / dirs)),
      seed_(seed),
      changed_percent_(changed_percent) {
  for (std::size_t which = 0; which < kBodies; ++which) {
    etags_[which] = Md5Hex(BodyOf(seed_, which));
    changed_etags_[which] = Md5Hex(BodyOf(seed_ + 1, which));
  }
}

std::string Md5Text(std::string_view body) {
  const auto hex = Md5Hex(body);
  return {hex.data(), hex.size()};
}

std::string SyntheticBucket::Key(std::uint64_t index) const {
  std::string key;
  AppendKey(index, key);
  return key;
}

void SyntheticBucket::AppendKey(std::uint64_t index, std::string& out) const {
  if (keys_a_dir_ != 0) {
    out.append("dir-");
    AppendNumber(index / keys_a_dir_, kDirDigits, out);
    out.push_back('/');
  }
  out.append("object-");
  AppendNumber(index, kObjectDigits, out);
}

std::uint64_t SyntheticBucket::FirstNotBelow(std::string_view text) const {
  std::uint64_t low = 0;
  std::uint64_t high = keys_;
  std::string key;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    key.clear();
    AppendKey(middle, key);
    if (key < text) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::uint64_t SyntheticBucket::FirstBehind(std::string_view prefix) const {
  std::string next(prefix);
  while (!next.empty() && next.back() == '\xff') next.pop_back();
  if (next.empty()) return keys_;
  next.back() = static_cast<char>(static_cast<unsigned char>(next.back()) + 1);
  return FirstNotBelow(next);
}

std::optional<std::uint64_t> SyntheticBucket::Find(std::string_view key) const {
  const std::uint64_t index = FirstNotBelow(key);
  if (index == keys_) return std::nullopt;
  std::string found;
  AppendKey(index, found);
  if (found != key) return std::nullopt;
  return index;
}

std::string_view SyntheticBucket::EtagHex(std::uint64_t index) const {
  const auto& etag = (IsChanged(index) ? changed_etags_ : etags_)[index % kBodies];
  return {etag.data(), etag.size()};
}

std::string SyntheticBucket::Body(std::uint64_t index) const {
  return BodyOf(IsChanged(index) ? seed_ + 1 : seed_, index % kBodies);
}

std::string SyntheticBucket::BodyOf(std::uint64_t seed, std::size_t which) {
  std::string body;
  body.reserve(kObjectBytes);
  const std::uint64_t start = Mix(seed * kBodies + which);
  for (std::uint64_t i = 0; body.size() < kObjectBytes; ++i) {
    const std::uint64_t word = Mix(start + i);
    for (int shift = 0; shift < 64; shift += 4) body.push_back(kHex[(word >> shift) & 15]);
  }
  return body;
}

std::string_view SyntheticBucket::LastModifiedIso(std::uint64_t index) const {
  return IsChanged(index) ? "2024-03-01T12:00:00.000Z" : "2024-02-29T12:00:00.000Z";
}

std::string_view SyntheticBucket::LastModifiedHttp(std::uint64_t index) const {
  return IsChanged(index) ? "Fri, 01 Mar 2024 12:00:00 GMT" : "Thu, 29 Feb 2024 12:00:00 GMT";
}

std::optional<std::string> SyntheticBucket::List(const ListQuery& query) const {
  const std::size_t keys_max = std::min(query.keys_max, kKeysAPage);
  std::uint64_t index = FirstNotBelow(query.prefix);
  const std::uint64_t end = query.prefix.empty() ? keys_ : FirstBehind(query.prefix);
  if (query.v2 && !query.continuation_token.empty()) {
    const std::string& token = query.continuation_token;
    std::uint64_t next = 0;
    const auto [stop, error] = std::from_chars(token.data(), token.data() + token.size(), next);
    if (error != std::errc{} || stop != token.data() + token.size()) return std::nullopt;
    index = std::max(index, next);
  } else if (!query.start_after.empty()) {
    // A marker that ends with the delimiter is a common prefix of the page before.
    const bool rolled_up = !query.delimiter.empty() && query.start_after.ends_with(query.delimiter);
    index = std::max(index, rolled_up ? FirstBehind(query.start_after)
                                      : FirstNotBelow(query.start_after + '\0'));
  }

  const auto named = [&](std::string_view text) {
    return query.url_encoded ? PercentEncode(text) : EscapeXml(text);
  };
  std::string entries;
  entries.reserve(keys_max * kEntryBytes);
  std::string common_prefixes;
  std::string key;
  std::size_t count = 0;
  for (; count < keys_max && index < end; ++count) {
    key.clear();
    AppendKey(index, key);
    if (!query.delimiter.empty()) {
      const std::size_t at = key.find(query.delimiter, query.prefix.size());
      if (at != std::string::npos) {
        key.resize(at + query.delimiter.size());
        common_prefixes.append("<CommonPrefixes><Prefix>").append(named(key));
        common_prefixes.append("</Prefix></CommonPrefixes>");
        index = FirstBehind(key);
        continue;
      }
    }
    // Keys are letters, digits, '-' and '/': nothing to escape.
    entries.append("<Contents><Key>").append(key);
    entries.append("</Key><LastModified>").append(LastModifiedIso(index));
    entries.append("</LastModified><ETag>&quot;").append(EtagHex(index));
    entries.append(
        "&quot;</ETag><Size>1024</Size><StorageClass>STANDARD</StorageClass></Contents>");
    ++index;
  }
  const bool truncated = count > 0 && index < end;

  std::string page =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  page.reserve(page.size() + entries.size() + common_prefixes.size() + 1024);
  AppendElement("Name", EscapeXml(query.bucket), page);
  AppendElement("Prefix", named(query.prefix), page);
  if (!query.delimiter.empty()) AppendElement("Delimiter", named(query.delimiter), page);
  AppendElement("MaxKeys", std::to_string(keys_max), page);
  if (query.url_encoded) AppendElement("EncodingType", "url", page);
  AppendElement("IsTruncated", truncated ? "true" : "false", page);
  if (query.v2) {
    AppendElement("KeyCount", std::to_string(count), page);
    if (!query.start_after.empty()) AppendElement("StartAfter", named(query.start_after), page);
    if (!query.continuation_token.empty()) {
      AppendElement("ContinuationToken", EscapeXml(query.continuation_token), page);
    }
    if (truncated) AppendElement("NextContinuationToken", std::to_string(index), page);
  } else {
    AppendElement("Marker", named(query.start_after), page);
    // As the real ones: without a delimiter, the client goes on from the last key itself.
    if (truncated && !query.delimiter.empty()) AppendElement("NextMarker", named(key), page);
  }
  return page.append(entries).append(common_prefixes).append("</ListBucketResult>");
}

std::string PercentEncode(std::string_view bytes) {
  constexpr std::string_view kUpperHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~' || c == '/';
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kUpperHex[byte >> 4]);
      out.push_back(kUpperHex[byte & 15]);
    }
  }
  return out;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
        HexDigit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::string EscapeXml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out.append("&amp;");
    } else if (c == '<') {
      out.append("&lt;");
    } else if (c == '>') {
      out.append("&gt;");
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace ferry::bench
