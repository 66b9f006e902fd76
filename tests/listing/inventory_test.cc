#include "batch/listing/inventory.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "batch/base/digest.h"
#include "batch/listing/inventory_manifest.h"
#include "batch/listing/inventory_rows.h"
#include "tests/support/fake_store.h"
#include "tests/support/loop_runner.h"

namespace ferry {
namespace {

constexpr const char* kSchema =
    "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass";

std::string Gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(text.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

std::string RowOf(const std::string& key, const std::string& etag = "e") {
  return "\"src\",\"" + key + "\",\"v1\",\"true\",\"false\",\"3\"," +
         "\"2026-08-01T00:00:00.123Z\",\"" + etag + "\",\"STANDARD\"\n";
}

std::string ManifestOf(const std::string& files, const std::string& schema = kSchema,
                       const std::string& format = "CSV") {
  return R"({"sourceBucket": "src", "creationTimestamp": "1790000000000", "fileFormat": ")" +
         format + R"(", "fileSchema": ")" + schema + R"(", "files": [)" + files + "]}";
}

std::string Refusal(const std::string& manifest) {
  const auto error = test::ErrorOf([&] { ParseInventoryManifest(manifest); });
  return error ? error->what() : "none";
}

TEST(InventoryManifest, SaysWhatFilesThereAreAndWhatTheirColumnsHold) {
  const std::string md5(32, 'A');
  const InventoryManifest manifest = ParseInventoryManifest(
      ManifestOf(R"({"key": "d/1.csv.gz", "size": 7, "MD5checksum": ")" + md5 + "\"}"));
  EXPECT_EQ(manifest.source_bucket, "src");
  EXPECT_EQ(manifest.created_ms, 1'790'000'000'000);
  ASSERT_EQ(manifest.files.size(), 1U);
  EXPECT_EQ(manifest.files[0].key, "d/1.csv.gz");
  EXPECT_EQ(manifest.files[0].size_bytes, 7U);
  EXPECT_EQ(manifest.files[0].md5, std::string(32, 'a'));
  EXPECT_EQ(manifest.columns.count, 9U);
  EXPECT_EQ(manifest.columns.key, 1U);
  EXPECT_EQ(manifest.columns.etag, 7U);
  EXPECT_EQ(manifest.columns.storage_class, 8U);
  EXPECT_FALSE(ParseInventoryManifest(ManifestOf("", "Key,Size,LastModifiedDate,ETag"))
                   .columns.is_latest.has_value());
}

TEST(InventoryManifest, WhatCannotBeReadIsRefusedByName) {
  EXPECT_NE(Refusal(ManifestOf("", kSchema, "ORC")).find("ORC: have it written as CSV"),
            std::string::npos);
  EXPECT_NE(Refusal(ManifestOf("", kSchema, "Parquet")).find("Parquet"), std::string::npos);
  EXPECT_NE(Refusal(ManifestOf("", "Bucket, Key, Size, LastModifiedDate")).find("no column ETag"),
            std::string::npos);
  EXPECT_NE(Refusal(ManifestOf("", "Bucket, Key, Size, ETag")).find("LastModifiedDate"),
            std::string::npos);
  EXPECT_NE(Refusal(ManifestOf(R"({"key": "k", "size": -1, "MD5checksum": "x"})"))
                .find("without key, size or MD5checksum"),
            std::string::npos);
  EXPECT_NE(Refusal("{").find("no manifest"), std::string::npos);
  EXPECT_NE(Refusal(std::string(100'000, '[')).find("no manifest"), std::string::npos);
  EXPECT_NE(Refusal(R"({"sourceBucket": 7})").find("sourceBucket"), std::string::npos);
}

class InventoryRowsTest : public testing::Test {
 protected:
  // What a file of `packed` says, taken in pieces.
  std::vector<std::string> Keys(std::string_view packed, std::size_t piece = 7) {
    entries_.clear();
    const InventoryColumns columns = ParseInventoryManifest(ManifestOf("")).columns;
    InventoryRows rows(columns, [&](const ListedEntry& entry) { entries_.push_back(entry); });
    for (; !packed.empty(); packed.remove_prefix(std::min(piece, packed.size()))) {
      rows.Take(packed.substr(0, piece));
    }
    rows.Finish();
    std::vector<std::string> keys;
    for (const ListedEntry& entry : entries_) keys.push_back(entry.key.bytes());
    return keys;
  }
  std::string Refusal(std::string_view packed) {
    const auto error = test::ErrorOf([&] { Keys(packed); });
    return error ? error->what() : "none";
  }
  std::vector<ListedEntry> entries_;
};

TEST_F(InventoryRowsTest, RowsBecomeObjects) {
  EXPECT_EQ(Keys(Gzip(RowOf("a%2Bb+c%25%C3%A9") + "\r\n" +
                      R"("src","old","v0","false","false","1","2026-08-01T00:00:00.000Z","e","")"
                      "\n"
                      R"("src","gone","v0","true","true","","2026-08-01T00:00:00.000Z","","")"
                      "\n"
                      R"(src,plain,v2,true,false,9,2026-08-01T00:00:00.000Z,E,GLACIER)")),
            (std::vector<std::string>{"a+b c%\xC3\xA9", "plain"}));
  EXPECT_EQ(entries_[0].size_bytes, 3U);
  EXPECT_EQ(entries_[0].modified_ms, 1'785'542'400'123);
  EXPECT_EQ(entries_[0].etag, "e");
  EXPECT_EQ(entries_[0].version, "v1");
  EXPECT_FALSE(entries_[0].archived);
  EXPECT_TRUE(entries_[1].archived);
}

TEST_F(InventoryRowsTest, AFileMayBeSeveralPiecesOfGzipOrEmpty) {
  EXPECT_EQ(Keys(Gzip(RowOf("a")) + Gzip(RowOf("b"))), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(Keys(Gzip("")).empty());
  EXPECT_TRUE(Keys("").empty());
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += RowOf("key/" + std::to_string(i));
  EXPECT_EQ(Keys(Gzip(many), 1000).size(), 20'000U);
}

TEST_F(InventoryRowsTest, WhatIsDamagedIsRefused) {
  const std::string good = Gzip(RowOf("a"));
  EXPECT_NE(Refusal(good.substr(0, good.size() - 9)).find("too early"), std::string::npos);
  std::string damaged = good;
  damaged[good.size() / 2] = static_cast<char>(damaged[good.size() / 2] ^ 0x55);
  EXPECT_NE(Refusal(damaged), "none");
  EXPECT_NE(Refusal("Bucket,Key\n").find("not gzip"), std::string::npos);
  EXPECT_NE(Refusal(Gzip("\"a\",\"b\"\n")).find("too few columns"), std::string::npos);
  EXPECT_NE(Refusal(Gzip(RowOf("a\",\"b"))).find("too many columns"), std::string::npos);
  EXPECT_NE(Refusal(Gzip("\"a")).find("within a value"), std::string::npos);
  EXPECT_NE(Refusal(Gzip("\"a\"b")).find("behind a quote"), std::string::npos);
  EXPECT_NE(Refusal(Gzip(RowOf("%zz"))), "none");
  EXPECT_NE(Refusal(Gzip(std::string(10'000, 'a'))).find("too long"), std::string::npos);
  EXPECT_NE(Refusal(Gzip("s,k,v,true,false,x,2026-08-01T00:00:00Z,e,")).find("cannot be"),
            std::string::npos);
}

class InventoryTest : public testing::Test {
 protected:
  InventoryTest() {
    data_ = &store_.Add("d/1.csv.gz", Gzip(RowOf("p/b") + RowOf("p/a") + RowOf("q/c")));
    WriteManifest();
  }
  ~InventoryTest() override { runner_.Stop(); }

  void WriteManifest() {
    const std::string md5 = ToHex(Md5::Of(data_->bytes));
    manifest_ = &store_.Add(
        "f/2026-08-01T00-00Z/manifest.json",
        ManifestOf(R"({"key": "d/1.csv.gz", "size": )" + std::to_string(data_->bytes.size()) +
                   R"(, "MD5checksum": ")" + md5 + "\"}"));
  }
  std::vector<std::string> Keys() {
    const auto inventory = Inventory::Read({runner_.loop(), store_}, order_);
    read_ = inventory->manifest();
    std::vector<std::string> keys;
    while (const ListedEntry* entry = inventory->Peek()) {
      keys.push_back(entry->key.bytes());
      inventory->Next();
    }
    EXPECT_GE(inventory->rows(), keys.size());
    return keys;
  }
  std::string Refusal() {
    const auto error = test::ErrorOf([&] { Keys(); });
    return error ? error->what() : "none";
  }

  test::LoopRunner runner_;
  test::FakeStore store_{runner_.loop()};
  test::StoredObject* data_ = nullptr;
  test::StoredObject* manifest_ = nullptr;
  InventoryOrder order_{"f/", "src", "p/", "/nowhere", false};
  std::string read_;
};

TEST_F(InventoryTest, TheNewestReportOfAFolderIsReadAndItsObjectsComeInOrder) {
  store_.Add("f/2026-07-01T00-00Z/manifest.json", "old");
  store_.Add("f/data/manifest.json", "no report");
  EXPECT_EQ(Keys(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read_, "f/2026-08-01T00-00Z/manifest.json");
  order_.manifest = read_;
  order_.prefix = "";
  EXPECT_EQ(Keys(), (std::vector<std::string>{"p/a", "p/b", "q/c"}));
}

TEST_F(InventoryTest, AReadThatFailsIsDoneAgain) {
  store_.FailCall("get", 2, test::FakeStore::Moment::kAfterEffect,
                  Error(ErrorKind::kUnavailable, "cut"));
  EXPECT_EQ(Keys(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(InventoryTest, AFileThatIsNotTheManifestsIsRefused) {
  data_->modified_ms = manifest_->modified_ms + 1;
  EXPECT_NE(Refusal().find("d/1.csv.gz: it was written after the manifest"), std::string::npos);
  store_.Add("d/1.csv.gz", Gzip(RowOf("p/x") + RowOf("p/a") + RowOf("q/c")) + std::string(1, '\0'));
  EXPECT_NE(Refusal().find("its size is not what the manifest says"), std::string::npos);
  std::string same_size = data_->bytes;
  data_ = &store_.Add("d/1.csv.gz", Gzip(RowOf("p/y") + RowOf("p/a") + RowOf("q/c")));
  if (data_->bytes.size() == manifest_->bytes.size()) GTEST_SKIP();
  WriteManifest();
  data_->bytes = Gzip(RowOf("p/z") + RowOf("p/a") + RowOf("q/c"));
  EXPECT_NE(Refusal().find("its MD5 is not what the manifest says"), std::string::npos);
}

TEST_F(InventoryTest, AManifestIsHeldToItsChecksumWhereThereIsOne) {
  store_.Add("f/2026-08-01T00-00Z/manifest.checksum", ToHex(Md5::Of(manifest_->bytes)) + "\n");
  EXPECT_EQ(Keys().size(), 2U);
  store_.Add("f/2026-08-01T00-00Z/manifest.checksum", std::string(32, '0'));
  EXPECT_NE(Refusal().find("its MD5 is not what manifest.checksum says"), std::string::npos);
}

TEST_F(InventoryTest, AReportOfAnotherBucketOrWithoutVersionsIsRefused) {
  order_.source_bucket = "other";
  EXPECT_NE(Refusal().find("it is of the bucket src, and the task's is other"), std::string::npos);
  order_.manifest = "nothing/";
  EXPECT_NE(Refusal().find("there is no report in this folder"), std::string::npos);
}

}  // namespace
}  // namespace ferry
