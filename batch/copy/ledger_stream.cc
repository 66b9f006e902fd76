#include "batch/copy/ledger_stream.h"

namespace ferry {
namespace {

constexpr std::int64_t kLedgerPageRows = 5000;

}  // namespace

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
