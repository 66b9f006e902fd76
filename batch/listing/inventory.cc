#include "batch/listing/inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "batch/base/digest.h"
#include "batch/base/error.h"
#include "batch/listing/inventory_manifest.h"
#include "batch/listing/inventory_rows.h"
#include "batch/plan/backoff.h"

namespace ferry {
namespace {

constexpr std::size_t kPageEntries = 1000;
constexpr std::size_t kChecksumBytesMax = 1024;
constexpr int kAttemptsMax = 6;
constexpr std::uint32_t kMiddle = std::uint32_t{1} << 31;  // of what Backoff spreads by
constexpr std::string_view kManifestName = "/manifest.json";

// What a record says beside its key. On this host only, and never longer than this process.
struct Row {
  std::uint64_t size_bytes;
  std::int64_t modified_ms;
  std::uint32_t etag_bytes;
  bool archived;
};

std::string Pack(const ListedEntry& entry) {
  const Row row = {entry.size_bytes, entry.modified_ms,
                   static_cast<std::uint32_t>(entry.etag.size()), entry.archived};
  std::string packed(sizeof row, '\0');
  std::memcpy(packed.data(), &row, sizeof row);
  return packed + entry.etag + entry.version;
}

ListedEntry Unpack(Record record) {
  Row row;
  std::memcpy(&row, record.value.data(), sizeof row);
  ListedEntry entry;
  entry.key = Key(std::move(record.key));
  entry.size_bytes = row.size_bytes;
  entry.modified_ms = row.modified_ms;
  entry.archived = row.archived;
  entry.etag = record.value.substr(sizeof row, row.etag_bytes);
  entry.version = record.value.substr(sizeof row + row.etag_bytes);
  return entry;
}

[[noreturn]] void Refuse(const std::string& key, std::string_view what) {
  throw Error(ErrorKind::kInvalid, fmt::format("inventory {}: {}", EscapeBytes(key), what));
}

class Reader {
 public:
  Reader(ListingPlace place, const InventoryOrder& order) : place_(place), order_(order) {}

  // The newest of those in a folder. Folders are named after times, which is their order
  // (storage-inventory-location: YYYY-MM-DDTHH-MMZ); what lies beside them comes behind.
  Task<std::string> FindManifest() {
    if (!order_.manifest.ends_with('/')) co_return order_.manifest;
    std::string newest;
    ListRequest request;
    request.prefix = order_.manifest;
    while (true) {
      const ListPage page = co_await place_.store.List(request);
      bool beyond = false;
      for (const ListedObject& object : page.objects) {
        const std::string& key = object.key.bytes();
        const std::string_view rest = std::string_view(key).substr(request.prefix.size());
        beyond = rest.empty() || rest[0] < '0' || rest[0] > '9';
        if (beyond) break;
        const bool here = rest.find('/') == rest.size() - kManifestName.size();
        if (rest.ends_with(kManifestName) && here) newest = key;
      }
      if (beyond || !page.truncated) break;
      request.continuation_token = page.continuation_token;
      request.token_is_marker = page.shape == ListShape::kV1;
    }
    if (newest.empty()) Refuse(order_.manifest, "there is no report in this folder");
    co_return newest;
  }

  Task<InventoryManifest> ReadManifest(std::string key) {
    const ObjectHead head = co_await place_.store.Head(Key(key));
    if (head.size_bytes > kManifestBytesMax) Refuse(key, "the manifest is too large");
    manifest_modified_ms_ = head.last_modified_ms;
    const std::string body = co_await ReadWhole(key, head);
    co_await CheckManifest(key, body);
    InventoryManifest manifest;
    try {
      manifest = ParseInventoryManifest(body);
    } catch (const Error& error) {
      Refuse(key, error.what());
    }
    if (manifest.source_bucket != order_.source_bucket) {
      Refuse(key, fmt::format("it is of the bucket {}, and the task's is {}",
                              EscapeBytes(manifest.source_bucket), order_.source_bucket));
    }
    if (order_.names_versions && !manifest.columns.version_id) {
      Refuse(key, "`versions: compared` needs an inventory of all versions");
    }
    co_return manifest;
  }

  Task<Unit> ReadFile(const InventoryFile& file, const InventoryColumns& columns,
                      RecordSorter& sorter) {
    const ObjectHead head = co_await place_.store.Head(Key(file.key));
    if (head.size_bytes != file.size_bytes)
      Refuse(file.key, "its size is not what the manifest says");
    if (head.last_modified_ms > manifest_modified_ms_) {
      Refuse(file.key, "it was written after the manifest that names it");
    }
    GetRequest get;
    get.key = Key(file.key);
    get.if_match = head.etag;
    get.expected_bytes = head.size_bytes;
    Md5 md5;
    InventoryRows rows(columns, [&](const ListedEntry& entry) { Take(entry, sorter); });
    WatchingSink sink([&](std::string_view bytes) {
      md5.Update(bytes);
      rows.Take(bytes);
    });
    std::function<void(const ObjectHead&)> ignore = [](const ObjectHead&) {};
    try {
      co_await place_.store.Get(get, sink, ignore);
      rows.Finish();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorrupt) throw;
      Refuse(file.key, error.what());
    }
    if (ToHex(md5.Finish()) != file.md5) Refuse(file.key, "its MD5 is not what the manifest says");
    co_return Unit{};
  }

 private:
  void Take(const ListedEntry& entry, RecordSorter& sorter) const {
    if (!entry.key.StartsWith(order_.prefix)) return;
    const std::string_view rest = std::string_view(entry.key.bytes()).substr(order_.prefix.size());
    ListedEntry kept = entry;
    if (!order_.names_versions) kept.version.clear();
    sorter.Add(rest, Pack(kept));
  }

  Task<std::string> ReadWhole(std::string key, ObjectHead head) {
    GetRequest get;
    get.key = Key(std::move(key));
    get.if_match = head.etag;
    get.expected_bytes = head.size_bytes;
    MemorySink sink(kManifestBytesMax);
    std::function<void(const ObjectHead&)> ignore = [](const ObjectHead&) {};
    co_await place_.store.Get(get, sink, ignore);
    co_return std::move(sink.body());
  }

  // Beside the manifest lies its MD5, unless somebody copied the report without it.
  Task<Unit> CheckManifest(const std::string& key, const std::string& body) {
    const std::string name = key.substr(0, key.rfind('.')) + ".checksum";
    std::optional<ObjectHead> head;
    try {
      head = co_await place_.store.Head(Key(name));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound) throw;
    }
    if (!head) co_return Unit{};
    if (head->size_bytes > kChecksumBytesMax) Refuse(name, "this is no MD5");
    std::string md5 = co_await ReadWhole(name, *head);
    while (!md5.empty() && (md5.back() == '\n' || md5.back() == '\r')) md5.pop_back();
    if (ToHex(Md5::Of(body)) != md5) Refuse(key, "its MD5 is not what manifest.checksum says");
    co_return Unit{};
  }

  const ListingPlace place_;
  const InventoryOrder& order_;
  std::int64_t manifest_modified_ms_ = 0;
};

// What is read in part is read again: a record that comes twice counts once.
template <typename T>
Task<T> Patiently(EventLoop& loop, std::function<Task<T>()> make) {
  for (int attempt = 1;; ++attempt) {
    try {
      co_return co_await make();
    } catch (const Error& error) {
      if (!IsRetryable(error.kind()) || attempt == kAttemptsMax) throw;
    }
    const bool slept = co_await loop.Sleep(Backoff(attempt, kMiddle));
    if (!slept) throw Error(ErrorKind::kStopped, "stopped");
  }
}

template <typename T>
T On(EventLoop& loop, std::function<Task<T>()> make) {
  return loop.Submit<T>([&] { return Patiently<T>(loop, make); }).get();
}

}  // namespace

Inventory::Inventory(std::string manifest, std::int64_t created_ms, std::uint64_t rows,
                     SortedRecords sorted)
    : manifest_(std::move(manifest)),
      created_ms_(created_ms),
      rows_(rows),
      sorted_(std::move(sorted)) {}

std::unique_ptr<Inventory> Inventory::Read(ListingPlace place, const InventoryOrder& order) {
  Reader reader(place, order);
  const auto key = On<std::string>(place.loop, [&] { return reader.FindManifest(); });
  const auto manifest = On<InventoryManifest>(place.loop, [&] { return reader.ReadManifest(key); });
  RecordSorter sorter(order.scratch);
  for (const InventoryFile& file : manifest.files) {
    On<Unit>(place.loop, [&] { return reader.ReadFile(file, manifest.columns, sorter); });
  }
  const std::uint64_t rows = sorter.added();
  return std::unique_ptr<Inventory>(new Inventory(key, manifest.created_ms, rows, sorter.Finish()));
}

std::vector<ListedEntry> Inventory::TakePage() {
  std::vector<ListedEntry> page;
  while (page.size() < kPageEntries) {
    std::optional<Record> record = sorted_.Next();
    if (!record) break;
    page.push_back(Unpack(std::move(*record)));
  }
  return page;
}

}  // namespace ferry
