#include "batch/listing/list_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "batch/base/error.h"

namespace ferry {
namespace {

constexpr std::size_t kKeyBytesMax = 1024;
constexpr std::size_t kLineBytesMax = 4 * kKeyBytesMax + 1;  // each byte as \xNN, and a CR
constexpr std::size_t kBufferBytes = 64 << 10;
constexpr std::string_view kTooLong = "the line is longer than a key can be";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

[[noreturn]] void Refuse(const std::filesystem::path& file, std::string_view what) {
  throw Error(ErrorKind::kConfig, fmt::format("{}: {}", EscapeBytes(file.string()), what));
}

// Cuts what it is given into lines, and says of which one an error is.
class Lines {
 public:
  Lines(const std::filesystem::path& file, const std::function<void(std::string_view)>& line)
      : file_(file), line_(line) {}

  void Take(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      held_.append(bytes.substr(0, end));
      if (held_.size() > kLineBytesMax) RefuseLine(kTooLong);
      if (end == std::string_view::npos) return;
      bytes.remove_prefix(end + 1);
      EndLine();
    }
  }
  void End() {
    if (!held_.empty()) EndLine();
  }

 private:
  void EndLine() {
    std::string_view line = held_;
    if (number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    if (line.ends_with('\r')) line.remove_suffix(1);
    try {
      if (line.find_first_not_of(" \t") != std::string_view::npos) line_(line);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConfig) throw;
      RefuseLine(error.what());
    }
    held_.clear();
    number_ += 1;
  }
  [[noreturn]] void RefuseLine(std::string_view what) const {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}:{}: {}", EscapeBytes(file_.string()), number_, what));
  }

  const std::filesystem::path& file_;
  const std::function<void(std::string_view)>& line_;
  std::string held_;
  std::uint64_t number_ = 1;  // of the line that is held
};

// gzread() also reads what is not compressed.
void ReadAll(const std::filesystem::path& file, Lines& lines) {
  if (std::filesystem::is_directory(file)) Refuse(file, "is a folder");
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> source(gzopen(file.c_str(), "rbe"), &gzclose);
  if (!source) Refuse(file, std::string("cannot be read: ") + std::strerror(errno));
  std::array<char, kBufferBytes> buffer;
  while (true) {
    const int got = gzread(source.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
    int problem = Z_OK;
    const char* const text = gzerror(source.get(), &problem);
    if (problem == Z_ERRNO) Refuse(file, std::string("cannot be read: ") + std::strerror(errno));
    if (got < 0 || problem != Z_OK) Refuse(file, std::string("cannot be unpacked: ") + text);
    if (got == 0) break;
    lines.Take({buffer.data(), static_cast<std::size_t>(got)});
  }
  lines.End();
}

SortedRecords Sort(const std::filesystem::path& file, const std::string& prefix,
                   const std::filesystem::path& scratch) {
  RecordSorter sorter(scratch);
  ReadListFile(file, prefix, [&](std::string_view rest) { sorter.Add(rest); });
  return sorter.Finish();
}

}  // namespace

void ReadListFile(const std::filesystem::path& file, const std::string& prefix,
                  const std::function<void(std::string_view rest)>& one) {
  bool any = false;
  const std::function<void(std::string_view)> take = [&](std::string_view line) {
    const Key key = UnescapeKey(line);
    if (key.bytes().size() > kKeyBytesMax) {
      throw Error(ErrorKind::kConfig, std::string(kTooLong));
    }
    if (!key.StartsWith(prefix)) {
      throw Error(ErrorKind::kConfig,
                  Escape(key) + " is not below the source's prefix " + EscapeBytes(prefix));
    }
    any = true;
    one(std::string_view(key.bytes()).substr(prefix.size()));
  };
  Lines lines(file, take);
  ReadAll(file, lines);
  if (!any) Refuse(file, "is empty: nothing would be brought");
}

SortedList::SortedList(const std::filesystem::path& file, const std::string& prefix,
                       const std::filesystem::path& scratch)
    : sorted_(Sort(file, prefix, scratch)) {}

std::vector<Key> SortedList::Take(std::size_t count) {
  std::vector<Key> keys;
  while (keys.size() < count) {
    std::optional<Record> record = sorted_.Next();
    if (!record) break;
    keys.emplace_back(std::move(record->key));
  }
  return keys;
}

}  // namespace ferry
