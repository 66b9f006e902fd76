#include "batch/listing/inventory_rows.h"

#include <zlib.h>

#include <array>
#include <utility>

#include "batch/base/error.h"
#include "batch/base/time_text.h"
#include "batch/store/s3_values.h"
#include "batch/store/uri.h"

namespace ferry {
namespace {

constexpr std::size_t kFieldBytesMax = 8192;  // a key of 1,024 bytes, each as %XX, and room
constexpr std::size_t kTextBytes = 64 << 10;
constexpr int kGzip = 16 + MAX_WBITS;  // zlib.h, inflateInit2

[[noreturn]] void Refuse(const char* what) { throw Error(ErrorKind::kCorrupt, what); }

void Free(z_stream_s* stream) {
  inflateEnd(stream);
  delete stream;
}

bool IsTrue(std::string_view text) { return text == "true"; }

}  // namespace

InventoryRows::InventoryRows(const InventoryColumns& columns, std::function<void(ListedEntry)> one)
    : columns_(columns), one_(std::move(one)), stream_(new z_stream_s(), &Free) {
  if (inflateInit2(stream_.get(), kGzip) != Z_OK) {
    throw Error(ErrorKind::kUnavailable, "no memory to unpack an inventory");
  }
}
InventoryRows::~InventoryRows() = default;

void InventoryRows::Take(std::string_view packed) {
  std::array<char, kTextBytes> text;
  // zlib takes no const bytes, and changes none.
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream_->avail_in = static_cast<uInt>(packed.size());
  bool more = true;
  while (stream_->avail_in > 0 || more) {
    // A file may be several of gzip, one behind the other.
    if (!member_open_ && stream_->avail_in > 0) inflateReset(stream_.get());
    if (!member_open_ && stream_->avail_in == 0) return;
    member_open_ = true;
    stream_->next_out = reinterpret_cast<Bytef*>(text.data());
    stream_->avail_out = static_cast<uInt>(text.size());
    const int state = inflate(stream_.get(), Z_NO_FLUSH);
    if (state == Z_STREAM_END) {
      member_open_ = false;
    } else if (state != Z_OK && state != Z_BUF_ERROR) {
      Refuse("a file of the inventory is not gzip, or is damaged");
    }
    more = stream_->avail_out == 0;
    TakeText({text.data(), text.size() - stream_->avail_out});
  }
}

void InventoryRows::Finish() {
  if (member_open_) Refuse("a file of the inventory ends too early");
  if (at_ == At::kQuoted) Refuse("a file of the inventory ends within a value");
  if (!fields_.empty() || at_ != At::kFieldStart) EndRow();
}

// RFC 4180: quotes around values, doubled within them.
void InventoryRows::TakeText(std::string_view text) {
  for (const char c : text) {
    if (at_ == At::kQuoted && c != '"') {
      field_ += c;
    } else if (c == '"') {
      if (at_ == At::kPlain) Refuse("a row of the inventory has a quote within a value");
      if (at_ == At::kAfterQuote) field_ += c;
      at_ = at_ == At::kQuoted ? At::kAfterQuote : At::kQuoted;
    } else if (c == ',') {
      EndField();
    } else if (c == '\n') {
      if (!fields_.empty() || at_ != At::kFieldStart) EndRow();
    } else if (c != '\r') {
      if (at_ == At::kAfterQuote) Refuse("a row of the inventory goes on behind a quote");
      at_ = At::kPlain;
      field_ += c;
    }
    if (field_.size() > kFieldBytesMax) Refuse("a value of the inventory is too long");
  }
}

void InventoryRows::EndField() {
  if (fields_.size() == columns_.count) Refuse("a row of the inventory has too many columns");
  fields_.push_back(std::exchange(field_, {}));
  at_ = At::kFieldStart;
}

void InventoryRows::EndRow() {
  EndField();
  if (fields_.size() != columns_.count) Refuse("a row of the inventory has too few columns");
  const std::vector<std::string> fields = std::exchange(fields_, {});
  if (columns_.is_latest && !IsTrue(fields[*columns_.is_latest])) return;
  if (columns_.is_delete_marker && IsTrue(fields[*columns_.is_delete_marker])) return;
  ListedEntry entry;
  entry.key = Key(UriDecode(fields[columns_.key]));
  const auto size = ParseNumber<std::uint64_t>(fields[columns_.size]);
  const auto modified = ParseIso8601(fields[columns_.modified]);
  if (!size || !modified || entry.key.empty()) {
    Refuse("a row of the inventory has a key, a size or a time that cannot be");
  }
  entry.size_bytes = *size;
  entry.modified_ms = *modified;
  entry.etag = NormalizeEtag(fields[columns_.etag]);
  if (columns_.storage_class) entry.archived = IsArchiveClass(fields[*columns_.storage_class]);
  if (columns_.version_id) entry.version = fields[*columns_.version_id];
  one_(std::move(entry));
}

}  // namespace ferry
