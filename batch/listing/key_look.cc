#include "batch/listing/key_look.h"

#include <future>

#include "batch/base/check.h"
#include "batch/base/error.h"
#include "batch/listing/entry_of.h"

namespace ferry {
namespace {

using Entry = std::optional<ListedEntry>;

// A store may answer pages without a key, and say that there are more.
constexpr int kPagesMax = 100;

[[noreturn]] void ThrowEndless() {
  throw Error(ErrorKind::kCorrupt, "a list of one key has no end");
}

// Keys that begin with a key come after it: it is the first, or not there.
Task<Entry> FindObject(ObjectStore& store, std::string key) {
  ListRequest request;
  request.prefix = key;
  request.keys_max = 1;
  for (int page = 0; page < kPagesMax; ++page) {
    ListPage listed = co_await store.List(request);
    if (!listed.objects.empty()) {
      if (listed.objects.front().key.bytes() != key) co_return std::nullopt;
      co_return EntryOf(std::move(listed.objects.front()), Key(std::move(key)));
    }
    if (!listed.truncated) co_return std::nullopt;
    request.continuation_token = listed.continuation_token.value_or("");
    request.token_is_marker = listed.shape == ListShape::kV1;
  }
  ThrowEndless();
}

// Of the versions of a key the latest comes first; with some vendors, last.
Task<Entry> FindVersion(ObjectStore& store, std::string key) {
  ListVersionsRequest request;
  request.prefix = key;
  request.keys_max = 100;
  for (int page = 0; page < kPagesMax; ++page) {
    ListVersionsPage listed = co_await store.ListVersions(request);
    for (ListedVersion& one : listed.versions) {
      if (one.object.key.bytes() != key) co_return std::nullopt;
      if (!one.latest) continue;
      if (one.delete_marker) co_return std::nullopt;
      ListedEntry entry = EntryOf(std::move(one.object), Key(key));
      entry.version = std::move(one.version_id);
      co_return entry;
    }
    if (!listed.truncated) co_return std::nullopt;
    request.key_marker = listed.next_key_marker;
    request.version_id_marker = listed.next_version_id_marker;
  }
  ThrowEndless();
}

std::future<Entry> Ask(const KeyLook::Bucket& bucket, std::size_t turn, const std::string& rest,
                       VersionPolicy versions) {
  const ListingPlace& place = bucket.places[turn % bucket.places.size()];
  std::string key = bucket.prefix + rest;
  FERRY_CHECK(!key.empty());
  return place.loop.Submit<Entry>([&store = place.store, key = std::move(key), versions] {
    return versions == VersionPolicy::kCompared ? FindVersion(store, key) : FindObject(store, key);
  });
}

Entry Named(Entry entry, const std::string& rest) {
  if (entry) entry->key = Key(rest);
  return entry;
}

}  // namespace

std::vector<SeenKey> KeyLook::LookAt(const std::vector<KeyToLookAt>& keys) const {
  std::vector<std::future<Entry>> source, destination;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const KeyToLookAt& key = keys[i];
    source.push_back(Ask(source_, i, key.rest, versions_));
    destination.push_back(key.only_at_source
                              ? std::future<Entry>()
                              : Ask(destination_, i, key.rest, VersionPolicy::kLatest));
  }
  std::vector<SeenKey> seen(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    // Each is waited for, whatever became of the others: it is still at work on its store.
    try {
      seen[i].source = Named(source[i].get(), keys[i].rest);
    } catch (...) {
      seen[i].error = std::current_exception();
    }
    try {
      if (!keys[i].only_at_source) {
        seen[i].destination = Named(destination[i].get(), keys[i].rest);
      }
    } catch (...) {
      seen[i].error = std::current_exception();
    }
  }
  return seen;
}

}  // namespace ferry
