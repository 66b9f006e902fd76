#include "batch/copy/object_stream.h"

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::int64_t kLedgerPageRows = 5000;

ListedEntry ToEntry(ListedObject& object) {
  ListedEntry entry;
  entry.key = std::move(object.key);
  entry.etag = std::move(object.etag);
  entry.size_bytes = object.size_bytes;
  entry.modified_ms = object.last_modified_ms;
  entry.archived = IsArchiveClass(object.storage_class);
  return entry;
}

}  // namespace

ListingStream::ListingStream(EventLoop& loop, ObjectStore& store, std::string prefix,
                             std::string what, VersionPolicy versions)
    : loop_(loop),
      store_(store),
      prefix_(std::move(prefix)),
      what_(std::move(what)),
      versions_(versions) {
  FetchNext(std::nullopt);
}

ListingStream::~ListingStream() {
  if (coming_.valid()) coming_.wait();
}

Task<ListingStream::Page> ListingStream::FetchObjects(std::optional<Cursor> from) {
  ListRequest request;
  request.prefix = prefix_;
  if (from) request.continuation_token = from->token;
  ListPage listed = co_await store_.List(request);
  Page page;
  page.entries.reserve(listed.objects.size());
  for (ListedObject& object : listed.objects) page.entries.push_back(ToEntry(object));
  if (listed.truncated) page.next = Cursor{listed.continuation_token.value_or(""), ""};
  co_return page;
}

Task<ListingStream::Page> ListingStream::FetchVersions(std::optional<Cursor> from) {
  ListVersionsRequest request;
  request.prefix = prefix_;
  if (from) {
    request.key_marker = from->token;
    request.version_id_marker = from->version;
  }
  ListVersionsPage listed = co_await store_.ListVersions(request);
  Page page;
  for (ListedVersion& one : listed.versions) {
    if (!one.latest || one.delete_marker) continue;
    page.entries.push_back(ToEntry(one.object));
    page.entries.back().version = std::move(one.version_id);
  }
  if (listed.truncated) page.next = Cursor{listed.next_key_marker, listed.next_version_id_marker};
  co_return page;
}

void ListingStream::FetchNext(const std::optional<Cursor>& from) {
  std::function<Task<Page>()> make = [this, from] {
    return versions_ == VersionPolicy::kCompared ? FetchVersions(from) : FetchObjects(from);
  };
  coming_ = loop_.Submit(std::move(make));
}

const ListedEntry* ListingStream::Peek() {
  while (position_ == page_.size() && !at_end_) TakePage();
  return position_ == page_.size() ? nullptr : &page_[position_];
}

void ListingStream::Next() { position_ += 1; }

// Cursors that come again never end; pages of delete markers alone have no keys that would show it.
// Brent's algorithm ("An improved Monte Carlo factorization algorithm", 1980, section 3): of a ring
// of N pages it sees 3 N at most.
bool ListingStream::GoesRound(const Cursor& next) {
  if (next == kept_cursor_) return true;
  if (++pages_since_kept_ < pages_until_kept_) return false;
  kept_cursor_ = next;
  pages_since_kept_ = 0;
  pages_until_kept_ *= 2;
  return false;
}

void ListingStream::TakePage() {
  Page page = coming_.get();
  if (page.next) {
    if (page.next->token.empty() || GoesRound(*page.next)) {
      throw Error(ErrorKind::kCorrupt, what_ + ": the listing says that it goes on, but not where");
    }
    FetchNext(page.next);
  } else {
    at_end_ = true;
  }
  page_.clear();
  page_.reserve(page.entries.size());
  position_ = 0;
  for (ListedEntry& entry : page.entries) {
    if (!entry.key.StartsWith(prefix_)) {
      throw Error(ErrorKind::kCorrupt,
                  what_ + ": the listing has a key outside its prefix: " + Escape(entry.key));
    }
    // The latest version of a key may be deleted between two pages: the next one is it then, too.
    if (last_ && versions_ == VersionPolicy::kCompared && *last_ == entry.key) continue;
    if (last_ && !(*last_ < entry.key)) {
      throw Error(ErrorKind::kCorrupt,
                  what_ + ": the listing is not in key order at " + Escape(entry.key));
    }
    last_ = entry.key;
    entry.key = Key(entry.key.bytes().substr(prefix_.size()));
    page_.push_back(std::move(entry));
  }
}

LedgerStream::LedgerStream(Read read, std::string prefix)
    : read_(std::move(read)), prefix_(std::move(prefix)), at_end_(!read_) {}

const LedgerEntry* LedgerStream::Peek() {
  if (position_ == page_.size() && !at_end_) {
    page_ = read_(last_, kLedgerPageRows);
    position_ = 0;
    at_end_ = page_.size() < static_cast<std::size_t>(kLedgerPageRows);
    if (!page_.empty()) last_ = page_.back().key;
    for (LedgerEntry& entry : page_) {
      entry.key = Key(entry.key.bytes().substr(std::min(prefix_.size(), entry.key.bytes().size())));
    }
  }
  return position_ == page_.size() ? nullptr : &page_[position_];
}

}  // namespace ferry
