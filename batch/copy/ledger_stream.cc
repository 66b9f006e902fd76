#include "batch/copy/ledger_stream.h"

namespace ferry {
namespace {

constexpr std::int64_t kLedgerPageRows = 5000;

}  // namespace

LedgerStream::LedgerStream(Read read, std::string prefix, When when)
    : read_(std::move(read)), prefix_(std::move(prefix)), when_(when), at_end_(!read_) {}

const LedgerEntry* LedgerStream::Peek() {
  if (position_ == page_.size() && !at_end_) TakePage();
  return position_ == page_.size() ? nullptr : &page_[position_];
}

void LedgerStream::TakePage() {
  page_ = next_.valid() ? next_.get() : read_(last_, kLedgerPageRows);
  position_ = 0;
  at_end_ = page_.size() < static_cast<std::size_t>(kLedgerPageRows);
  if (!page_.empty()) last_ = page_.back().key;
  if (!at_end_ && when_ == When::kAhead) {
    next_ = std::async(std::launch::async, read_, last_, kLedgerPageRows);
  }
  for (LedgerEntry& entry : page_) {
    entry.key = Key(entry.key.bytes().substr(std::min(prefix_.size(), entry.key.bytes().size())));
  }
}

}  // namespace ferry
