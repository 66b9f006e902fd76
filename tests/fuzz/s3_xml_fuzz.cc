// Any bytes as the body of an answer: a value or an Error, nothing else; what is read holds what
// its header promises.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/store/plain_xml.h"
#include "batch/store/s3_xml.h"

namespace {

using namespace ferry;

void CheckListPage(std::string_view body) {
  const ListPage page = ParseListPage(body);
  for (const ListedObject& object : page.objects) FERRY_CHECK(!object.key.empty());
  FERRY_CHECK(!page.continuation_token || !page.continuation_token->empty());
  FERRY_CHECK(!page.truncated || page.shape == ListShape::kV1 || page.continuation_token);
}

// What a visitor is shown, one line for each element.
class Recorder final : public XmlVisitor {
 public:
  std::vector<std::string> events;

  void OnStart(std::size_t depth, std::string_view name) override { Add('<', depth, name, ""); }
  void OnEnd(std::size_t depth, std::string_view name, std::string_view text) override {
    Add('>', depth, name, text);
  }

 private:
  void Add(char what, std::size_t depth, std::string_view name, std::string_view text) {
    events.push_back(std::to_string(depth) + what + std::string(name) + " " + std::string(text));
  }
};

// The short way through a document shows what the parser shows, to its end or until it gives up.
void CheckPlainWalk(std::string_view body) {
  Recorder plain;
  const bool is_plain = WalkPlainXml(body, plain);
  Recorder real;
  bool well_formed = true;
  try {
    WalkXml(body, real);
  } catch (const Error&) {
    well_formed = false;
  }
  FERRY_CHECK(!is_plain || (well_formed && plain.events == real.events));
  FERRY_CHECK(plain.events.size() <= real.events.size());
  FERRY_CHECK(std::equal(plain.events.begin(), plain.events.end(), real.events.begin()));
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
  CheckPlainWalk(body);
  Tolerate([&] { CheckListPage(body); });
  Tolerate([&] { CheckTagging(body); });
  Tolerate([&] { FERRY_CHECK(!ParseCreateUpload(body).empty()); });
  Tolerate([&] { ParseCompleteUpload(body); });
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
