#include "batch/copy/object_stream.h"

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::int64_t kLedgerPageRows = 5000;

ListedEntry ToEntry(ListedObject& object, std::size_t prefix_bytes) {
  ListedEntry entry;
  entry.key = Key(object.key.bytes().substr(prefix_bytes));
  entry.etag = std::move(object.etag);
  entry.size_bytes = object.size_bytes;
  entry.modified_ms = object.last_modified_ms;
  entry.archived = IsArchiveClass(object.storage_class);
  return entry;
}

}  // namespace

ListingStream::ListingStream(EventLoop& loop, ObjectStore& store, std::string prefix,
                             std::string what)
    : loop_(loop), store_(store), prefix_(std::move(prefix)), what_(std::move(what)) {
  FetchNext(std::nullopt);
}

ListingStream::~ListingStream() {
  if (coming_.valid()) coming_.wait();
}

void ListingStream::FetchNext(std::optional<std::string> token) {
  ListRequest request;
  request.prefix = prefix_;
  request.continuation_token = std::move(token);
  std::function<Task<ListPage>()> make = [this, request] { return store_.List(request); };
  coming_ = loop_.Submit(std::move(make));
}

const ListedEntry* ListingStream::Peek() {
  while (position_ == page_.size() && !at_end_) TakePage();
  return position_ == page_.size() ? nullptr : &page_[position_];
}

void ListingStream::Next() { position_ += 1; }

void ListingStream::TakePage() {
  ListPage page = coming_.get();
  if (page.truncated) {
    if (!page.continuation_token || page.continuation_token == last_token_) {
      throw Error(ErrorKind::kCorrupt, what_ + ": the listing says that it goes on, but not where");
    }
    last_token_ = page.continuation_token;
    FetchNext(page.continuation_token);
  } else {
    at_end_ = true;
  }
  page_.clear();
  page_.reserve(page.objects.size());
  position_ = 0;
  for (ListedObject& object : page.objects) {
    if (!object.key.StartsWith(prefix_)) {
      throw Error(ErrorKind::kCorrupt,
                  what_ + ": the listing has a key outside its prefix: " + Escape(object.key));
    }
    if (last_ && !(*last_ < object.key)) {
      throw Error(ErrorKind::kCorrupt,
                  what_ + ": the listing is not in key order at " + Escape(object.key));
    }
    last_ = object.key;
    page_.push_back(ToEntry(object, prefix_.size()));
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
