#include "batch/store/s3_store.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "batch/base/digest.h"
#include "batch/plan/object.h"
#include "batch/store/checksum_headers.h"
#include "batch/store/classify.h"
#include "batch/store/object_headers.h"

namespace ferry {
namespace {

constexpr std::uint64_t kExpectContinueBytesMin = 1 << 20;

// Stores that decompress on the fly (GCS; Cloudflare before a store) do so unless asked for the
// stored form, and then name neither length nor ETag. Not signed: proxies change it.
const NameValue kAsStored = {"accept-encoding", "gzip"};

constexpr std::string_view kWebPageAdvice =
    "the endpoint answers with a web page, not with S3's XML: check the endpoint";

bool IsWebPage(const HttpAnswer& answer) {
  return FindHeader(answer.headers, "content-type").starts_with("text/html");
}

// What the operator of the store wants to be told: AWS and most, OSS, COS, Kodo, GCS, R2.
std::string_view RequestId(const Headers& headers) {
  for (const std::string_view name : {"x-amz-request-id", "x-oss-request-id", "x-cos-request-id",
                                      "x-reqid", "x-guploader-uploadid", "cf-ray"}) {
    const std::string_view id = FindHeader(headers, name);
    if (!id.empty()) return id;
  }
  return {};
}

// In AWS's words, under AWS's name or the provider's own.
std::string_view RestoringWord(const Headers& headers) {
  for (const std::string_view name : {"x-amz-restore", "x-oss-restore", "x-cos-restore"}) {
    const std::string_view word = FindHeader(headers, name);
    if (!word.empty()) return word;
  }
  return {};
}

// API_PutObject.
void AddObjectLock(const ObjectLock& lock, WallTime now, Headers& headers) {
  const auto until = std::chrono::floor<std::chrono::seconds>(now) + lock.days;
  headers.push_back({"x-amz-object-lock-mode", lock.mode});
  headers.push_back(
      {"x-amz-object-lock-retain-until-date",
       fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(until.time_since_epoch().count()))});
}

unsigned BitOf(BucketAccess::Correction correction) {
  return 1U << static_cast<unsigned>(correction);
}

}  // namespace

S3Store::S3Store(S3Options options, Http& http, CredentialsSource& credentials, Clock& clock)
    : options_(std::move(options)),
      provider_(options_.location.provider),
      access_(options_.store, options_.bucket, options_.location, credentials, clock),
      http_(http),
      etag_case_(provider_.upper_case_etags),
      list_v1_(provider_.list_version == 1) {}

S3Store::~S3Store() = default;

S3Store::Call S3Store::NewCall(Method method, std::string_view operation, const Key* key) const {
  Call call;
  call.method = method;
  call.operation = operation;
  call.key = key;
  call.path = key == nullptr ? access_.bucket_path() : access_.ObjectPath(*key);
  call.headers = options_.of_all_requests;
  return call;
}

void S3Store::AddHeadersOfNewObject(Call& call) const {
  for (const NameValue& header : options_.of_new_objects) call.headers.push_back(header);
  if (options_.lock) AddObjectLock(*options_.lock, access_.ServerNow(), call.headers);
}

void S3Store::CheckEncryption(const Call& call, const HttpAnswer& answer) const {
  constexpr std::string_view kAsked = "x-amz-server-side-encryption";
  const std::string_view asked = FindHeader(options_.of_new_objects, kAsked);
  if (asked.empty()) return;
  for (const std::string_view name : {kAsked, std::string_view("x-oss-server-side-encryption"),
                                      std::string_view("x-cos-server-side-encryption")}) {
    if (!FindHeader(answer.headers, name).empty()) return;
  }
  throw Error(ErrorKind::kInvalid,
              Attempted(call) + "the store does not say that it encrypted it, as `sse` asks for");
}

ObjectHead S3Store::HeadOf(const HttpAnswer& answer) const {
  ObjectHead head = ReadHead(answer);
  head.storage_class = UsualStorageClass(provider_, head.storage_class);
  // API_HeadObject, x-amz-restore and x-amz-archive-status (of INTELLIGENT_TIERING).
  const std::string_view restoring = RestoringWord(answer.headers);
  head.being_restored = restoring.find("ongoing-request=\"true\"") != std::string_view::npos;
  const bool restored = restoring.find("ongoing-request=\"false\"") != std::string_view::npos;
  const bool in_archive = IsArchiveClass(head.storage_class) ||
                          !FindHeader(answer.headers, "x-amz-archive-status").empty();
  head.archived = in_archive && !restored;
  return head;
}

std::string S3Store::Attempted(const Call& call) const {
  std::string text =
      fmt::format("cannot {} {}:{}", call.operation, options_.store, options_.bucket);
  if (call.key != nullptr) text += "/" + Escape(*call.key);
  return text + ": ";
}

void S3Store::ThrowUnreadable(const Call& call, const HttpAnswer& answer,
                              const Error& error) const {
  if (IsWebPage(answer) && error.code() == kMalformedAnswer) {
    throw Error(ErrorKind::kInvalid, Attempted(call) + std::string(kWebPageAdvice));
  }
  throw Error(error.kind(), Attempted(call) + error.what(), error.code());
}

Error S3Store::Failure(const Call& call, const HttpAnswer& answer, ErrorKind kind,
                       const std::string& code, const std::string& message) const {
  std::string text = Attempted(call);
  text += code.empty() ? fmt::format("HTTP {}", answer.status) : code;
  if (code.empty() && IsWebPage(answer)) text += "; " + std::string(kWebPageAdvice);
  if (!message.empty()) text += " (" + EscapeBytes(message.substr(0, 200)) + ")";
  const std::string_view request_id = RequestId(answer.headers);
  if (!request_id.empty()) text += fmt::format(" [request {}]", EscapeBytes(request_id));
  if (const std::string_view advice = AdviceForCode(code); !advice.empty()) {
    text += fmt::format("; {}", advice);
  }
  const std::string_view region = FindHeader(answer.headers, "x-amz-bucket-region");
  if (IsRegionError(answer.status, code) && IsRegionName(region)) {
    text += fmt::format("; the bucket is in region {}", region);
  }
  Error error(kind, text, code);
  error.set_retry_after(RetryAfterOf(answer));
  return error;
}

// By the store's own clock where it says what time it is.
std::chrono::milliseconds S3Store::RetryAfterOf(const HttpAnswer& answer) const {
  const auto ours =
      std::chrono::duration_cast<std::chrono::milliseconds>(access_.ServerNow().time_since_epoch());
  const auto theirs = ParseHttpDate(FindHeader(answer.headers, "date"));
  return ParseRetryAfter(FindHeader(answer.headers, "retry-after"), theirs.value_or(ours.count()));
}

Task<HttpAnswer> S3Store::SendOnce(Call& call, BucketAccess::Attempt& attempt) {
  call.http.method = call.method;
  attempt = access_.Sign(call.path, call.query, call.headers, call.http, call.payload_hash);
  try {
    co_return co_await http_.Send(call.http);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kStopped || error.kind() == ErrorKind::kConflict) throw;
    throw Error(error.kind(), Attempted(call) + error.what(), error.code());
  }
}

Task<HttpAnswer> S3Store::Send(Call& call) {
  unsigned corrected = BitOf(BucketAccess::Correction::kNone);  // each at most once
  while (true) {
    BucketAccess::Attempt attempt;
    HttpAnswer answer = co_await SendOnce(call, attempt);
    const std::optional<S3Error> body =
        answer.status >= 300 ? ParseErrorBody(answer.body) : std::nullopt;
    std::string code = body ? body->code : std::string();
    if (code.empty()) code = FindHeader(answer.headers, "x-minio-error-code");
    std::optional<ErrorKind> kind =
        Classify(answer.status, code,
                 {.delete_marker = FindHeader(answer.headers, "x-amz-delete-marker") == "true"});
    if (!kind) {
      etag_case_.Learn(FindHeader(answer.headers, "etag"));
      co_return answer;
    }
    const BucketAccess::Correction learnt = access_.Learn(attempt, answer, body, code);
    const unsigned correction = BitOf(learnt);
    if (learnt == BucketAccess::Correction::kCredentialsLater) {
      kind = ErrorKind::kUnavailable;
    } else if ((corrected & correction) == 0) {
      corrected |= correction;
      if (call.http.source == nullptr) continue;
      // A body that flows cannot be sent a second time: its copy is tried again, and goes out as
      // it should.
      kind = ErrorKind::kUnavailable;
    }
    if (code.empty() && answer.status == 408) code = "RequestTimeout";
    throw Failure(call, answer, *kind, code, body ? body->message : std::string());
  }
}

Task<ObjectHead> S3Store::Head(Key key, std::string version_id) {
  Call call = NewCall(Method::kHead, "examine", &key);
  if (!version_id.empty()) call.query.push_back({"versionId", version_id});
  call.headers.push_back(kAsStored);
  const auto read = [&](const HttpAnswer& answer) {
    return Read(call, answer, [&](std::string_view) { return HeadOf(answer); });
  };
  std::optional<HttpAnswer> first;
  try {
    first = co_await Send(call);
  } catch (const Error& error) {
    const bool unclear =
        error.code().empty() && error.kind() != ErrorKind::kStopped && !IsRetryable(error.kind());
    if (!unclear) throw;
  }
  if (first) co_return read(*first);
  // The answer to a HEAD has no body: a missing key and a missing bucket look alike. A GET of one
  // byte names the reason.
  Call get = NewCall(Method::kGet, "examine", &key);
  get.query = call.query;
  get.headers.push_back({"range", "bytes=0-0"});
  get.headers.push_back(kAsStored);
  try {
    co_await Send(get);
  } catch (const Error& error) {
    if (error.code() != "InvalidRange") throw;  // an empty object has no first byte
  }
  // It may be read now: what was wrong (keys that had expired) was corrected on the way.
  const HttpAnswer second = co_await Send(call);
  co_return read(second);
}

Task<ObjectHead> S3Store::Get(GetRequest request, BodySink& sink,
                              std::function<void(const ObjectHead&)> on_head) {
  // Once a bucket and loop: a part that is refused for the case of its ETag would cost its object
  // an attempt.
  if (etag_case_.IsInDoubt() && IsMd5Etag(request.if_match)) {
    co_await Head(request.key, request.version_id);
  }
  Call call = NewCall(Method::kGet, "read", &request.key);
  if (!request.version_id.empty()) call.query.push_back({"versionId", request.version_id});
  if (!request.if_match.empty()) {
    call.headers.push_back({"if-match", "\"" + etag_case_.OnWire(request.if_match) + "\""});
  }
  if (request.range_bytes > 0) {
    call.headers.push_back({"range", fmt::format("bytes={}-{}", request.first_byte,
                                                 request.first_byte + request.range_bytes - 1)});
  }
  if (MayAskForChecksums()) call.headers.push_back({"x-amz-checksum-mode", "ENABLED"});
  call.headers.push_back(kAsStored);
  ObjectHead head;
  bool seen = false;
  ExactSink exact(sink, request.expected_bytes);
  call.http.sink = &exact;
  call.http.on_head = [&](const HttpAnswer& answer) {
    if (answer.status != 200 && answer.status != 206) return;
    head = HeadOf(answer);
    CheckGetAnswer(answer, request, head);
    seen = true;
    on_head(head);
  };
  co_await Send(call);
  if (!seen) throw Error(ErrorKind::kCorrupt, "the store answered without a body");
  // A body without a length that is cut looks whole to HTTP.
  if (exact.missing_bytes() > 0) {
    throw Error(
        ErrorKind::kUnavailable,
        Attempted(call) + fmt::format("the answer ended {} bytes too early", exact.missing_bytes()),
        std::string(kDisconnected));
  }
  co_return head;
}

Task<NameValues> S3Store::GetTags(Key key, std::string version_id) {
  Call call = NewCall(Method::kGet, "read the tags of", &key);
  call.query.push_back({"tagging", ""});
  if (!version_id.empty()) call.query.push_back({"versionId", version_id});
  HttpAnswer answer = co_await Send(call);
  co_return Read(call, answer, ParseTagging);
}

Task<Unit> S3Store::PutTags(Key key, NameValues tags) {
  const std::string body = TaggingBody(tags);
  Call call = NewCall(Method::kPut, "tag", &key);
  call.query.push_back({"tagging", ""});
  // Required of this request by AWS, and by stores that know no other checksum.
  call.headers.push_back({"content-md5", ToBase64(Md5::Of(body))});
  call.headers.push_back({"content-type", "application/xml"});
  call.http.body = body;
  co_await Send(call);
  co_return Unit{};
}

// A server that only resembles one with checksums may refuse what it does not know, or what it
// knows otherwise: then the request is worth another try, and goes out without.
Task<HttpAnswer> S3Store::SendChecksum(Call& call, bool asks) {
  try {
    co_return co_await Send(call);
  } catch (const Error& error) {
    if (!asks) throw;
    if (options_.demands_checksum) throw ChecksumRefused(call, error);
    if (error.kind() != ErrorKind::kInvalid) throw;
    refuses_checksums_ = true;
    throw Error(ErrorKind::kUnavailable, error.what(), error.code());
  }
}

Task<PutAnswer> S3Store::Put(PutRequest request) {
  Call call =
      NewCall(Method::kPut, request.part_number > 0 ? "write a part of" : "write", &request.key);
  if (request.part_number > 0) {
    call.query.push_back({"partNumber", std::to_string(request.part_number)});
    call.query.push_back({"uploadId", request.upload_id});
  }
  if (request.metadata != nullptr) AddMetadata(*request.metadata, call.headers);
  if (request.part_number == 0) AddHeadersOfNewObject(call);
  const bool checksum = request.digest && request.digest->kind != DigestKind::kMd5;
  const bool asks = checksum && MayAskForChecksums();
  if (request.digest && (asks || !checksum)) AddDigest(*request.digest, call.headers);
  call.http.body = request.body;
  call.http.source = request.source;
  call.http.source_bytes = request.bytes;
  // A store that refuses says so before the body is sent, where it knows how to.
  call.http.expect_continue = provider_.expect_100 && request.bytes >= kExpectContinueBytesMin;
  std::optional<TrailerBody> trailer;
  if (request.digest_behind) SendBehind(request, call, trailer);
  HttpAnswer answer = co_await SendChecksum(call, asks || trailer.has_value());
  if (request.part_number == 0) CheckEncryption(call, answer);
  PutAnswer put;
  put.etag = Read(call, answer, [&](std::string_view) { return NeededEtag(answer); });
  put.etag_hides_md5 = HidesMd5(answer.headers);
  put.checksums = ReadChecksums(answer.headers);
  co_return put;
}

Task<Unit> S3Store::Delete(Key key) {
  Call call = NewCall(Method::kDelete, "delete", &key);
  call.http.once = true;
  co_await Send(call);
  co_return Unit{};
}

Task<Unit> S3Store::Restore(RestoreRequest request) {
  const std::string body = RestoreBody(provider_.restore_parameters, request.tier, request.days);
  Call call = NewCall(Method::kPost, "restore", &request.key);
  call.query.push_back({"restore", ""});
  if (!request.version_id.empty()) call.query.push_back({"versionId", request.version_id});
  call.headers.push_back({"content-md5", ToBase64(Md5::Of(body))});
  call.headers.push_back({"content-type", "application/xml"});
  call.http.body = body;
  try {
    co_await Send(call);
  } catch (const Error& error) {
    if (error.code() != "RestoreAlreadyInProgress") throw;
  }
  co_return Unit{};
}

Task<std::string> S3Store::CreateUpload(Key key, const ObjectMetadata& metadata) {
  Call call = NewCall(Method::kPost, "start the upload of", &key);
  call.query.push_back({"uploads", ""});
  AddMetadata(metadata, call.headers);
  AddHeadersOfNewObject(call);
  const bool asks = MayAskForChecksums();
  if (asks) AskForChecksum(*provider_.checksum, call.headers);
  call.http.once = true;
  HttpAnswer answer = co_await SendChecksum(call, asks);
  CheckEncryption(call, answer);
  co_return Read(call, answer, ParseCreateUpload);
}

Task<CompletedUpload> S3Store::CompleteUpload(Key key, std::string upload_id,
                                              std::vector<PartToComplete> parts) {
  for (PartToComplete& part : parts) part.etag = etag_case_.OnWire(std::move(part.etag));
  const std::string body = CompleteUploadBody(parts);
  Call call = NewCall(Method::kPost, "complete the upload of", &key);
  call.query.push_back({"uploadId", upload_id});
  call.headers.push_back({"content-type", "application/xml"});
  call.http.body = body;
  call.http.idle_timeout = kLongAnswerTimeout;
  HttpAnswer answer = co_await Send(call);
  CompletedUpload completed = Read(call, answer, ParseCompleteUpload);
  for (Digest& digest : ReadChecksums(answer.headers)) {
    const bool known = FindDigest(completed.checksums, digest.kind) != nullptr;
    if (!known) completed.checksums.push_back(std::move(digest));
  }
  co_return completed;
}

Task<Unit> S3Store::AbortUpload(Key key, std::string upload_id) {
  Call call = NewCall(Method::kDelete, "abort the upload of", &key);
  call.query.push_back({"uploadId", upload_id});
  co_await Send(call);
  co_return Unit{};
}

}  // namespace ferry
