#include "batch/store/s3_xml.h"

#include <utility>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/store/checksum_headers.h"
#include "batch/store/s3_answer.h"

namespace ferry {
namespace {

constexpr std::size_t kKeysAPage = 1000;
constexpr std::size_t kVersionIdBytesMax = 1024;
// Of RestoreStatus; only what can be read has one.
constexpr std::string_view kRestoredUntil = "RestoreExpiryDate";

bool IsEncoded(std::string_view name) {
  return name.find('%') != std::string_view::npos || name.find('+') != std::string_view::npos;
}

void DecodeInPlace(std::string& name) {
  if (IsEncoded(name)) name = UriDecode(name);
}

void DecodeInPlace(Key& key) {
  if (IsEncoded(key.bytes())) key = Key(UriDecode(key.bytes()));
}

// A marker of an encoded page whose last key, decoded, is `last`. RGW 16.2 encodes keys and not
// markers: what is that key as it stands is not encoded.
void DecodeMarker(std::string& marker, const Key& last) {
  if (marker != last.bytes()) DecodeInPlace(marker);
}

class ListPageVisitor final : public AnswerVisitor {
 public:
  ListPageVisitor() : AnswerVisitor({"ListBucketResult"}) {}

  ListPage Finish() {
    // An answer that does not say whether it is the last may not be taken for the last.
    if (!truncated_) throw Error(ErrorKind::kCorrupt, "the listing lacks IsTruncated");
    page_.truncated = *truncated_;
    if (page_.truncated && page_.shape == ListShape::kV2 && !page_.continuation_token) {
      if (!page_.next_marker) {
        throw Error(ErrorKind::kCorrupt, "the listing goes on but does not say where");
      }
      page_.shape = ListShape::kV1;
    }
    if (page_.url_encoded) Decode();
    return std::move(page_);
  }

 private:
  void Begin(std::string_view name) override {
    if (name != "Contents") return;
    if (page_.objects.empty()) page_.objects.reserve(kKeysAPage);
    object_ = {};
    has_size_ = false;
  }

  void Field(std::string_view name, std::string_view text) override {
    if (name == "Contents") {
      if (object_.key.empty() || !has_size_) {
        throw Error(ErrorKind::kCorrupt, "the listing holds an object without key or size");
      }
      page_.objects.push_back(std::move(object_));
    } else if (name == "IsTruncated") {
      truncated_ = AnswerBool(text);
    } else if (name == "EncodingType") {
      page_.url_encoded = text == "url";
    } else if (name == "Name") {
      page_.bucket = text;
    } else if (name == "Prefix") {
      page_.prefix = text;
    } else if (name == "NextMarker") {
      if (!text.empty()) page_.next_marker = text;
    } else if (name == "NextContinuationToken") {
      if (!text.empty()) page_.continuation_token = text;
      page_.shape = ListShape::kV2;
    } else if (name == "KeyCount" || name == "ContinuationToken" || name == "StartAfter") {
      page_.shape = ListShape::kV2;
    }
  }

  void Inner(std::string_view section, std::string_view name, std::string_view text) override {
    if (section == "CommonPrefixes") {
      if (name == "Prefix") page_.common_prefixes.emplace_back(text);
    } else if (section != "Contents") {
      return;
    } else if (name == "Key") {
      object_.key = Key(std::string(text));
    } else if (name == "LastModified") {
      object_.last_modified_ms = AnswerTime(text);
    } else if (name == "ETag") {
      object_.etag = NormalizeEtag(text);
    } else if (name == "Size") {
      object_.size_bytes = AnswerNumber<std::uint64_t>(text, "Size");
      has_size_ = true;
    } else if (name == "StorageClass") {
      object_.storage_class = text;
    }
  }

  void Deep(std::size_t, std::string_view name, std::string_view) override {
    if (name == kRestoredUntil) object_.restored = true;
  }

  // At the end: EncodingType may stand behind the names it is about.
  void Decode() {
    DecodeInPlace(page_.prefix);
    for (std::string& prefix : page_.common_prefixes) DecodeInPlace(prefix);
    for (ListedObject& object : page_.objects) DecodeInPlace(object.key);
    const Key last = page_.objects.empty() ? Key() : page_.objects.back().key;
    if (page_.next_marker) DecodeMarker(*page_.next_marker, last);
  }

  ListPage page_;
  std::optional<bool> truncated_;
  ListedObject object_;
  bool has_size_ = false;
};

class ListVersionsVisitor final : public AnswerVisitor {
 public:
  ListVersionsVisitor() : AnswerVisitor({"ListVersionsResult"}) {}

  ListVersionsPage Finish() {
    if (!truncated_) throw Error(ErrorKind::kCorrupt, "the list of versions lacks IsTruncated");
    page_.truncated = *truncated_;
    if (page_.truncated && page_.next_key_marker.empty()) {
      throw Error(ErrorKind::kCorrupt, "the list of versions goes on but does not say where");
    }
    if (url_encoded_) {
      for (ListedVersion& one : page_.versions) DecodeInPlace(one.object.key);
      const Key last = page_.versions.empty() ? Key() : page_.versions.back().object.key;
      DecodeMarker(page_.next_key_marker, last);
    }
    return std::move(page_);
  }

 private:
  static bool IsEntry(std::string_view name) { return name == "Version" || name == "DeleteMarker"; }

  void Begin(std::string_view name) override {
    if (!IsEntry(name)) return;
    version_ = {};
    version_.delete_marker = name == "DeleteMarker";
    has_size_ = false;
  }

  void Field(std::string_view name, std::string_view text) override {
    if (IsEntry(name)) {
      AddVersion();
    } else if (name == "IsTruncated") {
      truncated_ = AnswerBool(text);
    } else if (name == "EncodingType") {
      url_encoded_ = text == "url";
    } else if (name == "NextKeyMarker") {
      page_.next_key_marker = text;
    } else if (name == "NextVersionIdMarker") {
      page_.next_version_id_marker = text;
    }
  }

  void AddVersion() {
    const bool whole = !version_.object.key.empty() && !version_.version_id.empty() &&
                       (has_size_ || version_.delete_marker);
    if (!whole || version_.version_id.size() > kVersionIdBytesMax) {
      throw Error(ErrorKind::kCorrupt,
                  "the list of versions holds one without key, size or a version id that can be");
    }
    page_.versions.push_back(std::move(version_));
  }

  void Inner(std::string_view section, std::string_view name, std::string_view text) override {
    if (!IsEntry(section)) return;
    ListedObject& object = version_.object;
    if (name == "Key") object.key = Key(std::string(text));
    if (name == "VersionId") version_.version_id = text;
    if (name == "IsLatest") version_.latest = AnswerBool(text);
    if (name == "LastModified") object.last_modified_ms = AnswerTime(text);
    if (name == "ETag") object.etag = NormalizeEtag(text);
    if (name == "StorageClass") object.storage_class = text;
    if (name == "Size") {
      object.size_bytes = AnswerNumber<std::uint64_t>(text, name);
      has_size_ = true;
    }
  }

  void Deep(std::size_t, std::string_view name, std::string_view) override {
    if (name == kRestoredUntil) version_.object.restored = true;
  }

  ListVersionsPage page_;
  std::optional<bool> truncated_;
  ListedVersion version_;
  bool has_size_ = false;
  bool url_encoded_ = false;
};

// Of thousands of elements. Mostly it is plain.
template <typename Visitor>
auto ReadPage(std::string_view body) {
  Visitor plain;
  if (plain.ReadPlain(body)) return plain.Finish();
  Visitor visitor;
  visitor.Read(body);
  return visitor.Finish();
}

class CreateUploadVisitor final : public AnswerVisitor {
 public:
  CreateUploadVisitor() : AnswerVisitor({"InitiateMultipartUploadResult"}) {}
  std::string upload_id;

 private:
  void Field(std::string_view name, std::string_view text) override {
    if (name == "UploadId") upload_id = text;
  }
};

class CompleteUploadVisitor final : public AnswerVisitor {
 public:
  CompleteUploadVisitor() : AnswerVisitor({"CompleteMultipartUploadResult"}) {}
  CompletedUpload completed;
  std::string checksum_type;
  bool has_etag = false;

 private:
  void Field(std::string_view name, std::string_view text) override {
    if (name == "ETag") {
      completed.etag = NormalizeEtag(text);
      has_etag = true;
    }
    if (name == "ChecksumType") checksum_type = text;
    if (name == "ChecksumCRC32") AddChecksum(DigestKind::kCrc32, text);
    if (name == "ChecksumCRC32C") AddChecksum(DigestKind::kCrc32c, text);
    if (name == "ChecksumCRC64NVME") AddChecksum(DigestKind::kCrc64Nvme, text);
  }
  void AddChecksum(DigestKind kind, std::string_view text) {
    if (FindDigest(completed.checksums, kind) != nullptr) return;
    if (auto digest = DigestFromBase64(kind, text)) completed.checksums.push_back(*digest);
  }
};

class ListPartsVisitor final : public AnswerVisitor {
 public:
  ListPartsVisitor() : AnswerVisitor({"ListPartsResult"}) {}
  ListPartsPage page;

 private:
  void Begin(std::string_view name) override {
    if (name == "Part") part_ = {};
  }
  void Field(std::string_view name, std::string_view text) override {
    if (name == "Part") {
      if (part_.number == 0) throw Error(ErrorKind::kCorrupt, "a listed part has no number");
      page.parts.push_back(std::move(part_));
    } else if (name == "IsTruncated") {
      page.truncated = AnswerBool(text);
    } else if (name == "NextPartNumberMarker" && !text.empty()) {
      page.next_part_number_marker = AnswerNumber<std::uint32_t>(text, name);
    }
  }
  void Inner(std::string_view section, std::string_view name, std::string_view text) override {
    if (section != "Part") return;
    if (name == "PartNumber") part_.number = AnswerNumber<std::uint32_t>(text, name);
    if (name == "ETag") part_.etag = NormalizeEtag(text);
    if (name == "Size") part_.size_bytes = AnswerNumber<std::uint64_t>(text, name);
  }

  ListedPart part_;
};

class ListUploadsVisitor final : public AnswerVisitor {
 public:
  ListUploadsVisitor() : AnswerVisitor({"ListMultipartUploadsResult"}) {}

  ListUploadsPage Finish() {
    if (url_encoded_) {
      for (ListedUpload& upload : page_.uploads) DecodeInPlace(upload.key);
      const Key last = page_.uploads.empty() ? Key() : page_.uploads.back().key;
      DecodeMarker(page_.next_key_marker, last);
    }
    return std::move(page_);
  }

 private:
  void Begin(std::string_view name) override {
    if (name == "Upload") upload_ = {};
  }
  void Field(std::string_view name, std::string_view text) override {
    if (name == "Upload") {
      if (upload_.key.empty() || upload_.upload_id.empty()) {
        throw Error(ErrorKind::kCorrupt, "a listed upload has no key or id");
      }
      page_.uploads.push_back(std::move(upload_));
    } else if (name == "IsTruncated") {
      page_.truncated = AnswerBool(text);
    } else if (name == "EncodingType") {
      url_encoded_ = text == "url";
    } else if (name == "NextKeyMarker") {
      page_.next_key_marker = text;
    } else if (name == "NextUploadIdMarker") {
      page_.next_upload_id_marker = text;
    }
  }
  void Inner(std::string_view section, std::string_view name, std::string_view text) override {
    if (section != "Upload") return;
    if (name == "Key") upload_.key = Key(std::string(text));
    if (name == "UploadId") upload_.upload_id = text;
    if (name == "Initiated") upload_.initiated_ms = AnswerTime(text);
    if (name == "Initiator") upload_.initiator = id_;
    if (name == "Initiator" || name == "Owner") id_.clear();
  }
  // Of <Initiator> or <Owner>, whichever ends next.
  void Deep(std::size_t depth, std::string_view name, std::string_view text) override {
    if (depth == 4 && name == "ID") id_ = text;
  }

  ListUploadsPage page_;
  ListedUpload upload_;
  std::string id_;
  bool url_encoded_ = false;
};

class TaggingVisitor final : public AnswerVisitor {
 public:
  TaggingVisitor() : AnswerVisitor({"Tagging"}) {}
  NameValues tags;

 private:
  // <Tagging><TagSet><Tag><Key>..</Key><Value>..</Value></Tag></TagSet></Tagging>
  void Inner(std::string_view, std::string_view name, std::string_view) override {
    if (name == "Tag") tags.push_back(std::exchange(tag_, {}));
  }
  void Deep(std::size_t depth, std::string_view name, std::string_view text) override {
    if (depth != 4) return;
    if (name == "Key") tag_.first = text;
    if (name == "Value") tag_.second = text;
  }

  NameValue tag_;
};

class CopyVisitor final : public AnswerVisitor {
 public:
  CopyVisitor() : AnswerVisitor({"CopyObjectResult", "CopyPartResult"}) {}
  CopyResult result;

 private:
  void Field(std::string_view name, std::string_view text) override {
    if (name == "ETag") result.etag = NormalizeEtag(text);
    if (name == "LastModified") result.last_modified_ms = AnswerTime(text);
  }
};

}  // namespace

ListPage ParseListPage(std::string_view body) { return ReadPage<ListPageVisitor>(body); }

ListVersionsPage ParseListVersions(std::string_view body) {
  return ReadPage<ListVersionsVisitor>(body);
}

std::string ParseCreateUpload(std::string_view body) {
  CreateUploadVisitor visitor;
  visitor.Read(body);
  return NeededText(std::move(visitor.upload_id), "UploadId");
}

CompletedUpload ParseCompleteUpload(std::string_view body) {
  CompleteUploadVisitor visitor;
  try {
    visitor.Read(body);
    if (!visitor.has_etag) throw Error(ErrorKind::kCorrupt, "the answer lacks ETag");
    if (!IsOfAllBytes(visitor.checksum_type)) visitor.completed.checksums.clear();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt && error.code() != kMalformedAnswer) throw;
    throw Error(ErrorKind::kInDoubt, error.what(), error.code());
  }
  return std::move(visitor.completed);
}

ListPartsPage ParseListParts(std::string_view body) {
  ListPartsVisitor visitor;
  visitor.Read(body);
  return std::move(visitor.page);
}

ListUploadsPage ParseListUploads(std::string_view body) {
  ListUploadsVisitor visitor;
  visitor.Read(body);
  return visitor.Finish();
}

NameValues ParseTagging(std::string_view body) {
  TaggingVisitor visitor;
  visitor.Read(body);
  return std::move(visitor.tags);
}

CopyResult ParseCopyResult(std::string_view body) {
  CopyVisitor visitor;
  visitor.Read(body);
  visitor.result.etag = NeededText(std::move(visitor.result.etag), "ETag");
  return std::move(visitor.result);
}

std::string CompleteUploadBody(const std::vector<PartToComplete>& parts) {
  FERRY_CHECK(!parts.empty());
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  std::uint32_t last_number = 0;
  for (const PartToComplete& part : parts) {
    FERRY_CHECK(part.number > last_number);
    last_number = part.number;
    body.append("<Part><PartNumber>").append(std::to_string(part.number));
    body.append("</PartNumber><ETag>\"").append(XmlEscape(part.etag));
    body.append("\"</ETag></Part>");
  }
  return body.append("</CompleteMultipartUpload>");
}

std::string RestoreBody(std::string_view parameters, std::string_view tier, std::uint32_t days) {
  std::string body = "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  if (days > 0) body += "<Days>" + std::to_string(days) + "</Days>";
  const std::string element(parameters);
  body += "<" + element + "><Tier>" + XmlEscape(tier) + "</Tier></" + element + ">";
  return body + "</RestoreRequest>";
}

std::string TaggingBody(const NameValues& tags) {
  std::string body = "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>";
  for (const auto& [name, value] : tags) {
    body.append("<Tag><Key>").append(XmlEscape(name)).append("</Key><Value>");
    body.append(XmlEscape(value)).append("</Value></Tag>");
  }
  return body.append("</TagSet></Tagging>");
}

}  // namespace ferry
