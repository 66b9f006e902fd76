#include "batch/listing/entry_of.h"

#include <utility>

namespace ferry {

ListedEntry EntryOf(ListedObject object, Key key) {
  ListedEntry entry;
  entry.key = std::move(key);
  entry.etag = std::move(object.etag);
  entry.size_bytes = object.size_bytes;
  entry.modified_ms = object.last_modified_ms;
  entry.archived = IsArchiveClass(object.storage_class) && !object.restored;
  return entry;
}

ListedEntry EntryOf(const ObjectHead& head, Key key) {
  ListedEntry entry;
  entry.key = std::move(key);
  entry.etag = head.etag;
  entry.size_bytes = head.size_bytes;
  entry.modified_ms = head.last_modified_ms;
  entry.archived = head.archived;
  return entry;
}

}  // namespace ferry
