// Where a bucket is: host, port and path of its requests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "batch/base/key.h"
#include "batch/provider/provider.h"

namespace ferry {

// A store as configured.
struct StoreLocation {
  Provider provider = FindProvider("s3");
  std::string region = {};    // empty: us-east-1, which servers without regions take
  std::string endpoint = {};  // empty: the provider's own for the region
  AddressStyle addressing = AddressStyle::kAuto;
};

struct BucketAddress {
  bool tls = true;
  bool path_style = true;
  std::string host_header;   // what is signed and sent as Host: no default port, no user
  std::string connect_host;  // an IPv6 address has its brackets
  std::uint16_t connect_port = 443;
  std::string bucket_path;  // "/" or "/bucket": list, tags of the bucket, uploads
  std::string path_prefix;  // "/" or "/bucket/": goes before an encoded key

  // Encoded once, never normalised; both for the signature and, with CURLOPT_PATH_AS_IS, on the
  // wire.
  std::string ObjectPath(const Key& key) const;

  // "https://host:port" + path + "?query". `path` and `query` are encoded already.
  std::string Url(std::string_view path, std::string_view query = {}) const;
};

// Contacts nothing. Throws Error{kConfig} where no address can be right: an unknown provider, no
// endpoint where one is needed, virtual addressing on an IP address or for a bucket that is no DNS
// label, a directory bucket (--x-s3), and an endpoint whose first label is the bucket with path
// style, which would write every object to the key "bucket/key" without an error.
BucketAddress ResolveBucket(const StoreLocation& store, std::string_view bucket);

// ListBuckets and the like: path "/".
BucketAddress ResolveService(const StoreLocation& store);

// The region to sign for: as configured, else "us-east-1".
std::string SigningRegion(const StoreLocation& store);

}  // namespace ferry
