#include "batch/listing/inventory_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "batch/base/error.h"
#include "batch/base/key.h"
#include "batch/store/s3_values.h"

namespace ferry {
namespace {

using Json = nlohmann::json;

constexpr int kDepthMax = 8;
constexpr std::size_t kColumnsMax = 100;
constexpr std::size_t kMd5HexBytes = 32;

[[noreturn]] void Refuse(std::string what) { throw Error(ErrorKind::kInvalid, std::move(what)); }

const Json* Member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string Text(const Json& object, const char* name) {
  const Json* const value = Member(object, name);
  if (value == nullptr || !value->is_string()) Refuse(fmt::format("the manifest lacks {}", name));
  return value->get<std::string>();
}

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

InventoryColumns ReadColumns(std::string_view schema) {
  std::vector<std::string_view> names;
  while (!schema.empty() && names.size() < kColumnsMax) names.push_back(TakeListed(schema));
  const auto find = [&](std::string_view name) -> std::optional<std::size_t> {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
  };
  const auto need = [&](std::string_view name) {
    const auto found = find(name);
    if (!found) {
      Refuse(fmt::format("the inventory has no column {}: let its configuration include it", name));
    }
    return *found;
  };
  InventoryColumns columns;
  columns.count = names.size();
  columns.key = need("Key");
  columns.size = need("Size");
  columns.modified = need("LastModifiedDate");
  columns.etag = need("ETag");
  columns.storage_class = find("StorageClass");
  columns.version_id = find("VersionId");
  columns.is_latest = find("IsLatest");
  columns.is_delete_marker = find("IsDeleteMarker");
  return columns;
}

InventoryFile ReadFile(const Json& json) {
  InventoryFile file;
  file.key = Text(json, "key");
  file.md5 = Lower(Text(json, "MD5checksum"));
  const Json* const size = Member(json, "size");
  const bool good = size != nullptr && size->is_number_unsigned() && !file.key.empty() &&
                    file.md5.size() == kMd5HexBytes;
  if (!good) Refuse("the manifest names a file without key, size or MD5checksum");
  file.size_bytes = size->get<std::uint64_t>();
  return file;
}

std::int64_t ReadTime(const std::string& text) {
  const auto ms = ParseNumber<std::int64_t>(text);
  if (!ms || *ms < 0) Refuse("the manifest says no time as creationTimestamp");
  return *ms;
}

}  // namespace

InventoryManifest ParseInventoryManifest(std::string_view body) {
  bool too_deep = false;
  const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDepthMax;
    return !too_deep;
  };
  const Json json = Json::parse(body, shallow, /*allow_exceptions=*/false);
  if (too_deep || !json.is_object()) Refuse("this is no manifest of an inventory");
  InventoryManifest manifest;
  manifest.source_bucket = Text(json, "sourceBucket");
  manifest.created_ms = ReadTime(Text(json, "creationTimestamp"));
  if (const std::string format = Text(json, "fileFormat"); format != "CSV") {
    Refuse(fmt::format("the inventory's files are {}: have it written as CSV",
                       EscapeBytes(std::string_view(format).substr(0, 40))));
  }
  manifest.columns = ReadColumns(Text(json, "fileSchema"));
  const Json* const files = Member(json, "files");
  if (files == nullptr || !files->is_array()) Refuse("the manifest lacks files");
  for (const Json& file : *files) manifest.files.push_back(ReadFile(file));
  return manifest;
}

}  // namespace ferry
