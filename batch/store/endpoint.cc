#include "batch/store/endpoint.h"

#include <algorithm>

#include "batch/base/error.h"
#include "batch/store/uri.h"

namespace ferry {
namespace {

bool IsLabelChar(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

// A bucket that may stand in a host name: 3 to 63 of [a-z0-9.-], no empty label, none that begins
// or ends with '-' (userguide/bucketnamingrules).
bool IsDnsSafe(std::string_view bucket) {
  if (bucket.size() < 3 || bucket.size() > 63) return false;
  for (std::size_t begin = 0; begin <= bucket.size();) {
    const std::size_t end = std::min(bucket.find('.', begin), bucket.size());
    const std::string_view label = bucket.substr(begin, end - begin);
    if (label.empty() || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), IsLabelChar)) return false;
    begin = end + 1;
  }
  return true;
}

bool HasDot(std::string_view name) { return name.find('.') != std::string_view::npos; }

bool IsAddress(std::string_view host) {
  if (host.starts_with('[')) return true;
  return std::all_of(host.begin(), host.end(),
                     [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

bool IsPathStyle(AddressStyle addressing, const EndpointUrl& endpoint, std::string_view bucket) {
  const bool fits_host = IsDnsSafe(bucket) && !IsAddress(endpoint.host);
  switch (addressing) {
    case AddressStyle::kPath: return true;
    case AddressStyle::kAuto:
      // The wildcard certificate *.s3.region.amazonaws.com covers one label; names below
      // "localhost" seldom resolve.
      return !fits_host || !HasDot(endpoint.host) || (endpoint.tls && HasDot(bucket));
    case AddressStyle::kVirtual: break;
  }
  if (!fits_host) {
    throw Error(ErrorKind::kConfig, "bucket " + EscapeBytes(bucket) + " cannot stand before host " +
                                        endpoint.host + "; use addressing: path");
  }
  return false;
}

void CheckBucketName(std::string_view bucket) {
  if (bucket.empty() || bucket == "." || bucket == ".." ||
      bucket.find('/') != std::string_view::npos) {
    throw Error(ErrorKind::kConfig, "'" + EscapeBytes(bucket) + "' is no bucket name");
  }
  if (bucket.ends_with("--x-s3")) {
    throw Error(ErrorKind::kConfig, "bucket " + EscapeBytes(bucket) +
                                        " is a directory bucket (S3 Express), which has another "
                                        "protocol and is not supported");
  }
}

// Path style to such a host writes to the key "bucket/key" of that very bucket, without an error
// (async-aws/aws#1005). A host of one label holds no bucket.
void CheckNoBucketInHost(const EndpointUrl& endpoint, std::string_view bucket) {
  if (endpoint.host.size() > bucket.size() && endpoint.host.starts_with(bucket) &&
      endpoint.host[bucket.size()] == '.') {
    throw Error(ErrorKind::kConfig, "endpoint " + endpoint.host + " already holds the bucket " +
                                        EscapeBytes(bucket) + "; leave it out of the endpoint");
  }
}

EndpointUrl Endpoint(const StoreLocation& store) {
  if (!store.region.empty() && !IsRegionName(store.region)) {
    throw Error(ErrorKind::kConfig, EscapeBytes(store.region) + " is no region name");
  }
  return ParseEndpointUrl(store.endpoint.empty() ? DefaultEndpoint(store.provider, store.region)
                                                 : store.endpoint);
}

BucketAddress ForHost(const EndpointUrl& endpoint, const std::string& host) {
  BucketAddress address;
  address.tls = endpoint.tls;
  address.connect_host = host;
  address.connect_port = endpoint.port;
  address.host_header = host;
  if (endpoint.port == 0) {
    address.connect_port = endpoint.tls ? 443 : 80;
  } else {
    address.host_header += ":" + std::to_string(endpoint.port);
  }
  address.bucket_path = "/";
  address.path_prefix = "/";
  return address;
}

}  // namespace

std::string BucketAddress::ObjectPath(const Key& key) const {
  std::string path;
  path.reserve(path_prefix.size() + key.bytes().size() + 16);
  path = path_prefix;
  AppendUriEncoded(key.bytes(), SlashRule::kKeep, path);
  return path;
}

std::string BucketAddress::Url(std::string_view path, std::string_view query) const {
  std::string url = tls ? "https://" : "http://";
  url.append(host_header).append(path);
  if (!query.empty()) url.append("?").append(query);
  return url;
}

BucketAddress ResolveBucket(const StoreLocation& store, std::string_view bucket) {
  CheckBucketName(bucket);
  const EndpointUrl endpoint = Endpoint(store);
  const AddressStyle addressing =
      store.addressing == AddressStyle::kAuto ? store.provider.addressing : store.addressing;
  if (!IsPathStyle(addressing, endpoint, bucket)) {
    BucketAddress address = ForHost(endpoint, std::string(bucket) + "." + endpoint.host);
    address.path_style = false;
    return address;
  }
  CheckNoBucketInHost(endpoint, bucket);
  BucketAddress address = ForHost(endpoint, endpoint.host);
  address.bucket_path = "/" + UriEncode(bucket, SlashRule::kEncode);
  address.path_prefix = address.bucket_path + "/";
  return address;
}

BucketAddress ResolveService(const StoreLocation& store) {
  const EndpointUrl endpoint = Endpoint(store);
  return ForHost(endpoint, endpoint.host);
}

std::string SigningRegion(const StoreLocation& store) {
  return store.region.empty() ? "us-east-1" : store.region;
}

}  // namespace ferry
