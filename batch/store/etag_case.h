// EtagCase: ETags that are hex digits as their store spells them.
//
// Here they are lower case, so that they can be held against an MD5. RFC 9110 section 8.8.3.2
// compares them octet by octet, and OSS, whose are upper case, may well do so.
#pragma once

#include <string>
#include <string_view>

namespace ferry {

class EtagCase {
 public:
  // As the provider is known to spell them, until an answer shows it.
  explicit EtagCase(bool upper) : upper_(upper) {}

  // From the ETag of an answer, as it was sent.
  void Learn(std::string_view raw);
  // What requests name. `etag` is normalised.
  std::string OnWire(std::string etag) const;
  // Capitals were only said to be the provider's, and no answer has shown them.
  bool IsInDoubt() const { return upper_ && !learnt_; }

 private:
  bool upper_;
  bool learnt_ = false;
};

}  // namespace ferry
