#include "exporter/http.h"

#include <Poco/DeflatingStream.h>
#include <Poco/InflatingStream.h>
#include <Poco/MemoryStream.h>
#include <Poco/StreamCopier.h>

#include <algorithm>
#include <sstream>

namespace ferry::exporter {
namespace {

constexpr std::size_t kPackFromBytes = 1024;

}  // namespace

std::string HttpRequest::Parameter(const std::string& name) const {
  const auto found = std::ranges::find(query, name, &std::pair<std::string, std::string>::first);
  return found == query.end() ? std::string() : found->second;
}

Body::Body(std::string text) : text_size_(text.size()), is_packed_(text.size() >= kPackFromBytes) {
  if (!is_packed_) {
    bytes_ = std::move(text);
    return;
  }
  std::ostringstream packed;
  Poco::DeflatingOutputStream gzip(packed, Poco::DeflatingStreamBuf::STREAM_GZIP);
  gzip << text;
  gzip.close();
  bytes_ = std::move(packed).str();
}

void Body::WriteText(std::ostream& out) const {
  if (!is_packed_) {
    out.write(bytes_.data(), static_cast<std::streamsize>(bytes_.size()));
    return;
  }
  Poco::MemoryInputStream packed(bytes_.data(), static_cast<std::streamsize>(bytes_.size()));
  Poco::InflatingInputStream text(packed, Poco::InflatingStreamBuf::STREAM_GZIP);
  Poco::StreamCopier::copyStream(text, out);
}

}  // namespace ferry::exporter
