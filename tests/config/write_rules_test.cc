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
           "    source: {store: a, bucket: src, requester_pays: true, "
           "expected_bucket_owner: \"111122223333\"}\n"
           "    destination: {store: b, bucket: dst}\n" +
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
  EXPECT_EQ(Load(File("    storage_class: keep\n", "aws, region: eu-west-1"))
                .tasks[0]
                .write.storage_class.kind,
            StorageClassRule::Kind::kKept);
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

TEST_F(WriteRulesTest, WhatADestinationWouldNotHeedIsRefused) {
  EXPECT_THAT(Refusal("    storage_class: keep\n"),
              testing::HasSubstr("classes of provider aws are not those of ceph"));
  EXPECT_THAT(Failure("stores:\n  a: {provider: ceph, endpoint: \"http://127.0.0.1:1\"}\n"
                      "tasks:\n  - {name: t, destination: {store: a, bucket: dst},\n"
                      "     source: {store: a, bucket: src, expected_bucket_owner: \"1\"}}\n"),
              testing::HasSubstr("provider ceph does not heed it"));
  EXPECT_THAT(Refusal("    metadata: {owner: \" ops\"}\n"), testing::HasSubstr("blank at an end"));
  EXPECT_THAT(Refusal("    metadata: {x-amz-meta-owner: ops}\n"),
              testing::HasSubstr("without x-amz-meta-"));
  EXPECT_THAT(Refusal("    metadata: {a: \"" + std::string(1500, 'x') + "\", b: \"" +
                      std::string(600, 'x') + "\"}\n"),
              testing::HasSubstr("2 KB of metadata together"));
}

TEST_F(WriteRulesTest, SaysOfEachSideWhoPaysAndWhoseItIs) {
  const TaskConfig task = Load(File("")).tasks[0];
  EXPECT_TRUE(task.source.requester_pays);
  EXPECT_EQ(task.source.expected_owner, "111122223333");
  EXPECT_FALSE(task.destination.requester_pays);
  EXPECT_EQ(task.destination.expected_owner, "");
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

TEST_F(WriteRulesTest, ReadsChecksumAndRetention) {
  using Kind = ChecksumRule::Kind;
  EXPECT_EQ(Read("").checksum.kind, Kind::kAuto);
  EXPECT_FALSE(Read("").retention);
  EXPECT_EQ(Read("    checksum: auto\n").checksum.kind, Kind::kAuto);
  EXPECT_EQ(Read("    checksum: md5\n").checksum.kind, Kind::kMd5);
  const WriteConfig write =
      Read("    checksum: sha256\n    retention: {mode: compliance, days: 36500}\n");
  EXPECT_EQ(write.checksum.kind, Kind::kNamed);
  EXPECT_EQ(write.checksum.digest, DigestKind::kSha256);
  ASSERT_TRUE(write.retention);
  EXPECT_EQ(write.retention->mode, "COMPLIANCE");
  EXPECT_EQ(write.retention->days, 36500U);
  EXPECT_EQ(Refusal("    checksum: crc32c\n", "gcs"), "accepted");  // it keeps that one anyway
  EXPECT_EQ(Refusal("    checksum: md5\n", "kodo"), "accepted");
}

TEST_F(WriteRulesTest, AChecksumThatTheDestinationCannotKeepIsRefusedWithWhatItCan) {
  const std::string where = "f.yaml:8: tasks[0].checksum: ";
  EXPECT_EQ(
      Refusal("    checksum: sha256\n", "gcs"),
      where + "provider gcs of the destination keeps no sha256; it can be auto, crc32c or md5");
  EXPECT_EQ(Refusal("    checksum: crc32c\n", "oss"),
            where + "provider oss of the destination keeps no crc32c; it can be auto or md5");
  EXPECT_EQ(Refusal("    checksum: crc64nvme\n", "kodo"),
            where + "provider kodo of the destination keeps no crc64nvme; it can be auto or md5");
  EXPECT_EQ(Refusal("    checksum: sha1\n").substr(0, where.size() + 6), where + "\"sha1\"");
}

TEST_F(WriteRulesTest, RetentionNeedsAChecksumThatEachBodyCanCarry) {
  const std::string retention = "    retention: {mode: governance, days: 30}\n";
  const std::string where = "f.yaml:8: tasks[0].retention: ";
  EXPECT_EQ(Refusal(retention, "cos"), where +
                                           "needs a destination that takes x-amz-checksum-*, and "
                                           "provider cos takes none");
  EXPECT_EQ(Refusal(retention + "    checksum: md5\n"),
            where +
                "needs a checksum that large bodies can carry, and there md5 is none: checksum: "
                "can be crc32c, crc64nvme or sha256");
  EXPECT_EQ(Refusal(retention, "minio"),
            where +
                "needs a checksum, and for provider minio none is known to be there: set "
                "checksum: crc32c, crc64nvme or sha256, as the server has it");
  EXPECT_EQ(Refusal(retention + "    checksum: crc32c\n", "minio"), "accepted");
  for (const char* days : {"0", "36501", "-1", "1.5", "forever"}) {
    EXPECT_NE(
        Refusal("    retention: {mode: governance, days: " + std::string(days) + "}\n", "aws"),
        "accepted");
  }
  EXPECT_EQ(Refusal(retention, "aws"), "accepted");
  for (const char* rule : {"{mode: legal, days: 1}", "{days: 1}", "{mode: governance}",
                           "{mode: governance, days: 1, hold: true}", "governance"}) {
    EXPECT_NE(Refusal("    retention: " + std::string(rule) + "\n", "aws"), "accepted") << rule;
  }
}

}  // namespace
}  // namespace ferry
