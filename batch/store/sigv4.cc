#include "batch/store/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <initializer_list>
#include <utility>
#include <vector>

#include "batch/base/check.h"
#include "batch/base/key.h"

namespace ferry {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kBlockBytes = 64;
using HashBytes = std::array<unsigned char, kHashBytes>;
using BlockBytes = std::array<unsigned char, kBlockBytes>;

template <std::size_t N>
std::string_view View(const std::array<unsigned char, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// SHA-256 on one reused context: EVP_Digest and HMAC() look the algorithm up at every call.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    FERRY_CHECK(context_ != nullptr);
    FERRY_CHECK(EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1);
  }
  ~Sha256() { EVP_MD_CTX_free(context_); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  HashBytes Hash(std::initializer_list<std::string_view> pieces) {
    HashBytes hash;
    FERRY_CHECK(EVP_DigestInit_ex(context_, nullptr, nullptr) == 1);
    for (const std::string_view piece : pieces) {
      FERRY_CHECK(EVP_DigestUpdate(context_, piece.data(), piece.size()) == 1);
    }
    FERRY_CHECK(EVP_DigestFinal_ex(context_, hash.data(), nullptr) == 1);
    return hash;
  }

 private:
  EVP_MD_CTX* context_;
};

// A key of HMAC (RFC 2104) with both pads made.
class HmacKey {
 public:
  HmacKey() = default;
  HmacKey(std::string_view key, Sha256& sha256) {
    HashBytes hashed;
    if (key.size() > kBlockBytes) {
      hashed = sha256.Hash({key});
      key = View(hashed);
    }
    BlockBytes block{};
    std::copy(key.begin(), key.end(), block.begin());
    for (std::size_t i = 0; i < kBlockBytes; ++i) {
      inner_[i] = block[i] ^ 0x36;
      outer_[i] = block[i] ^ 0x5c;
    }
    OPENSSL_cleanse(block.data(), block.size());
  }
  ~HmacKey() {
    OPENSSL_cleanse(inner_.data(), inner_.size());
    OPENSSL_cleanse(outer_.data(), outer_.size());
  }
  HmacKey(const HmacKey&) = delete;
  HmacKey& operator=(const HmacKey&) = default;

  HashBytes Mac(std::string_view message, Sha256& sha256) const {
    return sha256.Hash({View(outer_), View(sha256.Hash({View(inner_), message}))});
  }

 private:
  BlockBytes inner_{};
  BlockBytes outer_{};
};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Headers that may change or vanish on the way; see the header file.
bool IsNeverSigned(std::string_view name, SignProfile profile) {
  constexpr std::string_view kNever[] = {
      "accept-encoding", "authorization",     "connection", "expect",     "keep-alive",     "te",
      "trailer",         "transfer-encoding", "upgrade",    "user-agent", "x-amzn-trace-id"};
  if (std::find(std::begin(kNever), std::end(kNever), name) != std::end(kNever)) return true;
  if (name.starts_with("proxy-") || name.starts_with("amz-sdk-")) return true;
  // libcurl writes this one itself, after signing.
  return name == "content-length" && profile == SignProfile::kS3;
}

// What Sign adds: old ones in the request are not looked at.
bool IsAddedBySign(std::string_view name, SignProfile profile) {
  return name == "x-amz-date" || name == "x-amz-security-token" ||
         (name == "x-amz-content-sha256" && profile == SignProfile::kS3);
}

// Trimmed, and white space within as one space each: the form of a value that is signed.
void AppendCanonicalValue(std::string_view value, std::string& out) {
  bool pending_space = false;
  bool any = false;
  for (const char c : value) {
    if (IsSpace(c)) {
      pending_space = any;
      continue;
    }
    if (pending_space) out.push_back(' ');
    pending_space = false;
    any = true;
    out.push_back(c);
  }
}

void AppendNormalizedPath(std::string_view path, std::string& out) {
  std::vector<std::string_view> segments;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (segment != ".." && segment != "." && !segment.empty()) segments.push_back(segment);
    begin = end + 1;
  }
  for (const std::string_view segment : segments) out.append("/").append(segment);
  if (segments.empty() || path.ends_with('/')) out.push_back('/');
}

void AppendDigits(unsigned number, int width, std::string& out) {
  const std::size_t begin = out.size();
  out.resize(begin + static_cast<std::size_t>(width));
  for (std::size_t i = out.size(); i > begin; --i, number /= 10) {
    out[i - 1] = static_cast<char>('0' + number % 10);
  }
}

// "20130524T000000Z"
std::string BasicIso8601(WallTime time) {
  using std::chrono::days, std::chrono::floor, std::chrono::seconds;
  const auto day = floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(floor<seconds>(time - day));
  std::string text;
  text.reserve(16);
  AppendDigits(static_cast<unsigned>(static_cast<int>(date.year())), 4, text);
  AppendDigits(static_cast<unsigned>(date.month()), 2, text);
  AppendDigits(static_cast<unsigned>(date.day()), 2, text);
  text.push_back('T');
  AppendDigits(static_cast<unsigned>(clock.hours().count()), 2, text);
  AppendDigits(static_cast<unsigned>(clock.minutes().count()), 2, text);
  AppendDigits(static_cast<unsigned>(clock.seconds().count()), 2, text);
  text.push_back('Z');
  return text;
}

}  // namespace

std::string PayloadHash(std::string_view body) {
  thread_local Sha256 sha256;
  return ToHex(View(sha256.Hash({body})));
}

struct Signer::State {
  Credentials credentials;
  SignScope scope;
  Sha256 sha256;

  std::string key_day;  // the day that `key` and `scope_text` are for; empty: none yet
  HmacKey key;
  std::string scope_text;  // "20130524/us-east-1/s3/aws4_request"

  // Kept from request to request for their memory.
  struct CanonicalHeader {
    std::string name;
    std::string_view value;
  };
  std::vector<CanonicalHeader> sorted;
  std::string signed_names;
  std::string canonical_request;
  std::string string_to_sign;

  ~State() { OPENSSL_cleanse(credentials.secret_access_key.data(), SecretBytes()); }
  std::size_t SecretBytes() const { return credentials.secret_access_key.size(); }

  void ForgetKey() { key_day.clear(); }
  void MakeKey(std::string_view day);
  void SortHeaders(const NameValues& given, const NameValues& added);
  void WriteCanonicalRequest(const RequestToSign& request, std::string_view query);
  void WriteStringToSign(std::string_view time);
};

// The chain of four MACs of the documentation; the same for a whole day.
void Signer::State::MakeKey(std::string_view day) {
  if (key_day == day) return;
  std::string first = "AWS4" + credentials.secret_access_key;
  HashBytes mac = HmacKey(first, sha256).Mac(day, sha256);
  OPENSSL_cleanse(first.data(), first.size());
  for (const std::string_view step :
       {std::string_view(scope.region), std::string_view(scope.service),
        std::string_view("aws4_request")}) {
    mac = HmacKey(View(mac), sha256).Mac(step, sha256);
  }
  key = HmacKey(View(mac), sha256);
  OPENSSL_cleanse(mac.data(), mac.size());
  key_day = day;
  scope_text.assign(day).append("/").append(scope.region).append("/").append(scope.service);
  scope_text.append("/aws4_request");
}

void Signer::State::SortHeaders(const NameValues& given, const NameValues& added) {
  std::size_t used = 0;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (used == sorted.size()) sorted.emplace_back();
    CanonicalHeader& header = sorted[used];
    header.name.resize(name.size());
    std::transform(name.begin(), name.end(), header.name.begin(), Lower);
    header.value = value;
    return std::string_view(header.name);
  };
  for (const auto& [name, value] : given) {
    const std::string_view lower = add(name, value);
    if (IsNeverSigned(lower, scope.profile) || IsAddedBySign(lower, scope.profile)) continue;
    ++used;
  }
  for (const auto& [name, value] : added) {
    add(name, value);
    ++used;
  }
  sorted.resize(used);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
}

void Signer::State::WriteCanonicalRequest(const RequestToSign& request, std::string_view query) {
  std::string& out = canonical_request;
  out.assign(request.method).append("\n");
  if (scope.profile == SignProfile::kGeneric) {
    AppendNormalizedPath(request.path, out);
  } else {
    out.append(request.path.empty() ? "/" : request.path);
  }
  out.append("\n").append(query);
  signed_names.clear();
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    // Headers of one name are one line, their values in the order of sending.
    const bool again = i > 0 && sorted[i].name == sorted[i - 1].name;
    if (again) {
      out.push_back(',');
    } else {
      out.append("\n").append(sorted[i].name).append(":");
      if (!signed_names.empty()) signed_names.push_back(';');
      signed_names.append(sorted[i].name);
    }
    AppendCanonicalValue(sorted[i].value, out);
  }
  out.append("\n\n").append(signed_names).append("\n").append(request.payload_hash);
}

void Signer::State::WriteStringToSign(std::string_view time) {
  string_to_sign.assign("AWS4-HMAC-SHA256\n").append(time).append("\n").append(scope_text);
  string_to_sign.append("\n").append(ToHex(View(sha256.Hash({canonical_request}))));
}

Signer::Signer(Credentials credentials, SignScope scope) : state_(std::make_unique<State>()) {
  state_->credentials = std::move(credentials);
  state_->scope = std::move(scope);
}
Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;

SignedRequest Signer::Sign(const RequestToSign& request, WallTime now) {
  State& state = *state_;
  const std::string time = BasicIso8601(now);
  state.MakeKey(std::string_view(time).substr(0, 8));

  SignedRequest result;
  result.query = CanonicalQuery(request.query);
  result.headers.reserve(4);
  result.headers.emplace_back("x-amz-date", time);
  if (state.scope.profile == SignProfile::kS3) {
    result.headers.emplace_back("x-amz-content-sha256", request.payload_hash);
  }
  if (!state.credentials.session_token.empty()) {
    result.headers.emplace_back("x-amz-security-token", state.credentials.session_token);
  }
  state.SortHeaders(request.headers, result.headers);
  FERRY_CHECK(std::any_of(state.sorted.begin(), state.sorted.end(),
                          [](const auto& header) { return header.name == "host"; }));
  state.WriteCanonicalRequest(request, result.query);
  state.WriteStringToSign(time);

  std::string authorization = "AWS4-HMAC-SHA256 Credential=";
  authorization.append(state.credentials.access_key_id).append("/").append(state.scope_text);
  authorization.append(", SignedHeaders=").append(state.signed_names).append(", Signature=");
  authorization.append(ToHex(View(state.key.Mac(state.string_to_sign, state.sha256))));
  result.headers.emplace_back("authorization", std::move(authorization));
  return result;
}

void Signer::SetCredentials(Credentials credentials) {
  OPENSSL_cleanse(state_->credentials.secret_access_key.data(), state_->SecretBytes());
  state_->credentials = std::move(credentials);
  state_->ForgetKey();
}

void Signer::SetRegion(std::string region) {
  state_->scope.region = std::move(region);
  state_->ForgetKey();
}

const std::string& Signer::canonical_request() const { return state_->canonical_request; }
const std::string& Signer::string_to_sign() const { return state_->string_to_sign; }

}  // namespace ferry
