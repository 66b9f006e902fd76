// The least that a copy between two stores can do: a GET and a PUT of each piece over libcurl,
// many at a time, and nothing else. No listing, no database, no proof. What a bench takes for the
// limit of the machine and its servers.
//
//   bare_copy [--concurrency C] [--md5] SOURCE-BUCKET DESTINATION-BUCKET <pieces
//
// SRC_ENDPOINT SRC_ACCESS_KEY SRC_SECRET_KEY and the same with DST_ are read from the environment
// (plain HTTP). A line of standard input is a piece: first byte, how many, key. It becomes an
// object of its own, "KEY.FIRST". --md5: the digest of each is computed besides, as somebody does
// who wants a proof of large objects. Exit: 0 all are there, 2 usage, 3 a request failed.
#include <curl/curl.h>
#include <openssl/evp.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/clock.h"
#include "batch/store/sigv4.h"
#include "batch/store/uri.h"

namespace ferry::bench {
namespace {

struct Piece {
  std::uint64_t first_byte = 0;
  std::uint64_t size_bytes = 0;
  std::string key;
};

std::string Setting(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) throw std::runtime_error(name + " is not set");
  return value;
}

class Store {
 public:
  Store(const std::string& prefix, std::string bucket)
      : endpoint_(Setting(prefix + "_ENDPOINT")),
        bucket_(std::move(bucket)),
        signer_({Setting(prefix + "_ACCESS_KEY"), Setting(prefix + "_SECRET_KEY"), ""},
                {"us-east-1", "s3", SignProfile::kS3}) {}

  std::string Path(std::string_view key) const {
    return UriEncode("/" + bucket_ + "/" + std::string(key), SlashRule::kKeep);
  }
  std::string Url(const std::string& path) const { return endpoint_ + path; }
  // The headers to send, signed; "" as a value takes out one that libcurl would add.
  curl_slist* Headers(std::string_view method, const std::string& path, std::string_view range) {
    NameValues headers = {{"host", endpoint_.substr(endpoint_.find("//") + 2)}};
    if (!range.empty()) headers.emplace_back("range", range);
    const NameValues query;
    const auto hash = method == "GET" ? kEmptyPayloadHash : kUnsignedPayload;
    SignedRequest request =
        signer_.Sign({method, path, query, headers, hash}, SystemClock().WallNow());
    curl_slist* list = nullptr;
    for (const NameValues& lines : {headers, request.headers}) {
      for (const auto& [name, value] : lines) {
        list = curl_slist_append(list, (name + ": " + value).c_str());
      }
    }
    list = curl_slist_append(list, "Expect:");
    return curl_slist_append(list, "Content-Type:");
  }

 private:
  const std::string endpoint_;
  const std::string bucket_;
  Signer signer_;
};

// One piece at a time: first its GET, then its PUT.
class Lane {
 public:
  Lane(CURLM* multi, Store& source, Store& destination, bool md5)
      : multi_(multi), source_(source), destination_(destination), md5_(md5) {}
  ~Lane() {
    curl_multi_remove_handle(multi_, handle_);
    curl_easy_cleanup(handle_);
    curl_slist_free_all(headers_);
  }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void Begin(Piece piece) {
    piece_ = std::move(piece);
    body_.clear();
    body_.reserve(piece_.size_bytes);
    putting_ = false;
    const std::string last = std::to_string(piece_.first_byte + piece_.size_bytes - 1);
    Send("GET", source_, source_.Path(piece_.key),
         "bytes=" + std::to_string(piece_.first_byte) + "-" + last);
  }
  // What was sent has ended. True: the piece is at the destination.
  bool Next(CURLcode code) {
    long status = 0;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status / 100 != 2) {
      throw std::runtime_error(piece_.key + ": " + curl_easy_strerror(code) + ", HTTP " +
                               std::to_string(status));
    }
    if (putting_) return true;
    if (body_.size() != piece_.size_bytes) throw std::runtime_error(piece_.key + ": cut short");
    if (md5_) Digest();
    putting_ = true;
    Send("PUT", destination_,
         destination_.Path(piece_.key + "." + std::to_string(piece_.first_byte)), "");
    return false;
  }

 private:
  static std::size_t Receive(char* bytes, std::size_t, std::size_t count, void* lane) {
    static_cast<Lane*>(lane)->body_.append(bytes, count);
    return count;
  }
  static std::size_t Ignore(char*, std::size_t, std::size_t count, void*) { return count; }

  void Send(const char* method, Store& store, const std::string& path, std::string_view range) {
    curl_multi_remove_handle(multi_, handle_);
    curl_slist_free_all(headers_);
    headers_ = store.Headers(method, path, range);
    curl_easy_reset(handle_);
    curl_easy_setopt(handle_, CURLOPT_URL, store.Url(path).c_str());
    curl_easy_setopt(handle_, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(handle_, CURLOPT_PROXY, "");
    curl_easy_setopt(handle_, CURLOPT_PRIVATE, this);
    curl_easy_setopt(handle_, CURLOPT_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(handle_, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
    if (putting_) {
      curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
      curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, body_.data());
    }
    curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, putting_ ? &Ignore : &Receive);
    curl_easy_setopt(handle_, CURLOPT_WRITEDATA, this);
    curl_multi_add_handle(multi_, handle_);
  }
  void Digest() const {
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(body_.data(), body_.size(), digest, nullptr, EVP_md5(), nullptr) != 1) {
      throw std::runtime_error("MD5 is not to be had");
    }
  }

  CURLM* const multi_;
  Store& source_;
  Store& destination_;
  const bool md5_;
  CURL* const handle_ = curl_easy_init();
  curl_slist* headers_ = nullptr;
  Piece piece_;
  std::string body_;
  bool putting_ = false;
};

std::vector<Piece> ReadPieces() {
  std::vector<Piece> pieces;
  Piece piece;
  while (std::cin >> piece.first_byte >> piece.size_bytes && std::cin.get() == ' ' &&
         std::getline(std::cin, piece.key)) {
    pieces.push_back(piece);
  }
  return pieces;
}

void Copy(std::vector<Piece> pieces, std::size_t concurrency, Store& source, Store& destination,
          bool md5) {
  const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi(curl_multi_init(),
                                                                    &curl_multi_cleanup);
  curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(2 * concurrency));
  std::vector<std::unique_ptr<Lane>> lanes;
  std::size_t next = 0;
  std::size_t done = 0;
  for (; next < std::min(concurrency, pieces.size()); ++next) {
    lanes.push_back(std::make_unique<Lane>(multi.get(), source, destination, md5));
    lanes.back()->Begin(pieces[next]);
  }
  while (done < pieces.size()) {
    int running = 0;
    curl_multi_perform(multi.get(), &running);
    int queued = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi.get(), &queued)) {
      Lane* lane = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &lane);
      if (!lane->Next(message->data.result)) continue;
      done += 1;
      if (next < pieces.size()) lane->Begin(pieces[next++]);
    }
    curl_multi_poll(multi.get(), nullptr, 0, done < pieces.size() ? 1000 : 0, nullptr);
  }
}

int Main(int argc, char** argv) try {
  std::size_t concurrency = 48;
  bool md5 = false;
  std::vector<std::string> buckets;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--md5") {
      md5 = true;
    } else if (argument == "--concurrency" && i + 1 < argc) {
      const std::string_view text = argv[++i];
      std::from_chars(text.data(), text.data() + text.size(), concurrency);
    } else {
      buckets.emplace_back(argument);
    }
  }
  if (buckets.size() != 2 || concurrency == 0) {
    std::fprintf(stderr,
                 "usage: bare_copy [--concurrency C] [--md5] SOURCE-BUCKET DESTINATION-BUCKET\n");
    return 2;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Store source("SRC", buckets[0]);
  Store destination("DST", buckets[1]);
  Copy(ReadPieces(), concurrency, source, destination, md5);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bare_copy: %s\n", error.what());
  return 3;
}

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) { return ferry::bench::Main(argc, argv); }
