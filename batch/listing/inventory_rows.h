// InventoryRows: the bytes of an inventory's file (gzip of CSV) -> objects. Bounded memory.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "batch/listing/inventory_manifest.h"
#include "batch/plan/object.h"

struct z_stream_s;

namespace ferry {

class InventoryRows {
 public:
  // `one` gets each object that is current and no delete marker, with its whole key.
  InventoryRows(const InventoryColumns& columns, std::function<void(ListedEntry)> one);
  ~InventoryRows();
  InventoryRows(const InventoryRows&) = delete;
  InventoryRows& operator=(const InventoryRows&) = delete;

  // Throw Error{kCorrupt}: what is not gzip or was cut, has a row with more or fewer columns, or a
  // value that cannot be.
  void Take(std::string_view packed);
  void TakeText(std::string_view text);  // what is unpacked already
  void Finish();

 private:
  void EndField();
  void EndRow();

  const InventoryColumns columns_;
  const std::function<void(ListedEntry)> one_;
  std::unique_ptr<z_stream_s, void (*)(z_stream_s*)> stream_;
  bool member_open_ = false;  // of gzip: begun and not ended

  // Of the row that is being read.
  std::vector<std::string> fields_;
  std::string field_;
  enum class At { kFieldStart, kPlain, kQuoted, kAfterQuote } at_ = At::kFieldStart;
};

}  // namespace ferry
