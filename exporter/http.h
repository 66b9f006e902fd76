// Requests and answers as values: what Endpoints knows of HTTP.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ferry::exporter {

struct HttpRequest {
  std::string method;
  std::string path;                                        // without a query
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in its order
  std::string scrape_timeout;  // X-Prometheus-Scrape-Timeout-Seconds, or empty
  std::string authorization;   // or empty
  bool is_from_this_host = false;
  bool is_from_a_page =
      false;  // a browser sent it for a page (Origin): perhaps for one from elsewhere

  // Of several values of one name the first; empty: none.
  std::string Parameter(const std::string& name) const;
};

// A text that several answers may share: 50 scrapes of one read are one page. A large one is kept
// packed, as nearly everybody takes it: that of a hundred tasks is 3 MB of text, and 100 kB packed.
class Body {
 public:
  explicit Body(std::string text);

  std::size_t text_size() const { return text_size_; }
  bool is_packed() const { return is_packed_; }
  // The text, or its gzip form when it is packed.
  const std::string& bytes() const { return bytes_; }
  // The text, piece by piece.
  void WriteText(std::ostream& out) const;

 private:
  std::size_t text_size_;
  bool is_packed_;
  std::string bytes_;
};

struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::shared_ptr<const Body> body{};
  std::string content_security_policy = "default-src 'none'; frame-ancestors 'none'";
  std::string allow{};  // methods, with 405
  // Called once it is sent, or cannot be; may be empty.
  std::function<void(bool is_whole)> sent{};
};

inline std::shared_ptr<const Body> MakeBody(std::string text) {
  return std::make_shared<const Body>(std::move(text));
}

}  // namespace ferry::exporter
