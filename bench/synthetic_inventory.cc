#include "bench/synthetic_inventory.h"

#include <zlib.h>

#include <cstdlib>

namespace ferry::bench {
namespace {

constexpr std::uint64_t kFiles = 20;
constexpr int kGzip = 16 + MAX_WBITS;

// Takes text, keeps gzip.
class Packer {
 public:
  Packer() {
    if (deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      std::abort();
    }
  }
  ~Packer() { deflateEnd(&stream_); }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  void Add(std::string& text) { Pack(text, Z_NO_FLUSH); }
  std::string Finish() {
    std::string nothing;
    Pack(nothing, Z_FINISH);
    return std::move(packed_);
  }

 private:
  void Pack(std::string& text, int flush) {
    stream_.next_in = reinterpret_cast<Bytef*>(text.data());
    stream_.avail_in = static_cast<uInt>(text.size());
    char piece[64 << 10];
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(piece);
      stream_.avail_out = sizeof piece;
      deflate(&stream_, flush);
      packed_.append(piece, sizeof piece - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
  std::string packed_;
};

std::string FileOf(const SyntheticBucket& bucket, std::uint64_t keys, std::uint64_t number) {
  Packer packer;
  std::string rows;
  for (std::uint64_t i = number; i < keys; i += kFiles) {
    rows.append("\"src\",\"").append(bucket.Key(i)).append("\",\"");
    rows.append(std::to_string(SyntheticBucket::kObjectBytes)).append("\",\"");
    rows.append(bucket.LastModifiedIso(i)).append("\",\"").append(bucket.EtagHex(i));
    rows.append("\",\"STANDARD\"\n");
    if (rows.size() < (32 << 10)) continue;
    packer.Add(rows);
    rows.clear();
  }
  packer.Add(rows);
  return packer.Finish();
}

}  // namespace

SyntheticInventory::SyntheticInventory(const SyntheticBucket& bucket, std::uint64_t keys,
                                       const std::string& source) {
  std::string files;
  for (std::uint64_t i = 0; i < kFiles; ++i) {
    const std::string key = "inventory/data/" + std::to_string(i) + ".csv.gz";
    std::string body = FileOf(bucket, keys, i);
    files.append(files.empty() ? "" : ", ").append("{\"key\": \"").append(key);
    files.append("\", \"size\": ").append(std::to_string(body.size()));
    files.append(", \"MD5checksum\": \"").append(Md5Text(body)).append("\"}");
    objects_.emplace(key, std::move(body));
  }
  objects_.emplace(kManifest,
                   "{\"sourceBucket\": \"" + source +
                       "\", \"creationTimestamp\": \"1790000000000\", \"fileFormat\": \"CSV\", "
                       "\"fileSchema\": \"Bucket, Key, Size, LastModifiedDate, ETag, StorageClass\""
                       ", \"files\": [" +
                       files + "]}");
}

const std::string* SyntheticInventory::Find(const std::string& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : &found->second;
}

}  // namespace ferry::bench
