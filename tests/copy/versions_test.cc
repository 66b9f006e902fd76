// Objects that change, go, or come again while they are copied, with and without versions.
#include "batch/copy/examine.h"
#include "tests/copy/copy_fixture.h"

namespace ferry {
namespace {

using test::FakeStore;

constexpr std::uint64_t kPart = 100'000;

class VersionsTest : public CopyFixture {
 protected:
  Ends ends() {
    Ends ends = CopyFixture::ends();
    ends.versions = policy_;
    return ends;
  }
  // Under both policies that name versions in their requests.
  template <typename Body>
  void UnderPinning(Body body) {
    for (const VersionPolicy policy : {VersionPolicy::kPinned, VersionPolicy::kCompared}) {
      policy_ = policy;
      body();
    }
  }
  // What the planner hands on: only a list of versions names one.
  ObjectToCopy AddVersion(const std::string& name, std::string bytes) {
    ObjectToCopy object = Add(name, std::move(bytes));
    if (policy_ == VersionPolicy::kCompared) {
      object.source.version = source_.objects().at(object.source_key).version_id;
    }
    return object;
  }
  ObjectMetadata& MetadataAt(const std::string& key) {
    return source_.objects().at(Key(key)).metadata;
  }
  static ObjectMetadata Marked(const std::string& mark) {
    return {{{"x-amz-meta-mark", mark}}, {{"mark", mark}}};
  }
  void AddMarked(const std::string& name, std::string bytes, const std::string& mark) {
    source_.Add("s/" + name, std::move(bytes)).metadata = Marked(mark);
  }
  Copied Whole(const ObjectToCopy& object) {
    return Await([&] { return CopyWhole(ends(), object, kRing, traffic_); });
  }
  OpenUpload Open(const ObjectToCopy& object, std::optional<OpenUpload> known = {}) {
    SplitOptions options;
    options.part_bytes = kPart;
    options.open = std::move(known);
    return Await([&] { return OpenOrResume(ends(), object, options, settlement_); });
  }
  DonePart SendPart(const ObjectToCopy& object, const OpenUpload& upload, const Part& part) {
    const PartToCopy one{upload.upload_id, part};
    return Await([&] { return CopyPart(ends(), object, one, kRing, traffic_); });
  }
  std::string FailPart(const ObjectToCopy& object, const OpenUpload& upload, const Part& part) {
    const PartToCopy one{upload.upload_id, part};
    return Failure([&] { return CopyPart(ends(), object, one, kRing, traffic_); });
  }
  // Once: when a request of this name comes, before it looks at the objects.
  void JustBefore(const std::string& operation, std::function<void()> change) {
    source_.before = [this, operation, change](std::string_view called, const Key&) {
      if (called != operation) return;
      const std::function<void()> once = change;  // what holds it ends with the next line
      source_.before = nullptr;
      once();
    };
  }
  // Whatever arrived is one of these, whole, with its own metadata and tags.
  void ExpectUnmixed(const std::map<std::string, std::string>& marks_of_bytes) {
    ASSERT_NE(At("d/a"), nullptr);
    const auto found = marks_of_bytes.find(At("d/a")->bytes);
    ASSERT_NE(found, marks_of_bytes.end()) << "mixed content";
    EXPECT_EQ(At("d/a")->metadata.headers, Marked(found->second).headers);
    EXPECT_EQ(At("d/a")->metadata.tags, Marked(found->second).tags);
  }

  const std::string old_ = Bytes(3 * kPart + 77);
  const std::string new_ = std::string(old_.rbegin(), old_.rend());  // of the same size
  VersionPolicy policy_ = VersionPolicy::kLatest;
  Settlement settlement_;
};

TEST_F(VersionsTest, BytesMetadataAndTagsAreOfOneObjectWhenItChangesBetweenRequests) {
  for (const VersionPolicy policy :
       {VersionPolicy::kLatest, VersionPolicy::kPinned, VersionPolicy::kCompared}) {
    for (const auto versioning : {FakeStore::Versioning::kNever, FakeStore::Versioning::kEnabled,
                                  FakeStore::Versioning::kSuspended}) {
      for (const char* operation : {"get", "get_tags", "head"}) {
        for (const std::size_t size : {std::size_t{100}, kLarge}) {
          policy_ = policy;
          source_.versioning = versioning;
          const std::string before = Bytes(size), after(before.rbegin(), before.rend());
          ObjectToCopy object = AddVersion("a", before);
          MetadataAt("s/a") = Marked("old");
          JustBefore(operation, [&] { AddMarked("a", after, "new"); });
          Whole(object);
          ExpectUnmixed({{before, "old"}, {after, "new"}});
          source_.before = nullptr;
        }
      }
    }
  }
}

// The tags of a second request are those of the newer object: it is copied, not a mixture.
TEST_F(VersionsTest, TagsThatMayBeOfAnotherObjectSendTheCopyBackToLookAgain) {
  const ObjectToCopy object = Add("a", "old");
  MetadataAt("s/a") = Marked("old");
  JustBefore("get_tags", [&] { AddMarked("a", "new", "new"); });
  EXPECT_EQ(Whole(object).source.etag, ToHex(Md5::Of("new")));
  ExpectUnmixed({{"new", "new"}});
}

TEST_F(VersionsTest, APinnedVersionCostsNoSecondLookAtItsTags) {
  source_.versioning = FakeStore::Versioning::kEnabled;
  UnderPinning([&] {
    const ObjectToCopy object = AddVersion("a", "old");
    MetadataAt("s/a") = Marked("old");
    Whole(object);
  });
  EXPECT_EQ(source_.CountCalls("head"), 0);
}

TEST_F(VersionsTest, WhatWasCopiedSaysItsVersion) {
  source_.versioning = FakeStore::Versioning::kEnabled;
  const ObjectToCopy object = Add("a", "1");
  EXPECT_EQ(Whole(object).source.version, source_.objects().at(Key("s/a")).version_id);
}

TEST_F(VersionsTest, AnOverwriteDoesNotMakeAPinnedMultipartCopyStartOver) {
  source_.versioning = FakeStore::Versioning::kEnabled;
  UnderPinning([&] {
    ObjectToCopy object = AddVersion("a", old_);
    MetadataAt("s/a") = Marked("old");
    OpenUpload upload = Open(object);
    EXPECT_EQ(upload.source.version, source_.objects().at(Key("s/a")).version_id);
    object.source = upload.source;
    const auto parts = PlanParts(old_.size(), kPart);
    upload.parts.push_back(SendPart(object, upload, parts[0]));
    AddMarked("a", new_, "new");
    const OpenUpload resumed = Open(object, upload);  // after an interruption
    EXPECT_EQ(resumed.upload_id, upload.upload_id);
    EXPECT_EQ(resumed.parts.size(), 1U);
    for (std::size_t i = 1; i < parts.size(); ++i) {
      upload.parts.push_back(SendPart(object, upload, parts[i]));
    }
    const Copied copied = Await([&] { return Complete(ends(), object, upload, traffic_); });
    EXPECT_EQ(copied.source.version, upload.source.version);
    ExpectUnmixed({{old_, "old"}});
  });
}

TEST_F(VersionsTest, TagsAfterCompleteAreThoseOfThePinnedVersionOrNone) {
  destination_provider_.tags_on_create = false;
  source_.versioning = FakeStore::Versioning::kEnabled;
  for (const VersionPolicy policy :
       {VersionPolicy::kLatest, VersionPolicy::kPinned, VersionPolicy::kCompared}) {
    policy_ = policy;
    ObjectToCopy object = AddVersion("a", old_);
    MetadataAt("s/a") = Marked("old");
    OpenUpload upload = Open(object);
    object.source = upload.source;
    for (const Part& part : PlanParts(old_.size(), kPart)) {
      upload.parts.push_back(SendPart(object, upload, part));
    }
    AddMarked("a", new_, "new");
    destination_.ForgetCalls();
    Await([&] { return Complete(ends(), object, upload, traffic_); });
    // The newer object's tags are never put on the older one's bytes.
    EXPECT_EQ(destination_.CountCalls("put_tags"), policy == VersionPolicy::kLatest ? 0 : 1);
    EXPECT_EQ(At("d/a")->metadata.tags, Marked("old").tags);
  }
}

TEST_F(VersionsTest, APartOfAnObjectThatChangedIsAConflictInTheSameSizeToo) {
  for (const auto versioning : {FakeStore::Versioning::kNever, FakeStore::Versioning::kSuspended}) {
    for (const VersionPolicy policy : {VersionPolicy::kLatest, VersionPolicy::kPinned}) {
      policy_ = policy;
      source_.versioning = versioning;
      ObjectToCopy object = Add("a", old_);
      const OpenUpload upload = Open(object);
      object.source = upload.source;
      source_.Add("s/a", new_);
      EXPECT_EQ(FailPart(object, upload, {1, 0, kPart}), "source:conflict");
      const OpenUpload anew = Open(object, upload);
      EXPECT_NE(anew.upload_id, upload.upload_id);
      EXPECT_EQ(anew.source.etag, ToHex(Md5::Of(new_)));
      EXPECT_EQ(destination_.open_uploads(), 1U);
      destination_.ForgetUploads();
    }
  }
}

TEST_F(VersionsTest, AVersionThatIsGoneIsAChangeAndAKeyThatIsGoneHasVanished) {
  source_.versioning = FakeStore::Versioning::kEnabled;
  UnderPinning([&] {
    ObjectToCopy object = AddVersion("a", old_);
    const OpenUpload upload = Open(object);
    object.source = upload.source;
    source_.Add("s/a", new_);
    source_.RemoveVersion("s/a", object.source.version);
    EXPECT_EQ(FailPart(object, upload, {1, 0, kPart}), "source:conflict");
    const OpenUpload anew = Open(object, upload);
    EXPECT_EQ(anew.source.version, source_.objects().at(Key("s/a")).version_id);
    object.source = anew.source;
    source_.Remove("s/a");
    source_.RemoveVersion("s/a", anew.source.version);
    EXPECT_EQ(FailPart(object, anew, {1, 0, kPart}), "source:not_found");
    SplitOptions options;
    options.part_bytes = kPart;
    options.open = anew;
    EXPECT_EQ(Failure([&] { return OpenOrResume(ends(), object, options, settlement_); }),
              "source:not_found");
    EXPECT_EQ(destination_.open_uploads(), 0U);
  });
}

TEST_F(VersionsTest, AWholeCopyWhoseVersionIsGoneBringsWhatIsCurrent) {
  source_.versioning = FakeStore::Versioning::kEnabled;
  policy_ = VersionPolicy::kCompared;
  const ObjectToCopy object = AddVersion("a", "old");
  source_.Add("s/a", "new");
  source_.RemoveVersion("s/a", object.source.version);
  const Copied copied = Whole(object);
  EXPECT_EQ(At("d/a")->bytes, "new");
  EXPECT_EQ(copied.source.version, source_.objects().at(Key("s/a")).version_id);
  source_.Remove("s/a");
  source_.RemoveVersion("s/a", copied.source.version);
  EXPECT_EQ(Failure([&] { return CopyWhole(ends(), object, kRing, traffic_); }),
            "source:not_found");
}

TEST_F(VersionsTest, AComparedVersionIsBroughtWholeThoughANewerOneIsThere) {
  source_.versioning = FakeStore::Versioning::kEnabled;
  policy_ = VersionPolicy::kCompared;
  const ObjectToCopy object = AddVersion("a", "old");
  source_.Add("s/a", "new");
  EXPECT_EQ(Whole(object).source.version, object.source.version);
  EXPECT_EQ(At("d/a")->bytes, "old");
}

TEST_F(VersionsTest, APinnedSourceThatKeepsChangingIsBroughtAtTheSecondLook) {
  source_.versioning = FakeStore::Versioning::kEnabled;
  int version = 0;
  const auto keep_changing = [&](std::string_view operation, const Key&) {
    if (operation == "get") source_.Add("s/a", std::to_string(++version));
  };
  const ObjectToCopy object = Add("a", "0");
  source_.before = keep_changing;
  const auto copy = [&] { return CopyWhole(ends(), object, kRing, traffic_); };
  try {
    Await(copy);
    ADD_FAILURE() << "it held still";
  } catch (const SideError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConflict);
    EXPECT_EQ(error.code(), kKeptChanging);
    EXPECT_TRUE(
        std::string(error.what()).starts_with("the source kept changing while it was copied: "))
        << error.what();
  }
  policy_ = VersionPolicy::kPinned;
  EXPECT_EQ(Failure(copy), "none");
}

TEST_F(VersionsTest, ThePolicyLatestNamesNoVersionInItsRequests) {
  source_.versioning = FakeStore::Versioning::kEnabled;
  ObjectToCopy object = Add("a", "same");
  object.source.version = "one that is not there";
  EXPECT_EQ(Failure([&] { return CopyWhole(ends(), object, kRing, traffic_); }), "none");
}

TEST_F(VersionsTest, AnotherTimeIsAnotherObjectButARoundedOneIsNot) {
  const SourceIdentity listed{"e", 5, 1'700'000'000'900, ""};
  ObjectHead head;
  head.etag = "e";
  head.size_bytes = 5;
  head.last_modified_ms = 1'700'000'001'000;
  EXPECT_EQ(IdentityOf(head, listed).modified_ms, listed.modified_ms);
  head.last_modified_ms = 1'700'000'009'000;
  EXPECT_EQ(IdentityOf(head, listed).modified_ms, head.last_modified_ms);
}

}  // namespace
}  // namespace ferry
