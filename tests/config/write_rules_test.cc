// How a task writes: what the file may say of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/base/error.h"
#include "tests/config/config_file.h"

namespace ferry {
namespace {

class WriteRulesTest : public testing::Test, protected test::ConfigFile {
 protected:
  std::string File(const std::string& lines, const std::string& provider = "ceph") const {
    return "stores:\n  a: {provider: aws, region: us-east-1}\n  b: {provider: " + provider +
           ", endpoint: \"http://127.0.0.1:9000\"}\ntasks:\n  - name: t\n"
           "    source: {store: a, bucket: src, requester_pays: true}\n"
           "    destination: {store: b, bucket: dst, expected_bucket_owner: \"111122223333\"}\n" +
           lines;
  }
  WriteConfig Read(const std::string& lines) { return Load(File(lines)).tasks[0].write; }
  std::string Refusal(const std::string& lines, const std::string& provider = "ceph") {
    return Failure(File(lines, provider));
  }
};

TEST_F(WriteRulesTest, LeftOutNothingIsAsked) {
  const WriteConfig write = Read("");
  EXPECT_EQ(write.storage_class.kind, StorageClassRule::Kind::kBucketsOwn);
  EXPECT_EQ(write.encryption.kind, EncryptionRule::Kind::kBucketsOwn);
  EXPECT_EQ(write.acl, "");
  EXPECT_EQ(write.tags.kind, TagsRule::Kind::kCopied);
  EXPECT_TRUE(write.metadata.empty());
}

TEST_F(WriteRulesTest, ReadsAllOfThem) {
  const WriteConfig write = Read(
      "    storage_class: {STANDARD: STANDARD_IA, GLACIER_IR: GLACIER_IR}\n"
      "    sse: {kms: \"arn:aws:kms:us-east-1:111122223333:key/1234\"}\n"
      "    acl: bucket-owner-full-control\n"
      "    tags: {team: \"media & more\"}\n"
      "    metadata: {Owner: ops, Cache-Control: \"max-age=60\"}\n");
  EXPECT_EQ(write.storage_class.kind, StorageClassRule::Kind::kMapped);
  EXPECT_EQ(write.storage_class.classes[0],
            std::pair(std::string("STANDARD"), std::string("STANDARD_IA")));
  EXPECT_EQ(write.encryption.kms_key, "arn:aws:kms:us-east-1:111122223333:key/1234");
  EXPECT_EQ(write.acl, "bucket-owner-full-control");
  EXPECT_EQ(write.tags.tags[0], std::pair(std::string("team"), std::string("media & more")));
  EXPECT_EQ(write.metadata[0], std::pair(std::string("x-amz-meta-owner"), std::string("ops")));
  EXPECT_EQ(write.metadata[1], std::pair(std::string("cache-control"), std::string("max-age=60")));
  EXPECT_EQ(Read("    storage_class: keep\n").storage_class.kind, StorageClassRule::Kind::kKept);
  EXPECT_EQ(Read("    storage_class: STANDARD_IA\n").storage_class.name, "STANDARD_IA");
  EXPECT_EQ(Read("    sse: s3\n").encryption.kind, EncryptionRule::Kind::kS3);
  EXPECT_EQ(Read("    tags: none\n").tags.kind, TagsRule::Kind::kNone);
}

TEST_F(WriteRulesTest, SaysHowArchivedObjectsOfTheSourceAreRestored) {
  EXPECT_FALSE(Load(File("")).tasks[0].restore);
  const auto usual = Load(File("    restore: {}\n")).tasks[0].restore;
  EXPECT_EQ(usual->tier, "Standard");
  EXPECT_EQ(usual->days, 7U);
  EXPECT_EQ(usual->max_objects, 1000U);
  const auto said =
      Load(File("    restore: {tier: bulk, days: 30, max_objects: 5}\n")).tasks[0].restore;
  EXPECT_EQ(said->tier, "Bulk");
  EXPECT_EQ(said->days, 30U);
  EXPECT_EQ(said->max_objects, 5U);
  EXPECT_THAT(Refusal("    restore: {tier: slow}\n"), testing::HasSubstr("expedited"));
  EXPECT_THAT(Refusal("    restore: {days: 0}\n"), testing::HasSubstr("days"));
  EXPECT_THAT(Failure("stores:\n  a: {provider: r2, endpoint: \"https://1.example\"}\n"
                      "tasks:\n  - {name: t, source: {store: a, bucket: src}, restore: {},"
                      " destination: {store: a, bucket: dst}}\n"),
              testing::HasSubstr("provider r2 of the source restores nothing by S3"));
}

TEST_F(WriteRulesTest, SaysOfEachSideWhoPaysAndWhoseItIs) {
  const TaskConfig task = Load(File("")).tasks[0];
  EXPECT_TRUE(task.source.requester_pays);
  EXPECT_EQ(task.source.expected_owner, "");
  EXPECT_FALSE(task.destination.requester_pays);
  EXPECT_EQ(task.destination.expected_owner, "111122223333");
}

TEST_F(WriteRulesTest, WhatNoStoreTakesIsRefused) {
  EXPECT_EQ(Refusal("    storage_class: standard_ia\n"),
            "f.yaml:8: tasks[0].storage_class: \"standard_ia\" is not a storage class such as "
            "STANDARD_IA");
  EXPECT_EQ(Refusal("    sse: aes\n"),
            "f.yaml:8: tasks[0].sse: \"aes\" is not s3, kms, or {kms: KEY}");
  EXPECT_EQ(Refusal("    acl: public\n").substr(0, 43),
            "f.yaml:8: tasks[0].acl: \"public\" is unknown");
  EXPECT_EQ(Refusal("    tags: all\n"),
            "f.yaml:8: tasks[0].tags: \"all\" is not copy, none, or a map");
  EXPECT_EQ(Refusal("    tags: {a: b}\n", "r2"),
            "f.yaml:8: tasks[0].tags: provider r2 of the destination keeps no tags");
  EXPECT_EQ(Refusal("    metadata: {bucketferry-upload: x}\n"),
            "f.yaml:8: tasks[0].metadata.bucketferry-upload: is a name that bucketferry keeps for "
            "itself");
}

}  // namespace
}  // namespace ferry
