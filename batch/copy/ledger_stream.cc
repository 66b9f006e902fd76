#include "batch/copy/ledger_stream.h"

#include <algorithm>

namespace ferry {
namespace {

constexpr std::int64_t kPageRowsMax = 5000;
constexpr std::int64_t kPageRowsMin = 20;

// A key before `key`, with as good as nothing between them.
Key JustBefore(const Key& key) {
  std::string bytes = key.bytes();
  if (bytes.empty()) return Key();
  const auto last = static_cast<unsigned char>(bytes.back());
  bytes.pop_back();
  if (last > 0) bytes.append({static_cast<char>(last - 1), '\xff'});
  return Key(std::move(bytes));
}

}  // namespace

LedgerStream::LedgerStream(Read read, std::string prefix, When when)
    : read_(std::move(read)), prefix_(std::move(prefix)), when_(when), at_end_(!read_) {}

const LedgerEntry* LedgerStream::At(const Key& key) {
  while (true) {
    while (position_ < page_.size() && page_[position_].key < key) position_ += 1;
    if (position_ < page_.size()) {
      asked_of_page_ += 1;
      return page_[position_].key == key ? &page_[position_] : nullptr;
    }
    if (at_end_) return nullptr;
    TakePage(Key(prefix_ + key.bytes()));
  }
}

void LedgerStream::TakePage(const Key& key) {
  std::int64_t limit = kPageRowsMax;
  if (next_.valid()) {
    page_ = next_.get();
  } else {
    // Of a page that few keys were asked of the next one is shorter: they lie far apart.
    if (!last_.empty()) limit = std::clamp(4 * asked_of_page_, kPageRowsMin, kPageRowsMax);
    page_ = read_(std::max(last_, JustBefore(key)), limit);
  }
  position_ = 0;
  asked_of_page_ = 0;
  at_end_ = page_.size() < static_cast<std::size_t>(limit);
  if (!page_.empty()) last_ = page_.back().key;
  const bool goes_on = !at_end_ && limit == kPageRowsMax && last_ >= key;
  if (goes_on && when_ == When::kAhead) {
    next_ = std::async(std::launch::async, read_, last_, kPageRowsMax);
  }
  for (LedgerEntry& entry : page_) {
    entry.key = Key(entry.key.bytes().substr(std::min(prefix_.size(), entry.key.bytes().size())));
  }
}

}  // namespace ferry
