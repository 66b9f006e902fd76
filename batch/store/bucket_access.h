// BucketAccess: where the requests of one bucket go and what they are signed with, and what an
// answer says is wrong with that.
//
// A wrong region, a clock that is off, keys that were replaced meanwhile, and a host that is not
// the bucket's yet are told by the store, in the answer; each is corrected once for a request.
// Sources: botocore S3RegionRedirectorv2 and handlers, Amazon's "Making requests: redirects" and
// "Error responses".
//
// What a store says is not followed anywhere: a region must be a region's name; another host only
// where the provider implies the endpoint, over TLS, within the provider's own domain. Nothing is
// forwarded: each attempt is signed anew for where it goes.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "batch/base/clock.h"
#include "batch/store/credentials_source.h"
#include "batch/store/endpoint.h"
#include "batch/store/http.h"
#include "batch/store/s3_answer.h"
#include "batch/store/sigv4.h"

namespace ferry {

// On the loop's thread.
class BucketAccess {
 public:
  // `credentials` and `clock` outlive this object. Throws Error{kConfig}. `store` is its name in
  // log lines.
  BucketAccess(std::string store, std::string bucket, StoreLocation location,
               CredentialsSource& credentials, Clock& clock);

  std::string ObjectPath(const Key& key) const { return address_.ObjectPath(key); }
  const std::string& bucket_path() const { return address_.bucket_path; }

  // Which of what we know a request went out with.
  struct Attempt {
    int credentials = 0;
    int region = 0;
    int host = 0;
    std::chrono::milliseconds clock_offset{0};
  };

  // Sets url and headers of `http`; its method is set. `payload_hash` is one of those that are none
  // (sigv4.h). Throws Error{kCredentials}.
  Attempt Sign(std::string_view path, const NameValues& query, Headers headers, HttpRequest& http,
               std::string_view payload_hash = kUnsignedPayload);

  // kCredentialsLater: others are being fetched; the request can be sent again in a while.
  enum class Correction { kNone, kCredentials, kClock, kRegion, kHost, kCredentialsLater };

  // What would be different in a next attempt, by what the answer to this one says. `error` is its
  // body, `code` may be of a header.
  Correction Learn(const Attempt& attempt, const HttpAnswer& answer,
                   const std::optional<S3Error>& error, std::string_view code);

  WallTime ServerNow() const { return clock_.WallNow() + clock_offset_; }

 private:
  Correction LearnCredentials(const Attempt& attempt);
  bool LearnClock(const Attempt& attempt, const HttpAnswer& answer);
  bool LearnRegion(const Attempt& attempt, const HttpAnswer& answer,
                   const std::optional<S3Error>& error, bool host_is_right);
  bool LearnHost(const Attempt& attempt, const HttpAnswer& answer);
  std::optional<BucketAddress> Redirected(std::string_view location) const;
  // Asks the source; new keys are another generation.
  void TakeCredentials();
  const BucketAddress& AddressNow();

  const std::string store_;
  const std::string bucket_;
  StoreLocation location_;
  CredentialsSource& source_;
  Clock& clock_;
  BucketAddress address_;
  Attempt now_;  // generations, and the offset
  std::chrono::milliseconds clock_offset_{0};
  std::optional<Credentials> credentials_;
  std::optional<Signer> signer_;
  std::optional<BucketAddress> elsewhere_;  // for a while
  SteadyTime elsewhere_until_{};
};

}  // namespace ferry
