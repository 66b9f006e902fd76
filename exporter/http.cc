#include "exporter/http.h"

#include <Poco/DeflatingStream.h>

#include <algorithm>
#include <sstream>

namespace ferry::exporter {

std::string HttpRequest::Parameter(const std::string& name) const {
  const auto found = std::ranges::find(query, name, &std::pair<std::string, std::string>::first);
  return found == query.end() ? std::string() : found->second;
}

const std::string& Body::gzip() const {
  std::call_once(packed_once_, [this] {
    std::ostringstream packed;
    Poco::DeflatingOutputStream gzip(packed, Poco::DeflatingStreamBuf::STREAM_GZIP);
    gzip << text_;
    gzip.close();
    packed_ = packed.str();
  });
  return packed_;
}

}  // namespace ferry::exporter
