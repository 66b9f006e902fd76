// S3Store: ObjectStore over the S3 REST API.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "batch/base/clock.h"
#include "batch/base/error.h"
#include "batch/provider/provider.h"
#include "batch/store/bucket_access.h"
#include "batch/store/credentials_source.h"
#include "batch/store/endpoint.h"
#include "batch/store/etag_case.h"
#include "batch/store/http.h"
#include "batch/store/object_store.h"
#include "batch/store/sigv4.h"
#include "batch/store/trailer_body.h"

namespace ferry {

// How long a new object may not be overwritten or deleted.
struct ObjectLock {
  std::string mode;  // GOVERNANCE or COMPLIANCE
  std::chrono::days days{0};
};

struct S3Options {
  std::string store;  // its name in the configuration, for error texts
  std::string bucket;
  StoreLocation location;
  Headers of_all_requests = {};
  Headers of_new_objects = {};  // of requests that write one, or begin to
  Headers of_copies = {};       // of requests that have the store copy
  // The provider's checksum is what the task asks for: a store that refuses it is not asked
  // without.
  bool demands_checksum = false;
  std::optional<ObjectLock> lock = std::nullopt;  // of new objects, from the time of each request
};

class S3Store final : public ObjectStore {
 public:
  // `http`, `credentials` and `clock` outlive this object. Throws Error{kConfig}.
  S3Store(S3Options options, Http& http, CredentialsSource& credentials, Clock& clock);
  ~S3Store() override;

  Task<ListPage> List(ListRequest request) override;
  Task<ListVersionsPage> ListVersions(ListVersionsRequest request) override;
  using ObjectStore::Head;
  Task<ObjectHead> Head(Key key, std::string version_id) override;
  Task<ObjectHead> Get(GetRequest request, BodySink& sink,
                       std::function<void(const ObjectHead&)> on_head) override;
  using ObjectStore::GetTags;
  Task<NameValues> GetTags(Key key, std::string version_id) override;
  Task<Unit> PutTags(Key key, NameValues tags) override;
  Task<PutAnswer> Put(PutRequest request) override;
  Task<CopyAnswer> Copy(CopyRequest request) override;
  Task<Unit> Delete(Key key) override;
  Task<Unit> Restore(RestoreRequest request) override;
  Task<std::string> CreateUpload(Key key, const ObjectMetadata& metadata) override;
  Task<ListPartsPage> ListParts(Key key, std::string upload_id,
                                std::uint32_t after_number) override;
  Task<CompletedUpload> CompleteUpload(Key key, std::string upload_id,
                                       std::vector<PartToComplete> parts) override;
  Task<Unit> AbortUpload(Key key, std::string upload_id) override;
  Task<ListUploadsPage> ListUploads(std::string prefix, std::string key_marker,
                                    std::string upload_id_marker) override;

 private:
  // One request on the wire, before it is signed.
  struct Call {
    Method method = Method::kGet;
    std::string path;  // encoded
    NameValues query;
    Headers headers;
    HttpRequest http;  // body, sink, limits
    std::string_view payload_hash = kUnsignedPayload;
    std::string_view operation;  // for error texts: "read"
    const Key* key = nullptr;
  };

  Call NewCall(Method method, std::string_view operation, const Key* key) const;
  void AddHeadersOfNewObject(Call& call) const;
  // Throws where encryption was asked for and the answer does not say so: a server that does not
  // know of it takes the object as if nothing were wrong.
  void CheckEncryption(const Call& call, const HttpAnswer& answer) const;
  ObjectHead HeadOf(const HttpAnswer& answer) const;
  // Signs and sends, again where the answer told what to correct (BucketAccess); throws for any
  // answer that Classify calls an error.
  Task<HttpAnswer> Send(Call& call);
  // Whether x-amz-checksum-* may be sent: to one that says its own unasked they mean nothing.
  bool MayAskForChecksums() const {
    return provider_.checksum && !provider_.checksum_in_head && !refuses_checksums_;
  }
  Task<HttpAnswer> SendChecksum(Call& call, bool asks);
  Error ChecksumRefused(const Call& call, const Error& error) const;
  // Where the request has a digest for behind its body: how the body flows then, and the headers
  // that say so. `trailer` is to live as long as the call.
  void SendBehind(const PutRequest& request, Call& call, std::optional<TrailerBody>& trailer);
  Task<HttpAnswer> SendOnce(Call& call, BucketAccess::Attempt& attempt);
  Error Failure(const Call& call, const HttpAnswer& answer, ErrorKind kind, const std::string& code,
                const std::string& message) const;
  std::chrono::milliseconds RetryAfterOf(const HttpAnswer& answer) const;
  // "cannot list STORE:BUCKET/KEY: ".
  std::string Attempted(const Call& call) const;
  // What `parse` makes of the answer's body. What it has against it is thrown with what was asked
  // of whom.
  template <typename Parse>
  auto Read(const Call& call, const HttpAnswer& answer, Parse parse) const {
    try {
      return parse(answer.body);
    } catch (const Error& error) {
      ThrowUnreadable(call, answer, error);
    }
  }
  [[noreturn]] void ThrowUnreadable(const Call& call, const HttpAnswer& answer,
                                    const Error& error) const;

  const S3Options options_;
  const Provider& provider_;  // of options_
  BucketAccess access_;
  Http& http_;
  EtagCase etag_case_;
  // What is known of the listings of this bucket: neither, until an answer shows it.
  bool list_v1_ = false;
  bool list_v2_ = false;
  bool refuses_checksums_ = false;
};

}  // namespace ferry
