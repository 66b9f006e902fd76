// Archived objects on the wire: how they show, and how their restoring is asked for.
#include <gtest/gtest.h>

#include "tests/support/odd_store.h"

namespace ferry {
namespace {

using test::HttpText;
using test::OddStore;
using test::Says;
using test::SeenRequest;

ObjectHead HeadWith(NameValues headers) {
  headers.push_back({"ETag", "\"e\""});
  OddStore odd({Says(HttpText(200, headers, ""))});
  return odd.runner.Await([&] { return odd.store.Head(Key("k")); });
}

TEST(S3Restore, TheHeadOfAnObjectSaysWhetherItCanBeRead) {
  EXPECT_FALSE(HeadWith({}).archived);
  EXPECT_FALSE(HeadWith({{"x-amz-storage-class", "GLACIER_IR"}}).archived);
  const ObjectHead cold = HeadWith({{"x-amz-storage-class", "GLACIER"}});
  EXPECT_TRUE(cold.archived);
  EXPECT_FALSE(cold.being_restored);
  const ObjectHead waits = HeadWith(
      {{"x-amz-storage-class", "DEEP_ARCHIVE"}, {"x-amz-restore", "ongoing-request=\"true\""}});
  EXPECT_TRUE(waits.archived);
  EXPECT_TRUE(waits.being_restored);
  const ObjectHead there =
      HeadWith({{"x-amz-storage-class", "GLACIER"},
                {"x-amz-restore",
                 "ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2012 00:00:00 GMT\""}});
  EXPECT_FALSE(there.archived);
  EXPECT_FALSE(there.being_restored);
  EXPECT_TRUE(HeadWith({{"x-amz-storage-class", "INTELLIGENT_TIERING"},
                        {"x-amz-archive-status", "ARCHIVE_ACCESS"}})
                  .archived);
}

TEST(S3Restore, AsksInTheWordsOfTheProvider) {
  struct Case {
    const char* provider;
    const char* body;
  };
  for (const Case& c :
       {Case{"s3", "<Days>3</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters>"},
        Case{"oss", "<Days>3</Days><JobParameters><Tier>Bulk</Tier></JobParameters>"},
        Case{"cos", "<Days>3</Days><CASJobParameters><Tier>Bulk</Tier></CASJobParameters>"}}) {
    OddStore odd({Says(HttpText(202, {}, ""))});
    S3Store store({"far",
                   "bucket",
                   {.provider = FindProvider(c.provider),
                    .endpoint = odd.server.url(),
                    .addressing = AddressStyle::kPath}},
                  odd.http, odd.keys, odd.runner.clock());
    odd.runner.Await([&] { return store.Restore({Key("a b"), "v1", "Bulk", 3}); });
    const SeenRequest seen = odd.server.Take();
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.target, "/bucket/a%20b?restore=&versionId=v1");
    EXPECT_NE(seen.body.find(c.body), std::string::npos) << seen.body;
    EXPECT_EQ(seen.Header("content-md5"), ToBase64(Md5::Of(seen.body)));
  }
}

TEST(S3Restore, NoDaysAreNamedWhereThereAreNone) {
  OddStore odd({Says(HttpText(202, {}, ""))});
  odd.runner.Await([&] { return odd.store.Restore({Key("k"), "", "Standard", 0}); });
  const SeenRequest seen = odd.server.Take();
  EXPECT_EQ(seen.body.find("Days"), std::string::npos);
  EXPECT_NE(seen.body.find("<Tier>Standard</Tier>"), std::string::npos);
}

TEST(S3Restore, WhatSomebodyElseAskedForIsAskedForAndARefusalIsOne) {
  OddStore asked({Says(HttpText(
      409, {}, "<Error><Code>RestoreAlreadyInProgress</Code><Message>m</Message></Error>"))});
  EXPECT_EQ(asked.EndOf([&] { return asked.store.Restore({Key("k"), "", "Bulk", 1}); }), "none");
  OddStore refused({Says(HttpText(403, {}, "<Error><Code>AccessDenied</Code></Error>"))});
  EXPECT_EQ(refused.EndOf([&] {
    return refused.store.Restore({Key("k"), "", "Bulk", 1});
  }),
            "denied AccessDenied");
}

TEST(S3Restore, ListsOfAwsSayWhatCanBeReadForNow) {
  const std::string page =
      "<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>2</KeyCount>"
      "<Contents><Key>a</Key><Size>1</Size><StorageClass>GLACIER</StorageClass><RestoreStatus>"
      "<IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus></Contents>"
      "<Contents><Key>b</Key><Size>1</Size><StorageClass>GLACIER</StorageClass><RestoreStatus>"
      "<IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>"
      "2026-12-21T00:00:00.000Z</RestoreExpiryDate></RestoreStatus></Contents></ListBucketResult>";
  OddStore odd({Says(HttpText(200, {}, page)), Says(HttpText(200, {}, page))});
  S3Store aws({"far",
               "bucket",
               {.provider = FindProvider("aws"),
                .endpoint = odd.server.url(),
                .addressing = AddressStyle::kPath}},
              odd.http, odd.keys, odd.runner.clock());
  const ListPage told = odd.runner.Await([&] { return aws.List({}); });
  EXPECT_FALSE(told.objects.at(0).restored);
  EXPECT_TRUE(told.objects.at(1).restored);
  EXPECT_EQ(odd.server.Take().Header("x-amz-optional-object-attributes"), "RestoreStatus");
  odd.runner.Await([&] { return odd.store.List({}); });
  EXPECT_FALSE(odd.server.Take().Has("x-amz-optional-object-attributes"));
}

}  // namespace
}  // namespace ferry
