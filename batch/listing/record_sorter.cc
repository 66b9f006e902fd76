#include "batch/listing/record_sorter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::size_t kFilesMax = 128;  // then they become one
constexpr std::size_t kFileBuffer = 64 << 10;

[[noreturn]] void ThrowScratch(const std::filesystem::path& scratch, int error) {
  throw Error(ErrorKind::kUnavailable, "cannot sort in " + scratch.string() + ": " +
                                           std::strerror(error) +
                                           "; choose another state_dir, or make room there");
}

// Read and written, without a name from the start.
std::FILE* OpenUnnamed(const std::filesystem::path& scratch) {
  std::error_code problem;
  std::filesystem::create_directories(scratch, problem);
  if (problem) ThrowScratch(scratch, problem.value());
  std::string name = (scratch / "sort-XXXXXX").string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) ThrowScratch(scratch, errno);
  ::unlink(name.c_str());
  std::FILE* file = ::fdopen(descriptor, "w+b");
  if (file == nullptr) {
    ::close(descriptor);
    ThrowScratch(scratch, errno);
  }
  std::setvbuf(file, nullptr, _IOFBF, kFileBuffer);
  return file;
}

}  // namespace

class RecordRun {
 public:
  virtual ~RecordRun() = default;
  virtual std::optional<Record> Next() = 0;
};

namespace {

class FileRun final : public RecordRun {
 public:
  explicit FileRun(const std::filesystem::path& scratch)
      : scratch_(scratch), file_(OpenUnnamed(scratch), &std::fclose) {}

  void Add(const Record& record) {
    const Sizes sizes = {static_cast<std::uint32_t>(record.key.size()),
                         static_cast<std::uint32_t>(record.value.size())};
    Write(sizes.data(), sizeof sizes);
    Write(record.key.data(), record.key.size());
    Write(record.value.data(), record.value.size());
  }
  void Rewind() {
    const bool flushed = std::fflush(file_.get()) == 0;
    if (!flushed || std::fseek(file_.get(), 0, SEEK_SET) != 0) ThrowScratch(scratch_, errno);
  }

  std::optional<Record> Next() override {
    Sizes sizes;
    if (std::fread(sizes.data(), sizeof sizes, 1, file_.get()) != 1) {
      if (std::ferror(file_.get()) != 0) ThrowScratch(scratch_, errno);
      return std::nullopt;
    }
    Record record{std::string(sizes[0], '\0'), std::string(sizes[1], '\0')};
    Read(record.key);
    Read(record.value);
    return record;
  }

 private:
  using Sizes = std::array<std::uint32_t, 2>;  // of key and value, before both

  void Write(const void* bytes, std::size_t size) {
    if (std::fwrite(bytes, 1, size, file_.get()) != size) ThrowScratch(scratch_, errno);
  }
  void Read(std::string& text) {
    if (std::fread(text.data(), 1, text.size(), file_.get()) != text.size()) {
      ThrowScratch(scratch_, errno);
    }
  }

  const std::filesystem::path scratch_;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

}  // namespace

// What never left the memory.
class MemoryRun final : public RecordRun {
 public:
  MemoryRun(std::string text, std::vector<RecordSorter::Place> places)
      : text_(std::move(text)), places_(std::move(places)) {
    std::ranges::stable_sort(places_, {}, [this](const auto& place) { return KeyAt(place); });
  }

  std::optional<Record> Next() override {
    if (next_ == places_.size()) return std::nullopt;
    const RecordSorter::Place& place = places_[next_++];
    const std::string_view value =
        std::string_view(text_).substr(place.begin + place.key_bytes, place.value_bytes);
    return Record{std::string(KeyAt(place)), std::string(value)};
  }

 private:
  std::string_view KeyAt(const RecordSorter::Place& place) const {
    return std::string_view(text_).substr(place.begin, place.key_bytes);
  }

  const std::string text_;
  std::vector<RecordSorter::Place> places_;
  std::size_t next_ = 0;
};

SortedRecords::SortedRecords(std::vector<std::unique_ptr<RecordRun>> runs)
    : runs_(std::move(runs)) {
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (auto record = runs_[i]->Next()) heads_.push_back({std::move(*record), i});
  }
  std::ranges::make_heap(heads_, IsLater);
}
SortedRecords::SortedRecords(SortedRecords&&) noexcept = default;
SortedRecords& SortedRecords::operator=(SortedRecords&&) noexcept = default;
SortedRecords::~SortedRecords() = default;

bool SortedRecords::IsLater(const Head& a, const Head& b) {
  const int order = a.record.key.compare(b.record.key);
  return order != 0 ? order > 0 : a.run > b.run;
}

std::optional<Record> SortedRecords::TakeLeast() {
  if (heads_.empty()) return std::nullopt;
  std::ranges::pop_heap(heads_, IsLater);
  Head& least = heads_.back();
  Record record = std::move(least.record);
  if (auto next = runs_[least.run]->Next()) {
    least.record = std::move(*next);
    std::ranges::push_heap(heads_, IsLater);
  } else {
    heads_.pop_back();
  }
  return record;
}

std::optional<Record> SortedRecords::Next() {
  std::optional<Record> record = TakeLeast();
  while (record && record->key == last_key_) record = TakeLeast();
  if (record) last_key_ = record->key;
  return record;
}

RecordSorter::RecordSorter(std::filesystem::path scratch, std::size_t memory_bytes)
    : scratch_(std::move(scratch)), memory_bytes_(memory_bytes) {}
RecordSorter::~RecordSorter() = default;

void RecordSorter::Add(std::string_view key, std::string_view value) {
  if (!places_.empty() && HeldBytes() + key.size() + value.size() + sizeof(Place) > memory_bytes_) {
    if (files_.size() == kFilesMax) Spill(TakeAll());
    std::vector<std::unique_ptr<RecordRun>> memory;
    memory.push_back(TakeMemory());
    Spill(SortedRecords(std::move(memory)));
  }
  places_.push_back({text_.size(), static_cast<std::uint32_t>(key.size()),
                     static_cast<std::uint32_t>(value.size())});
  text_.append(key).append(value);
  added_ += 1;
}

SortedRecords RecordSorter::Finish() {
  files_.push_back(TakeMemory());
  return TakeAll();
}

std::unique_ptr<RecordRun> RecordSorter::TakeMemory() {
  return std::make_unique<MemoryRun>(std::exchange(text_, {}), std::exchange(places_, {}));
}

// Those in files.
SortedRecords RecordSorter::TakeAll() { return SortedRecords(std::exchange(files_, {})); }

void RecordSorter::Spill(SortedRecords records) {
  auto file = std::make_unique<FileRun>(scratch_);
  while (const std::optional<Record> record = records.Next()) file->Add(*record);
  file->Rewind();
  files_.push_back(std::move(file));
}

}  // namespace ferry
