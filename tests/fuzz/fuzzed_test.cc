// Each fuzzer's promise, held to its corpus and to some thousand mutations of it. Needs no
// libFuzzer and finds what is near; `tests/run --all` lets libFuzzer look further.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

// tests/CMakeLists.txt gives each fuzzer's entry a name of its own.
#define FERRY_FUZZER(name) extern "C" int Fuzz_##name(const std::uint8_t* data, std::size_t size);
#include "tests/fuzz/fuzzers.inc"
#undef FERRY_FUZZER

namespace ferry {
namespace {

namespace fs = std::filesystem;

constexpr int kMutations = 10'000;
constexpr std::size_t kInputBytesMax = 4096;

struct Fuzzer {
  const char* name;
  int (*try_input)(const std::uint8_t* data, std::size_t size);
};

const Fuzzer kFuzzers[] = {
#define FERRY_FUZZER(name) {#name, Fuzz_##name},
#include "tests/fuzz/fuzzers.inc"
#undef FERRY_FUZZER
};

// A promise that is broken aborts the program: say over what.
const std::string* g_input = nullptr;

extern "C" void SayInput(int) {
  constexpr char kDigits[] = "0123456789abcdef";
  constexpr std::string_view kIntro = "the input was, in hex: ";
  std::string_view left = g_input == nullptr ? std::string_view() : *g_input;
  bool written = write(STDERR_FILENO, kIntro.data(), kIntro.size()) > 0;
  for (; written && !left.empty(); left.remove_prefix(1)) {
    const auto byte = static_cast<unsigned char>(left.front());
    const char hex[2] = {kDigits[byte >> 4], kDigits[byte & 15]};
    written = write(STDERR_FILENO, hex, 2) == 2;
  }
  written = written && write(STDERR_FILENO, "\n", 1) == 1;
}

std::vector<std::string> CorpusOf(const std::string& name) {
  std::vector<fs::path> paths;
  for (const auto& entry :
       fs::directory_iterator(fs::path(FERRY_SOURCE_DIR) / "tests/fuzz/corpus" / name)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());  // the same inputs on every machine
  std::vector<std::string> corpus = {""};
  for (const fs::path& path : paths) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    corpus.push_back(text.str());
  }
  return corpus;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string Next() {
    std::string input = corpus_[Below(corpus_.size())];
    for (std::size_t i = Below(8) + 1; i > 0; --i) Change(input);
    input.resize(std::min(input.size(), kInputBytesMax));
    return input;
  }

 private:
  std::size_t Below(std::size_t limit) { return random_() % limit; }

  void Change(std::string& input) {
    // What parsers trip over: ends, quotes, brackets, escapes, signs, and bytes of no text.
    static constexpr char kText[] = "\0\n\r\t \"'\\<>&;%{}[](),:=-+*?/#$!~.0129a\x7f\x80\xc2\xff";
    static constexpr std::string_view kBytes(kText, sizeof kText - 1);
    const std::size_t at = Below(input.size() + 1);
    const std::size_t bytes = Below(std::min<std::size_t>(input.size() - at, 64) + 1);
    switch (Below(6)) {
      case 0: input.insert(at, 1 + Below(3), kBytes[Below(kBytes.size())]); break;
      case 1: input.erase(at, bytes); break;
      case 2: input.insert(at, input.substr(at, bytes)); break;
      case 3: {
        const std::string& other = corpus_[Below(corpus_.size())];
        input.insert(at, other, Below(other.size() + 1), Below(128));
        break;
      }
      case 4:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << Below(8)));
        break;
      default:
        if (at < input.size()) input[at] = kBytes[Below(kBytes.size())];
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937 random_;  // of the standard's own seed: every run tries the same
};

class Fuzzed : public testing::TestWithParam<Fuzzer> {
 protected:
  Fuzzed() { before_ = signal(SIGABRT, SayInput); }
  ~Fuzzed() override {
    signal(SIGABRT, before_);
    g_input = nullptr;
  }
  void Try(const std::string& input) {
    g_input = &input;
    GetParam().try_input(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  }

 private:
  void (*before_)(int);
};

TEST_P(Fuzzed, KeepsItsPromiseForTheCorpusAndWhatIsNearIt) {
  const std::vector<std::string> corpus = CorpusOf(GetParam().name);
  ASSERT_GT(corpus.size(), 1U) << "tests/fuzz/corpus/" << GetParam().name << " is empty";
  for (const std::string& input : corpus) Try(input);
  Mutator mutator(corpus);
  for (int i = 0; i < kMutations; ++i) {
    const std::string input = mutator.Next();
    Try(input);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Fuzzed, testing::ValuesIn(kFuzzers),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace ferry
