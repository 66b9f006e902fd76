// What every ObjectStore must do when it copies within itself: see object_store_contract.h.
#pragma once

#include "tests/store/object_store_contract.h"

namespace ferry::test {

TEST_P(ObjectStoreContract, ACopyCarriesBytesMetadataAndTagsAndTakesThePlaceOfWhatWasThere) {
  ObjectMetadata metadata;
  metadata.headers = {{"content-type", "video/mp4"}, {"x-amz-meta-title", "a  b"}};
  const bool tags = subject_->abilities().tags;
  if (tags) metadata.tags = {{"kind", "raw & ready"}};
  ObjectMetadata older{{{"x-amz-meta-gone", "1"}}, {}};
  if (tags) older.tags = {{"gone", "1"}};
  Put("to", "older", older);
  for (const char* from : {"a", "a b+%/../?\xC3\xA9", "/.."}) {
    if (!subject_->Takes(KeyOf(from))) continue;
    const std::string etag = Put(from, "bytes", metadata).etag;
    const CopyAnswer copied = Copy(from, "to", etag);
    ExpectEtag(copied.etag, "bytes");
    EXPECT_FALSE(copied.etag_hides_md5);
    ObjectHead head;
    EXPECT_EQ(Get(Whole("to", 5), &head), "bytes") << from;
    EXPECT_EQ(head.etag, copied.etag);
    EXPECT_EQ(head.metadata_headers,
              Await([&] { return store().Head(KeyOf(from)); }).metadata_headers);
    if (!tags) continue;
    EXPECT_EQ(Await([&] { return store().GetTags(KeyOf("to")); }), metadata.tags);
  }
}

TEST_P(ObjectStoreContract, ACopyIsPinnedToItsSource) {
  Put("a", "1");
  EXPECT_EQ(KindOf([&] { Copy("a", "b", ToHex(Md5::Of("2"))); }), "conflict");
  EXPECT_EQ(KindOf([&] { Copy("nobody", "b", ToHex(Md5::Of("1"))); }), "not_found");
  EXPECT_EQ(Kind([&] { return store().Head(KeyOf("b")); }), "not_found");
}

TEST_P(ObjectStoreContract, ACopyOfAVersionIsThatOne) {
  if (!subject_->abilities().versions) GTEST_SKIP() << "has no versions";
  const std::string old = PutVersion("a", "old"), newer = PutVersion("a", "newer");
  CopyRequest request;
  request.source_bucket = subject_->versioned_bucket();
  request.source_key = KeyOf("a");
  request.source_etag = ToHex(Md5::Of("old"));
  request.source_version_id = old;
  request.key = KeyOf("b");
  ObjectStore& versions = subject_->versioned_store();
  EXPECT_EQ(Await([&] { return versions.Copy(request); }).etag, request.source_etag);
  EXPECT_EQ(Await([&] { return versions.Head(KeyOf("b")); }).size_bytes, 3U);
}

TEST_P(ObjectStoreContract, RangesThatAreCopiedMakeTheEtagThatTheirSourceHas) {
  if (!subject_->abilities().part_copy) GTEST_SKIP() << "copies no ranges";
  const std::string first(subject_->part_bytes_min(), '1'), second = "the rest";
  Put("a", first + second);
  const std::string id = Create(KeyOf("to"));
  CopyRequest request;
  request.source_bucket = subject_->bucket();
  request.source_key = KeyOf("a");
  request.key = KeyOf("to");
  request.upload_id = id;
  std::vector<PartToComplete> parts;
  for (const std::string& part : {first, second}) {
    request.part_number += 1;
    request.range_bytes = part.size();
    parts.push_back({request.part_number, Await([&] { return store().Copy(request); }).etag});
    ExpectEtag(parts.back().etag, part);
    request.first_byte += part.size();
  }
  Failure(
      [&] { return store().CompleteUpload(KeyOf("to"), id, parts); });  // RGW 16.2: an empty ETag
  ObjectHead head;
  EXPECT_TRUE(Get(Whole("to", first.size() + second.size()), &head) == first + second);
  if (!subject_->abilities().composite_etags) return;
  EXPECT_EQ(head.etag, ToHex(Md5::Of(Md5::Of(first) + Md5::Of(second))) + "-2");
}

}  // namespace ferry::test
