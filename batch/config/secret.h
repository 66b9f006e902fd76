// Secret: text that must not reach a log, an error, the database or a page.
//
// It cannot be printed, formatted or made a log field; whoever needs the text says Reveal(), which
// is easy to find in a review. Two secrets can be compared.
#pragma once

#include <string>
#include <utility>

namespace ferry {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  bool empty() const { return text_.empty(); }
  const std::string& Reveal() const { return text_; }

  friend bool operator==(const Secret&, const Secret&) = default;
  template <typename Stream>
  friend Stream& operator<<(Stream&, const Secret&) = delete;

 private:
  std::string text_;
};

}  // namespace ferry
