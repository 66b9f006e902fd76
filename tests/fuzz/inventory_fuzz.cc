// An inventory comes from a bucket that others may write: its manifest and its rows are read or
// refused, whatever they are, and rows are the same however they are cut.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/listing/inventory_rows.h"

namespace {

void ReadManifest(std::string_view text) {
  try {
    const ferry::InventoryManifest manifest = ferry::ParseInventoryManifest(text);
    FERRY_CHECK(manifest.columns.key < manifest.columns.count);
    FERRY_CHECK(manifest.created_ms >= 0);
  } catch (const ferry::Error& error) {
    FERRY_CHECK(error.kind() == ferry::ErrorKind::kInvalid);
  }
}

std::string ReadRows(std::string_view text, std::size_t cut) {
  ferry::InventoryColumns columns;
  columns.count = 4;
  columns.size = 1;
  columns.modified = 2;
  columns.etag = 3;
  std::string found;
  const std::function<void(const ferry::ListedEntry&)> add = [&](const ferry::ListedEntry& entry) {
    FERRY_CHECK(!entry.key.empty());
    found.append(entry.key.bytes()).append(";");
  };
  try {
    ferry::InventoryRows rows(columns, add);
    rows.TakeText(text.substr(0, cut));
    rows.TakeText(text.substr(cut));
    rows.Finish();
  } catch (const ferry::Error& error) {
    FERRY_CHECK(error.kind() == ferry::ErrorKind::kCorrupt);
    found.append(error.what());
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ReadManifest(text);
  FERRY_CHECK(ReadRows(text, 0) == ReadRows(text, size / 2));
  return 0;
}
