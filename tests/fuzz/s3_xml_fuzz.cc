// Any bytes as the body of an answer: a value or an Error, nothing else; what is read holds what
// its header promises.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/store/s3_xml.h"

namespace {

using namespace ferry;

void CheckListPage(std::string_view body) {
  const ListPage page = ParseListPage(body);
  for (const ListedObject& object : page.objects) FERRY_CHECK(!object.key.empty());
  FERRY_CHECK(!page.continuation_token || !page.continuation_token->empty());
  FERRY_CHECK(!page.truncated || page.shape == ListShape::kV1 || page.continuation_token);
}

void CheckTagging(std::string_view body) {
  const NameValues tags = ParseTagging(body);
  FERRY_CHECK(ParseTagging(TaggingBody(tags)) == tags);
}

template <typename Step>
void Tolerate(Step step) {
  try {
    step();
  } catch (const Error& error) {
    FERRY_CHECK(error.what()[0] != '\0');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  Tolerate([&] { CheckListPage(body); });
  Tolerate([&] { CheckTagging(body); });
  Tolerate([&] { FERRY_CHECK(!ParseCreateUpload(body).empty()); });
  Tolerate([&] { FERRY_CHECK(!ParseCompleteUpload(body).etag.empty()); });
  Tolerate([&] { FERRY_CHECK(!ParseCopyResult(body).etag.empty()); });
  Tolerate([&] {
    for (const ListedPart& part : ParseListParts(body).parts) FERRY_CHECK(part.number > 0);
  });
  Tolerate([&] {
    for (const ListedVersion& one : ParseListVersions(body).versions) {
      FERRY_CHECK(!one.object.key.empty() && !one.version_id.empty());
    }
  });
  Tolerate([&] {
    for (const ListedUpload& upload : ParseListUploads(body).uploads) {
      FERRY_CHECK(!upload.upload_id.empty());
    }
  });
  const auto error = ParseErrorBody(body);
  FERRY_CHECK(!error || !error->code.empty());
  ParseIso8601(body);
  ParseHttpDate(body);
  const std::string etag = NormalizeEtag(body);
  FERRY_CHECK(etag.size() <= size);
  return 0;
}
