// RecordSorter: any number of records in the order of their keys, in bounded memory. What does not
// fit lies in unnamed files, which are gone with the process, however it ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry {

struct Record {
  std::string key;
  std::string value;  // belongs to it, whatever it says

  friend bool operator==(const Record&, const Record&) = default;
};

class RecordRun;  // sorted records, one after the other

// What was sorted; each key once, with the value that came first. One thread.
class SortedRecords {
 public:
  SortedRecords(SortedRecords&&) noexcept;
  SortedRecords& operator=(SortedRecords&&) noexcept;
  ~SortedRecords();

  // nullopt at the end. Throws Error{kUnavailable} where a file cannot be read.
  std::optional<Record> Next();

 private:
  friend class RecordSorter;
  explicit SortedRecords(std::vector<std::unique_ptr<RecordRun>> runs);
  std::optional<Record> TakeLeast();

  struct Head {
    Record record;
    std::size_t run;  // of equal keys the earlier one comes first
  };
  static bool IsLater(const Head& a, const Head& b);

  std::vector<std::unique_ptr<RecordRun>> runs_;
  std::vector<Head> heads_;  // a heap: of each run what comes next
  std::optional<std::string> last_key_;
};

// One thread.
class RecordSorter {
 public:
  // `scratch` is a folder, which is made where it is missing; nothing is written there before the
  // records outgrow `memory_bytes`.
  explicit RecordSorter(std::filesystem::path scratch, std::size_t memory_bytes = kMemoryBytes);
  ~RecordSorter();

  // Throws Error{kUnavailable} where the folder cannot be written or is full.
  void Add(std::string_view key, std::string_view value = {});
  std::uint64_t added() const { return added_; }

  // Nothing may be added afterwards.
  SortedRecords Finish();

  static constexpr std::size_t kMemoryBytes = std::size_t{16} << 20;

 private:
  std::size_t HeldBytes() const { return text_.size() + places_.size() * sizeof(Place); }
  std::unique_ptr<RecordRun> TakeMemory();
  SortedRecords TakeAll();
  void Spill(SortedRecords records);

  struct Place {
    std::size_t begin;
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;
  };
  friend class MemoryRun;

  const std::filesystem::path scratch_;
  const std::size_t memory_bytes_;
  std::string text_;  // keys and values, as they came
  std::vector<Place> places_;
  std::vector<std::unique_ptr<RecordRun>> files_;
  std::uint64_t added_ = 0;
};

}  // namespace ferry
