// What every ObjectStore must do, whatever is behind it. A Subject gives a store over an empty
// part of a bucket; object_store_contract_test.cc has one for the fake and one for a real server.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "batch/base/digest.h"
#include "batch/store/object_store.h"
#include "tests/support/loop_runner.h"

namespace ferry::test {

// What not every provider's stores do.
struct Abilities {
  bool md5_etags = true;        // of objects that one PUT wrote
  bool composite_etags = true;  // of uploads
  bool tags = true;
  bool versions = true;
  bool part_copy = true;
};

class Subject {
 public:
  virtual ~Subject() = default;
  virtual Abilities abilities() const { return {}; }
  // Whether it takes such a key.
  virtual bool Takes(const Key&) const { return true; }
  virtual LoopRunner& runner() = 0;
  virtual ObjectStore& store() = 0;
  // Of another bucket, which keeps versions.
  virtual ObjectStore& versioned_store() = 0;
  // What copies call the buckets of store() and versioned_store().
  virtual std::string bucket() const = 0;
  virtual std::string versioned_bucket() const = 0;
  virtual std::string prefix() const = 0;  // of all keys of this test
  virtual std::size_t part_bytes_min() const = 0;
};

struct SubjectMaker {
  std::string name;
  std::string missing;  // why it cannot be had here; empty: it can
  std::function<std::unique_ptr<Subject>()> make;
};

inline void PrintTo(const SubjectMaker& maker, std::ostream* out) { *out << maker.name; }

class ObjectStoreContract : public testing::TestWithParam<SubjectMaker> {
 protected:
  void SetUp() override {
    if (!GetParam().missing.empty()) GTEST_SKIP() << GetParam().missing;
    subject_ = GetParam().make();
  }

  ObjectStore& store() { return subject_->store(); }
  // Holds an ETag of an object to what it should be, as far as this provider's say anything.
  void ExpectEtag(const std::string& etag, const std::string& body) {
    EXPECT_FALSE(etag.empty());
    if (!subject_->abilities().md5_etags) return;
    EXPECT_EQ(etag, ToHex(Md5::Of(body)));
  }
  Key KeyOf(const std::string& rest) const { return Key(subject_->prefix() + rest); }
  template <typename Make>
  auto Await(Make make) {
    return subject_->runner().Await(std::move(make));
  }
  template <typename Make>
  std::optional<Error> Failure(Make make) {
    return ErrorOf([&] { Await(make); });
  }
  template <typename Make>
  std::string Kind(Make make) {
    return KindOf([&] { Await(make); });
  }

  PutAnswer Put(const std::string& rest, const std::string& body,
                const ObjectMetadata& metadata = {}) {
    return PutTo(store(), rest, body, metadata);
  }
  PutAnswer PutTo(ObjectStore& store, const std::string& rest, const std::string& body,
                  const ObjectMetadata& metadata = {}) {
    PutRequest request;
    request.key = KeyOf(rest);
    request.metadata = &metadata;
    request.body = body;
    request.bytes = body.size();
    return Await([&] { return store.Put(request); });
  }
  // Writes a version and says its id.
  std::string PutVersion(const std::string& rest, const std::string& body,
                         const ObjectMetadata& metadata = {}) {
    PutTo(subject_->versioned_store(), rest, body, metadata);
    return Await([&] { return subject_->versioned_store().Head(KeyOf(rest)); }).version_id;
  }
  // "KEY VERSION", with "*" where it is the latest and "-" where it is a delete marker.
  std::vector<std::string> ListAllVersions(ObjectStore& store, std::uint32_t keys_max) {
    std::vector<std::string> lines;
    ListVersionsRequest request;
    request.prefix = subject_->prefix();
    request.keys_max = keys_max;
    while (true) {
      const ListVersionsPage page = Await([&] { return store.ListVersions(request); });
      EXPECT_LE(page.versions.size(), keys_max);
      for (const ListedVersion& one : page.versions) {
        lines.push_back(one.object.key.bytes().substr(subject_->prefix().size()) + " " +
                        one.version_id + (one.latest ? "*" : "") + (one.delete_marker ? "-" : ""));
      }
      if (!page.truncated || lines.size() > 100) return lines;
      request.key_marker = page.next_key_marker;
      request.version_id_marker = page.next_version_id_marker;
    }
  }
  std::string Get(GetRequest request, ObjectHead* head = nullptr) {
    MemorySink sink(std::size_t{64} << 20);
    const ObjectHead got =
        Await([&] { return store().Get(request, sink, [](const ObjectHead&) {}); });
    if (head != nullptr) *head = got;
    return sink.body();
  }
  GetRequest Whole(const std::string& rest, std::uint64_t bytes) {
    GetRequest request;
    request.key = KeyOf(rest);
    request.expected_bytes = bytes;
    return request;
  }
  std::vector<std::string> ListAll(const std::string& rest, std::uint32_t keys_max) {
    std::vector<std::string> keys;
    ListRequest request;
    request.prefix = subject_->prefix() + rest;
    request.keys_max = keys_max;
    while (true) {
      const ListPage page = Await([&] { return store().List(request); });
      for (const ListedObject& object : page.objects) {
        keys.push_back(object.key.bytes().substr(subject_->prefix().size()));
      }
      if (!page.truncated) return keys;
      request.continuation_token = page.continuation_token;
    }
  }
  std::string PutPart(const Key& key, const std::string& upload_id, std::uint32_t number,
                      const std::string& body) {
    PutRequest request;
    request.key = key;
    request.upload_id = upload_id;
    request.part_number = number;
    request.body = body;
    request.bytes = body.size();
    return Await([&] { return store().Put(request); }).etag;
  }
  CopyAnswer Copy(const std::string& from, const std::string& to, const std::string& etag) {
    CopyRequest request;
    request.source_bucket = subject_->bucket();
    request.source_key = KeyOf(from);
    request.source_etag = etag;
    request.key = KeyOf(to);
    return Await([&] { return store().Copy(request); });
  }
  std::string Create(const Key& key, const ObjectMetadata& metadata = {}) {
    return Await([&] { return store().CreateUpload(key, metadata); });
  }

  std::unique_ptr<Subject> subject_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ObjectStoreContract);

TEST_P(ObjectStoreContract, WhatWasPutIsReadAndItsEtagIsItsMd5) {
  for (const std::string& body : {std::string(), std::string("x"), std::string(100'000, 'y')}) {
    const PutAnswer put = Put("a", body);
    ExpectEtag(put.etag, body);
    ObjectHead head;
    EXPECT_TRUE(Get(Whole("a", body.size()), &head) == body);
    EXPECT_EQ(head.etag, put.etag);
    EXPECT_EQ(head.size_bytes, body.size());
    EXPECT_GT(head.last_modified_ms, 0);
  }
}

TEST_P(ObjectStoreContract, KeysAreAnyBytesThatItsProviderTakes) {
  std::size_t taken = 0;
  for (const char* rest :
       {"a b", "a+b", "a%2Fb", "a//b", "a/../b", "a/./b", "../x", "dir/", "a?b=c&d", "a#b",
        "\xC3\xA9", "\xF0\x9F\x98\x80", "quote\"'<>&", "~*!(),:@$;=[]"}) {
    if (!subject_->Takes(KeyOf(rest))) {
      EXPECT_EQ(KindOf([&] { Put(rest, rest); }), "invalid") << rest;
      continue;
    }
    taken += 1;
    Put(rest, rest);
    EXPECT_EQ(Get(Whole(rest, std::string(rest).size())), rest);
  }
  EXPECT_GE(taken, 10U);
  EXPECT_EQ(ListAll("", 3).size(), taken);
}

TEST_P(ObjectStoreContract, ListsPagesInByteOrderBelowAPrefix) {
  for (const char* rest : {"p/b", "p/a", "p/a/x", "p/a!", "p/Z", "p/\xC3\xA9", "q", "p"})
    Put(rest, "1");
  const std::vector<std::string> expected = {"p/Z", "p/a", "p/a!", "p/a/x", "p/b", "p/\xC3\xA9"};
  for (const std::uint32_t keys_max : {1U, 2U, 6U, 1000U}) {
    EXPECT_EQ(ListAll("p/", keys_max), expected) << keys_max;
  }
  EXPECT_TRUE(ListAll("nothing/", 1000).empty());
}

TEST_P(ObjectStoreContract, AListingSaysWhatAnObjectIs) {
  Put("a", "12345");
  ListRequest request;
  request.prefix = subject_->prefix();
  const ListPage page = Await([&] { return store().List(request); });
  ASSERT_EQ(page.objects.size(), 1U);
  ExpectEtag(page.objects[0].etag, "12345");
  EXPECT_EQ(page.objects[0].size_bytes, 5U);
  EXPECT_GT(page.objects[0].last_modified_ms, 0);
}

TEST_P(ObjectStoreContract, ARangeIsExactlyWhatWasAskedFor) {
  Put("a", "0123456789");
  GetRequest request = Whole("a", 4);
  request.first_byte = 3;
  request.range_bytes = 4;
  ObjectHead head;
  EXPECT_EQ(Get(request, &head), "3456");
  EXPECT_EQ(head.size_bytes, 10U);
}

TEST_P(ObjectStoreContract, APinnedObjectThatChangedIsAConflict) {
  const PutAnswer old = Put("a", "old");
  const PutAnswer now = Put("a", "new");
  GetRequest request = Whole("a", 3);
  request.if_match = old.etag;
  EXPECT_EQ(KindOf([&] { Get(request); }), "conflict");
  request.if_match = now.etag;
  EXPECT_EQ(Get(request), "new");
}

TEST_P(ObjectStoreContract, AnotherSizeThanExpectedIsAConflict) {
  Put("a", "123");
  for (const std::uint64_t expected : {0U, 2U, 4U}) {
    EXPECT_EQ(KindOf([&] { Get(Whole("a", expected)); }), "conflict") << expected;
  }
}

TEST_P(ObjectStoreContract, WhatIsNotThereIsNotFound) {
  const auto error = ErrorOf([&] { Get(Whole("gone", 1)); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error->code(), "NoSuchKey");
  const auto of_head = Failure([&] { return store().Head(KeyOf("gone")); });
  ASSERT_TRUE(of_head);
  EXPECT_EQ(of_head->kind(), ErrorKind::kNotFound);
  EXPECT_EQ(of_head->code(), "NoSuchKey");  // an object that has gone, not its bucket
  EXPECT_EQ(Kind([&] { return store().Delete(KeyOf("gone")); }), "none");
}

TEST_P(ObjectStoreContract, DeletedObjectsAreGone) {
  Put("a", "1");
  Await([&] { return store().Delete(KeyOf("a")); });
  EXPECT_EQ(Kind([&] { return store().Head(KeyOf("a")); }), "not_found");
  EXPECT_TRUE(ListAll("", 1000).empty());
}

TEST_P(ObjectStoreContract, MetadataComesBackAsItWentIn) {
  ObjectMetadata metadata;
  metadata.headers = {{"content-type", "video/mp4"},         {"cache-control", "max-age=60"},
                      {"content-disposition", "inline"},     {"content-language", "de"},
                      {"x-amz-meta-title", "a  b; c=\"d\""}, {"content-encoding", "gzip"}};
  Put("a", "1", metadata);
  const ObjectHead head = Await([&] { return store().Head(KeyOf("a")); });
  for (const NameValue& wanted : metadata.headers) {
    EXPECT_NE(std::find(head.metadata_headers.begin(), head.metadata_headers.end(), wanted),
              head.metadata_headers.end())
        << wanted.first;
  }
  ObjectHead got;
  EXPECT_EQ(Get(Whole("a", 1), &got), "1");
  EXPECT_EQ(got.metadata_headers.size(), head.metadata_headers.size());
}

TEST_P(ObjectStoreContract, TagsComeBackAsTheyWentInAndAreReplaced) {
  if (!subject_->abilities().tags) GTEST_SKIP() << "has no tags";
  ObjectMetadata metadata;
  metadata.tags = {{"kind", "raw & ready"}};
  Put("a", "1", metadata);
  EXPECT_EQ(Await([&] { return store().GetTags(KeyOf("a")); }), metadata.tags);
  const NameValues other = {{"stage", "2"}};
  Await([&] { return store().PutTags(KeyOf("a"), other); });
  EXPECT_EQ(Await([&] { return store().GetTags(KeyOf("a")); }), other);
  EXPECT_EQ(Get(Whole("a", 1)), "1");
}

TEST_P(ObjectStoreContract, EveryVersionIsListedWhereverAPageEnds) {
  if (!subject_->abilities().versions) GTEST_SKIP() << "has no versions";
  const std::string a1 = PutVersion("a b", "1"), a2 = PutVersion("a b", "2");
  const std::string a3 = PutVersion("a b", "3"), c1 = PutVersion("c+\xC3\xA9", "1");
  const std::string d1 = PutVersion("d", "1");
  Await([&] { return subject_->versioned_store().Delete(KeyOf("d")); });
  const std::vector<std::string> all = ListAllVersions(subject_->versioned_store(), 1000);
  ASSERT_EQ(all.size(), 6U) << testing::PrintToString(all);
  EXPECT_EQ(all[0], "a b " + a3 + "*");
  EXPECT_EQ(all[1], "a b " + a2);
  EXPECT_EQ(all[2], "a b " + a1);
  EXPECT_EQ(all[3], "c+\xC3\xA9 " + c1 + "*");
  EXPECT_TRUE(all[4].starts_with("d ") && all[4].ends_with("*-")) << all[4];
  EXPECT_EQ(all[5], "d " + d1);
  for (const std::uint32_t keys_max : {1U, 2U, 3U, 4U, 5U}) {
    EXPECT_EQ(ListAllVersions(subject_->versioned_store(), keys_max), all) << keys_max;
  }
}

TEST_P(ObjectStoreContract, WithoutVersioningTheOneVersionIsNull) {
  if (!subject_->abilities().versions) GTEST_SKIP() << "has no versions";
  Put("a", "1");
  Put("a", "2");
  EXPECT_EQ(ListAllVersions(store(), 1000), std::vector<std::string>{"a null*"});
  EXPECT_EQ(Await([&] { return store().Head(KeyOf("a")); }).version_id, "");
  GetRequest request = Whole("a", 1);
  request.version_id = "null";
  EXPECT_EQ(Get(request), "2");
  EXPECT_EQ(Await([&] { return store().Head(KeyOf("a"), "null"); }).size_bytes, 1U);
}

TEST_P(ObjectStoreContract, AVersionIsReadWithItsOwnMetadataAndTags) {
  if (!subject_->abilities().versions) GTEST_SKIP() << "has no versions";
  ObjectStore& versions = subject_->versioned_store();
  ObjectMetadata metadata;
  metadata.headers = {{"x-amz-meta-n", "old"}};
  metadata.tags = {{"n", "old"}};
  const std::string old = PutVersion("a", "old", metadata);
  const std::string newer = PutVersion("a", "newer");
  ASSERT_NE(old, newer);
  const auto read = [&](const std::string& version, std::uint64_t bytes, ObjectHead* head) {
    GetRequest request = Whole("a", bytes);
    request.version_id = version;
    MemorySink sink(100);
    *head = Await([&] { return versions.Get(request, sink, [](const ObjectHead&) {}); });
    return sink.body();
  };
  ObjectHead head;
  EXPECT_EQ(read(old, 3, &head), "old");
  EXPECT_EQ(head.version_id, old);
  EXPECT_EQ(head.etag, ToHex(Md5::Of("old")));
  EXPECT_EQ(read("", 5, &head), "newer");
  EXPECT_EQ(head.version_id, newer);
  EXPECT_EQ(Await([&] { return versions.GetTags(KeyOf("a"), old); }), metadata.tags);
  EXPECT_EQ(Await([&] { return versions.GetTags(KeyOf("a")); }), NameValues{});
  const ObjectHead of_old = Await([&] { return versions.Head(KeyOf("a"), old); });
  EXPECT_EQ(of_old.size_bytes, 3U);
  EXPECT_NE(std::find(of_old.metadata_headers.begin(), of_old.metadata_headers.end(),
                      NameValue("x-amz-meta-n", "old")),
            of_old.metadata_headers.end());
}

TEST_P(ObjectStoreContract, AVersionOutlivesItsKeyAndOneThatIsNotThereIsNotFound) {
  if (!subject_->abilities().versions) GTEST_SKIP() << "has no versions";
  ObjectStore& versions = subject_->versioned_store();
  const std::string version = PutVersion("a", "1");
  const std::string of_another = PutVersion("b", "1");
  Await([&] { return versions.Delete(KeyOf("a")); });
  EXPECT_EQ(Kind([&] { return versions.Head(KeyOf("a")); }), "not_found");
  EXPECT_EQ(Await([&] { return versions.Head(KeyOf("a"), version); }).size_bytes, 1U);
  for (const auto& error : {Failure([&] { return versions.Head(KeyOf("a"), of_another); }),
                            Failure([&] { return versions.GetTags(KeyOf("a"), of_another); })}) {
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kNotFound) << error->what();
    // RGW 16.2 speaks of the key.
    EXPECT_TRUE(error->code() == "NoSuchVersion" || error->code() == "NoSuchKey") << error->what();
  }
}

TEST_P(ObjectStoreContract, AWrongContentMd5IsRefused) {
  PutRequest request;
  request.key = KeyOf("a");
  const ObjectMetadata none;
  request.metadata = &none;
  request.body = "sent";
  request.bytes = 4;
  request.digest = Digest{DigestKind::kMd5, Md5::Of("meant")};
  EXPECT_EQ(Kind([&] { return store().Put(request); }), "corrupt");
  EXPECT_EQ(Kind([&] { return store().Head(KeyOf("a")); }), "not_found");
  request.digest = Digest{DigestKind::kMd5, Md5::Of("sent")};
  EXPECT_EQ(Kind([&] { return store().Put(request); }), "none");
}

TEST_P(ObjectStoreContract, PartsBecomeAnObjectAndItsEtagIsACompositeWhereItSaysAnything) {
  const std::string first(subject_->part_bytes_min(), '1'), second = "the rest";
  ObjectMetadata metadata;
  metadata.headers = {{"content-type", "video/mp4"}, {"x-amz-meta-a", "b"}};
  const Key key = KeyOf("large");
  const std::string id = Create(key, metadata);
  const std::string etag2 = PutPart(key, id, 2, second);
  const std::string etag1 = PutPart(key, id, 1, first);
  ExpectEtag(etag1, first);
  EXPECT_EQ(Kind([&] { return store().Head(key); }), "not_found");
  const bool says = subject_->abilities().composite_etags;
  const std::string composite = ToHex(Md5::Of(Md5::Of(first) + Md5::Of(second))) + "-2";
  const std::vector<PartToComplete> parts = {{1, etag1}, {2, etag2}};
  const std::string said = Await([&] { return store().CompleteUpload(key, id, parts); }).etag;
  EXPECT_TRUE(!says || said.empty() || said == composite) << said;  // empty: RGW 16.2
  ObjectHead head;
  EXPECT_TRUE(Get(Whole("large", first.size() + second.size()), &head) == first + second);
  EXPECT_EQ(head.etag, says ? composite : said);
  EXPECT_NE(std::find(head.metadata_headers.begin(), head.metadata_headers.end(),
                      NameValue("content-type", "video/mp4")),
            head.metadata_headers.end());
}

TEST_P(ObjectStoreContract, ANonceTravelsBesideTheMetadataAndIsNoneOfIt) {
  ObjectMetadata metadata;
  metadata.headers = {{"x-amz-meta-title", "theirs"}};
  metadata.upload_nonce = "0123456789abcdef";
  const Key key = KeyOf("large");
  const std::string id = Create(key, metadata);
  const std::string etag = PutPart(key, id, 1, "1");
  Await([&] { return store().CompleteUpload(key, id, {{1, etag}}); });
  ObjectHead got;
  Get(Whole("large", 1), &got);
  for (const ObjectHead& head : {Await([&] { return store().Head(key); }), got}) {
    EXPECT_EQ(head.upload_nonce, metadata.upload_nonce);
    for (const NameValue& header : head.metadata_headers) {
      EXPECT_EQ(header.first.find("bucketferry"), std::string::npos) << header.first;
    }
  }
  Put("small", "1");
  EXPECT_EQ(Await([&] { return store().Head(KeyOf("small")); }).upload_nonce, "");
}

TEST_P(ObjectStoreContract, StoredPartsAreListedAndTheLastOneOfANumberWins) {
  const Key key = KeyOf("large");
  const std::string id = Create(key);
  PutPart(key, id, 1, "old");
  const std::string etag1 = PutPart(key, id, 1, "new");
  const std::string etag3 = PutPart(key, id, 3, "three");
  const ListPartsPage page = Await([&] { return store().ListParts(key, id, 0); });
  ASSERT_EQ(page.parts.size(), 2U);
  EXPECT_EQ(page.parts[0].number, 1U);
  EXPECT_EQ(page.parts[0].etag, etag1);
  EXPECT_EQ(page.parts[1].number, 3U);
  EXPECT_EQ(page.parts[1].etag, etag3);
  EXPECT_EQ(page.parts[1].size_bytes, 5U);
  EXPECT_EQ(Await([&] { return store().ListParts(key, id, 1); }).parts.size(), 1U);
  Await([&] { return store().AbortUpload(key, id); });
}

TEST_P(ObjectStoreContract, AnUploadThatIsNoMoreSaysSo) {
  const Key key = KeyOf("large");
  const std::string id = Create(key);
  const std::string etag = PutPart(key, id, 1, "1");
  Await([&] { return store().AbortUpload(key, id); });
  const auto error = Failure([&] { return store().CompleteUpload(key, id, {{1, etag}}); });
  ASSERT_TRUE(error);
  // RGW 16.2 says InternalError; that the upload is no more, its list of parts says.
  EXPECT_TRUE(error->code() == "NoSuchUpload" || error->code() == "InternalError") << error->what();
  EXPECT_EQ(Kind([&] { return store().ListParts(key, id, 0); }), "not_found");
  EXPECT_EQ(KindOf([&] { PutPart(key, id, 1, "1"); }), "not_found");
}

TEST_P(ObjectStoreContract, CompletingWithAnEtagThatIsNotThereFails) {
  const Key key = KeyOf("large");
  const std::string id = Create(key);
  PutPart(key, id, 1, "1");
  const std::string wrong = ToHex(Md5::Of("2"));
  EXPECT_EQ(Kind([&] { return store().CompleteUpload(key, id, {{1, wrong}}); }), "conflict");
  EXPECT_EQ(Kind([&] { return store().Head(key); }), "not_found");
  Await([&] { return store().AbortUpload(key, id); });
}

TEST_P(ObjectStoreContract, OpenUploadsAreListedBelowAPrefix) {
  std::vector<std::pair<std::string, std::string>> opened;
  for (const char* rest : {"u/1", "u/2", "u/3", "v"})
    opened.emplace_back(rest, Create(KeyOf(rest)));
  std::vector<std::string> listed;
  ListUploadsPage page;
  do {
    page = Await([&] {
      return store().ListUploads(KeyOf("u/").bytes(), page.next_key_marker,
                                 page.next_upload_id_marker);
    });
    for (const ListedUpload& upload : page.uploads) listed.push_back(upload.upload_id);
  } while (page.truncated);
  EXPECT_GT(page.answered_ms, 0);
  ASSERT_EQ(listed.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(listed[i], opened[i].second);
  for (const auto& [rest, id] : opened) {
    Await([&, key = KeyOf(rest), upload = id] { return store().AbortUpload(key, upload); });
  }
}

}  // namespace ferry::test
