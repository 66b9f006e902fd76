#include "batch/store/bucket_access.h"

#include <algorithm>

#include "batch/base/log.h"
#include "batch/provider/provider.h"
#include "batch/store/classify.h"
#include "batch/store/s3_values.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

// A Date has whole seconds, and stores allow a quarter of an hour: less than this is not why.
constexpr std::chrono::minutes kSkewMin{4};
// A new bucket is redirected until its name is known everywhere.
constexpr std::chrono::minutes kElsewhereFor{5};

milliseconds UnixNow(Clock& clock) {
  return std::chrono::duration_cast<milliseconds>(clock.WallNow().time_since_epoch());
}

// "https://s3.eu-west-1.amazonaws.com" -> ".amazonaws.com"; empty for another form.
std::string OwnDomain(const StoreLocation& location) {
  const std::string region = SigningRegion(location);
  const std::string endpoint = DefaultEndpoint(location.provider, region);
  const std::string begin = "https://s3." + region;
  if (!endpoint.starts_with(begin + ".")) return {};
  return endpoint.substr(begin.size());
}

bool IsPlainHost(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

bool IsOf(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

BucketAccess::BucketAccess(std::string store, std::string bucket, StoreLocation location,
                           CredentialsSource& credentials, Clock& clock)
    : store_(std::move(store)),
      bucket_(std::move(bucket)),
      location_(std::move(location)),
      source_(credentials),
      clock_(clock),
      address_(ResolveBucket(location_, bucket_)) {}

void BucketAccess::TakeCredentials() {
  std::optional<Credentials> fresh = source_.Get();
  if (fresh == credentials_) return;
  credentials_ = std::move(fresh);
  signer_.reset();
  if (credentials_) signer_.emplace(*credentials_, SignScope{SigningRegion(location_), "s3"});
  now_.credentials += 1;
}

const BucketAddress& BucketAccess::AddressNow() {
  if (elsewhere_ && clock_.SteadyNow() >= elsewhere_until_) {
    elsewhere_.reset();
    now_.host += 1;
  }
  return elsewhere_ ? *elsewhere_ : address_;
}

BucketAccess::Attempt BucketAccess::Sign(std::string_view path, const NameValues& query,
                                         Headers headers, HttpRequest& http,
                                         std::string_view payload_hash) {
  TakeCredentials();
  const BucketAddress& address = AddressNow();
  headers.push_back({"host", address.host_header});
  std::string text;
  if (!signer_) {
    text = CanonicalQuery(query);
  } else {
    const RequestToSign to_sign{ToString(http.method), path, query, headers, payload_hash};
    SignedRequest signed_request = signer_->Sign(to_sign, ServerNow());
    text = std::move(signed_request.query);
    for (NameValue& header : signed_request.headers) headers.push_back(std::move(header));
  }
  http.url = address.Url(path, text);
  http.headers = std::move(headers);
  Attempt attempt = now_;
  attempt.clock_offset = clock_offset_;
  return attempt;
}

BucketAccess::Correction BucketAccess::Learn(const Attempt& attempt, const HttpAnswer& answer,
                                             const std::optional<S3Error>& error,
                                             std::string_view code) {
  // The answer to a HEAD has no body to name the reason.
  const bool unnamed = code.empty() && answer.body.empty();
  const bool names_region = !FindHeader(answer.headers, "x-amz-bucket-region").empty();
  if (answer.status == 307 && LearnHost(attempt, answer)) return Correction::kHost;
  if (IsRegionError(answer.status, code) || (unnamed && answer.status == 400 && names_region)) {
    // The signature is all that was wrong: the request reached a server that has the bucket.
    const bool host_is_right = code == "AuthorizationHeaderMalformed";
    if (LearnRegion(attempt, answer, error, host_is_right)) return Correction::kRegion;
  }
  if (IsClockError(code) || (unnamed && answer.status == 403)) {
    if (LearnClock(attempt, answer)) return Correction::kClock;
  }
  // Keys that were replaced are unknown, or sign wrongly.
  if (IsTokenError(code) || IsOf(code, {"InvalidAccessKeyId", "SignatureDoesNotMatch"})) {
    return LearnCredentials(attempt);
  }
  return Correction::kNone;
}

// Somebody else may have been told before this answer came.
BucketAccess::Correction BucketAccess::LearnCredentials(const Attempt& attempt) {
  TakeCredentials();
  bool later = false;
  if (attempt.credentials == now_.credentials) {
    later = source_.Refused();
    TakeCredentials();
  }
  if (attempt.credentials != now_.credentials) return Correction::kCredentials;
  return later ? Correction::kCredentialsLater : Correction::kNone;
}

bool BucketAccess::LearnClock(const Attempt& attempt, const HttpAnswer& answer) {
  const auto server = ParseHttpDate(FindHeader(answer.headers, "date"));
  // With an Age it is the date of some other answer.
  if (!server || !FindHeader(answer.headers, "age").empty()) return false;
  const milliseconds offset = milliseconds(*server) - UnixNow(clock_);
  if (std::chrono::abs(offset - attempt.clock_offset) < kSkewMin) return false;
  if (std::chrono::abs(offset - clock_offset_) >= kSkewMin) {
    log::Warn("this host's clock is not the store's; requests are signed by the store's",
              {{"store", store_}, {"bucket", bucket_}, {"seconds", offset.count() / 1000}});
  }
  clock_offset_ = offset;
  return true;
}

bool BucketAccess::LearnRegion(const Attempt& attempt, const HttpAnswer& answer,
                               const std::optional<S3Error>& error, bool host_is_right) {
  if (attempt.region != now_.region) return true;
  // A configured endpoint is where the operator wants requests to go.
  const bool implied = location_.endpoint.empty();
  if (!implied && !host_is_right) return false;
  std::string region(FindHeader(answer.headers, "x-amz-bucket-region"));
  if (region.empty() && error) region = error->region;
  if (!IsRegionName(region) || region == SigningRegion(location_)) return false;
  log::Warn("the bucket is in another region than configured; its own is used from now on",
            {{"store", store_}, {"bucket", bucket_}, {"region", region}});
  location_.region = region;
  if (implied) address_ = ResolveBucket(location_, bucket_);
  if (signer_) signer_->SetRegion(region);
  elsewhere_.reset();
  now_.region += 1;
  now_.host += 1;
  return true;
}

bool BucketAccess::LearnHost(const Attempt& attempt, const HttpAnswer& answer) {
  if (attempt.host != now_.host) return true;
  std::optional<BucketAddress> there = Redirected(FindHeader(answer.headers, "location"));
  if (!there || there->host_header == AddressNow().host_header) return false;
  log::Info("the store redirects requests of the bucket for now",
            {{"store", store_}, {"bucket", bucket_}, {"host", there->host_header}});
  elsewhere_ = std::move(there);
  elsewhere_until_ = clock_.SteadyNow() + kElsewhereFor;
  now_.host += 1;
  return true;
}

std::optional<BucketAddress> BucketAccess::Redirected(std::string_view location) const {
  constexpr std::string_view kTls = "https://";
  if (!location_.endpoint.empty() || !location.starts_with(kTls)) return std::nullopt;
  location.remove_prefix(kTls.size());
  const std::size_t slash = std::min(location.find('/'), location.size());
  const std::string host(location.substr(0, slash));
  const std::string_view path = location.substr(slash);
  const std::string domain = OwnDomain(location_);
  const bool own = !domain.empty() && IsPlainHost(host) && host.ends_with(domain);
  const bool same_bucket =
      address_.path_style ? path == address_.bucket_path || path.starts_with(address_.path_prefix)
                          : host.starts_with(bucket_ + ".");
  if (!own || !same_bucket) return std::nullopt;
  BucketAddress there = address_;
  there.host_header = there.connect_host = host;
  there.connect_port = 443;
  return there;
}

}  // namespace ferry
