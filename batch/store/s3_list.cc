// ListObjects in both versions, ListObjectVersions, ListParts, ListMultipartUploads.
#include "batch/store/s3_store.h"
#include "batch/store/s3_values.h"

namespace ferry {
namespace {

void UseUsualClass(const Provider& provider, ListedObject& object) {
  const std::string_view usual = UsualStorageClass(provider, object.storage_class);
  if (usual != object.storage_class) object.storage_class = usual;
}

const NameValue kAskForRestored = {"x-amz-optional-object-attributes", "RestoreStatus"};

}  // namespace

Task<ListPage> S3Store::List(ListRequest request) {
  for (int attempt = 1;; ++attempt) {
    // As it is now: other requests learn of it meanwhile.
    const bool v1 = list_v1_ || request.token_is_marker;
    Call call = NewCall(Method::kGet, "list", nullptr);
    if (provider_.lists_restored) call.headers.push_back(kAskForRestored);
    call.query.push_back({"prefix", request.prefix});
    call.query.push_back({"max-keys", std::to_string(request.keys_max)});
    if (provider_.list_url_encoding) call.query.push_back({"encoding-type", "url"});
    // V1 goes on from a marker, a key; V2 from an opaque token.
    if (v1) {
      const std::string marker = request.continuation_token.value_or(request.start_after);
      if (!marker.empty()) call.query.push_back({"marker", marker});
    } else {
      call.query.push_back({"list-type", "2"});
      if (request.continuation_token) {
        call.query.push_back({"continuation-token", *request.continuation_token});
      } else if (!request.start_after.empty()) {
        call.query.push_back({"start-after", request.start_after});
      }
    }
    HttpAnswer answer = co_await Send(call);
    ListPage page = Read(call, answer, ParseListPage);
    for (ListedObject& object : page.objects) UseUsualClass(provider_, object);
    if (page.shape == ListShape::kV2) list_v2_ = true;
    const bool asked_v2 = !v1 && page.shape == ListShape::kV1;
    if (asked_v2 && (page.truncated || (!request.start_after.empty() && !list_v2_))) {
      // The server does not know V2: its next answer would be this one again, and it did not heed
      // start-after.
      if (list_v2_ || request.continuation_token || attempt > 1) {
        throw Error(ErrorKind::kCorrupt, "the store changed the kind of its listing midway");
      }
      list_v1_ = true;
      if (!request.start_after.empty()) continue;
    }
    if (page.shape == ListShape::kV1 && page.truncated) {
      if (page.next_marker) {
        page.continuation_token = page.next_marker;
      } else if (!page.objects.empty()) {
        page.continuation_token = page.objects.back().key.bytes();
      }
    }
    co_return page;
  }
}

Task<ListVersionsPage> S3Store::ListVersions(ListVersionsRequest request) {
  Call call = NewCall(Method::kGet, "list the versions of", nullptr);
  if (provider_.lists_restored) call.headers.push_back(kAskForRestored);
  call.query.push_back({"versions", ""});
  call.query.push_back({"prefix", request.prefix});
  call.query.push_back({"max-keys", std::to_string(request.keys_max)});
  if (provider_.list_url_encoding) call.query.push_back({"encoding-type", "url"});
  if (!request.key_marker.empty()) call.query.push_back({"key-marker", request.key_marker});
  if (!request.version_id_marker.empty()) {
    call.query.push_back({"version-id-marker", request.version_id_marker});
  }
  HttpAnswer answer = co_await Send(call);
  ListVersionsPage page = Read(call, answer, ParseListVersions);
  for (ListedVersion& one : page.versions) UseUsualClass(provider_, one.object);
  co_return page;
}

Task<ListPartsPage> S3Store::ListParts(Key key, std::string upload_id, std::uint32_t after_number) {
  Call call = NewCall(Method::kGet, "list the parts of", &key);
  call.query.push_back({"uploadId", upload_id});
  if (after_number > 0) {
    call.query.push_back({"part-number-marker", std::to_string(after_number)});
  }
  HttpAnswer answer = co_await Send(call);
  co_return Read(call, answer, ParseListParts);
}

Task<ListUploadsPage> S3Store::ListUploads(std::string prefix, std::string key_marker,
                                           std::string upload_id_marker) {
  Call call = NewCall(Method::kGet, "list the uploads of", nullptr);
  call.query.push_back({"uploads", ""});
  call.query.push_back({"prefix", prefix});
  if (provider_.list_url_encoding) call.query.push_back({"encoding-type", "url"});
  if (!key_marker.empty()) call.query.push_back({"key-marker", key_marker});
  if (!upload_id_marker.empty()) call.query.push_back({"upload-id-marker", upload_id_marker});
  HttpAnswer answer = co_await Send(call);
  ListUploadsPage page = Read(call, answer, ParseListUploads);
  page.answered_ms = ParseHttpDate(FindHeader(answer.headers, "date")).value_or(0);
  co_return page;
}

}  // namespace ferry
