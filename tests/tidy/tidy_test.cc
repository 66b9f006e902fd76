// What the style asks of every file and a compiler does not: layers, clocks, SQL, sizes.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace ferry {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kColumnsMax = 100;
constexpr std::size_t kLinesMax = 500;

// Layer -> the layers whose headers it may include, beside its own. The order is from the bottom.
const std::map<std::string, std::set<std::string>>& AllowedEdges() {
  static const std::map<std::string, std::set<std::string>> edges = {
      {"batch/base", {}},
      {"batch/provider", {"batch/base"}},
      {"batch/config", {"batch/base", "batch/provider"}},
      {"batch/plan", {"batch/base"}},
      {"batch/store", {"batch/base", "batch/plan", "batch/provider"}},
      {"batch/credentials", {"batch/base", "batch/config", "batch/plan", "batch/store"}},
      {"batch/pg", {"batch/base"}},
      {"batch/queue", {"batch/base", "batch/plan", "batch/pg"}},
      {"batch/listing", {"batch/base", "batch/plan", "batch/provider", "batch/store"}},
      {"batch/copy",
       {"batch/base", "batch/plan", "batch/provider", "batch/pg", "batch/store", "batch/queue",
        "batch/listing"}},
      {"batch/serve", {"batch/base", "batch/config"}},
      {"batch/downstream",
       {"batch/base", "batch/config", "batch/plan", "batch/pg", "batch/queue", "batch/store",
        "batch/credentials"}},
      {"batch/hook",
       {"batch/base", "batch/config", "batch/pg", "batch/queue", "batch/downstream",
        "batch/serve"}},
      {"batch/events",
       {"batch/base", "batch/config", "batch/plan", "batch/queue", "batch/store",
        "batch/credentials", "batch/serve"}},
      {"batch/app",
       {"batch/base", "batch/config", "batch/plan", "batch/provider", "batch/store", "batch/pg",
        "batch/queue", "batch/listing", "batch/copy", "batch/credentials", "batch/downstream",
        "batch/hook", "batch/events"}},
      {"exporter", {"batch/base", "batch/config", "batch/pg", "batch/serve"}},
  };
  return edges;
}

struct File {
  std::string path;  // from the root of the project
  std::vector<std::string> lines;
};

std::vector<File> FilesBelow(const std::vector<std::string>& folders,
                             const std::set<std::string>& extensions) {
  const fs::path root = FERRY_SOURCE_DIR;
  std::vector<File> files;
  for (const std::string& folder : folders) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file() || !extensions.contains(entry.path().extension())) continue;
      File file{fs::relative(entry.path(), root), {}};
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) file.lines.push_back(line);
      files.push_back(std::move(file));
    }
  }
  EXPECT_FALSE(files.empty());
  return files;
}

std::vector<File> ProductCode() { return FilesBelow({"batch", "exporter"}, {".h", ".cc"}); }
std::vector<File> AllCode() {
  return FilesBelow({"batch", "bench", "exporter", "tests"}, {".h", ".cc"});
}

// "batch/store/uri.h" -> "batch/store"; "exporter/main.cc" -> "exporter".
std::string LayerOf(const std::string& path) { return fs::path(path).parent_path(); }

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::size_t CountColumns(const std::string& line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // of UTF-8, one for each character
  }));
}

// Calls found(file, line number, line) for every line.
template <typename Found>
void EachLine(const std::vector<File>& files, Found found) {
  for (const File& file : files) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) found(file, i + 1, file.lines[i]);
  }
}

TEST(Tidy, IncludesFollowTheLayers) {
  EachLine(ProductCode(), [](const File& file, std::size_t number, const std::string& line) {
    if (!line.starts_with("#include \"")) return;
    const std::string included = line.substr(10, line.rfind('"') - 10);
    const std::string from = LayerOf(file.path), to = LayerOf(included);
    ASSERT_TRUE(AllowedEdges().contains(from)) << file.path << " is in no layer";
    EXPECT_TRUE(from == to || AllowedEdges().at(from).contains(to))
        << file.path << ":" << number << ": " << from << " may not include " << included;
    EXPECT_TRUE(fs::exists(fs::path(FERRY_SOURCE_DIR) / included))
        << file.path << ":" << number << ": includes run from the root of the project";
  });
}

TEST(Tidy, OnlyPgKnowsTheDatabaseDriverAndOnlyStoreKnowsCurl) {
  const std::pair<const char*, const char*> owners[] = {
      {"<pqxx", "batch/pg"},     {"<libpq", "batch/pg"},        {"<curl/", "batch/store"},
      {"<expat", "batch/store"}, {"<yaml-cpp", "batch/config"}, {"<prometheus", "exporter"}};
  EachLine(ProductCode(), [&](const File& file, std::size_t number, const std::string& line) {
    if (!line.starts_with("#include <")) return;
    for (const auto& [header, owner] : owners) {
      if (line.find(header) == std::string::npos) continue;
      // The lines of --version and of `check` name the library's version.
      const bool asks_version =
          LayerOf(file.path) == "batch/app" && std::string(header) == "<curl/";
      EXPECT_TRUE(LayerOf(file.path) == owner || asks_version) << file.path << ":" << number;
    }
  });
}

TEST(Tidy, LinesFit) {
  for (const File& file : AllCode()) {
    bool table = false;  // as wide as its columns
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      if (line.find("// clang-format o") != std::string::npos) table = line.ends_with("off");
      EXPECT_TRUE(table || CountColumns(line) <= kColumnsMax) << file.path << ":" << i + 1;
    }
  }
}

TEST(Tidy, LinesHaveNoTabsAndNoTrailingBlanks) {
  EachLine(AllCode(), [](const File& file, std::size_t number, const std::string& line) {
    EXPECT_EQ(line.find('\t'), std::string::npos) << file.path << ":" << number;
    EXPECT_FALSE(line.ends_with(' ')) << file.path << ":" << number;
  });
}

TEST(Tidy, FilesStaySmallEnoughToRead) {
  for (const File& file : AllCode()) EXPECT_LE(file.lines.size(), kLinesMax) << file.path;
}

TEST(Tidy, TimeComesFromAClock) {
  const std::string now = "_clock::now()";
  EachLine(ProductCode(), [&](const File& file, std::size_t number, const std::string& line) {
    if (file.path.starts_with("batch/base/")) return;
    EXPECT_EQ(line.find(now), std::string::npos) << file.path << ":" << number;
  });
}

TEST(Tidy, HeadersAreIncludedOnce) {
  for (const File& file : AllCode()) {
    if (!file.path.ends_with(".h")) continue;
    EXPECT_NE(std::find(file.lines.begin(), file.lines.end(), "#pragma once"), file.lines.end())
        << file.path;
  }
}

// Two types of one name in one namespace are one type to the linker: their inline functions are
// merged, and a vector of one is grown as if it held the other.
TEST(Tidy, OneNameIsOneType) {
  std::map<std::string, std::string> defined;
  for (const File& file : AllCode()) {
    if (!file.path.ends_with(".h")) continue;
    std::string space;
    for (const std::string& line : file.lines) {
      std::istringstream words(line);
      std::string word, name;
      words >> word;
      if (word == "enum") words >> word;
      words >> name;
      if (line.starts_with("namespace ")) space = name;
      const bool type = line.starts_with("struct ") || line.starts_with("class ") ||
                        line.starts_with("enum class ");
      if (!type || line.ends_with(';') || name.find('<') != std::string::npos) continue;
      const auto [other, is_new] = defined.emplace(space + "::" + name, file.path);
      EXPECT_TRUE(is_new || other->second == file.path)
          << space << "::" << name << " is defined in " << other->second << " and " << file.path;
    }
  }
  EXPECT_GT(defined.size(), 50U);
}

TEST(Tidy, SqlStandsInSqlFiles) {
  EachLine(ProductCode(), [](const File& file, std::size_t number, const std::string& line) {
    if (file.path.starts_with("batch/pg/")) return;
    const std::string lower = Lower(line);
    for (const char* begin : {"\"select ", "\"insert into ", "\"update ", "\"delete from ",
                              "\"create table ", "\"with "}) {
      // Words may begin a sentence; statements name our schema or a table by "from" or "set".
      const std::size_t at = lower.find(begin);
      if (at == std::string::npos) continue;
      const std::string rest = lower.substr(at);
      const bool statement = rest.find(" from ") != std::string::npos ||
                             rest.find(" set ") != std::string::npos ||
                             rest.find("bucketferry.") != std::string::npos ||
                             rest.find("insert into") != std::string::npos;
      EXPECT_FALSE(statement) << file.path << ":" << number << ": " << line;
    }
  });
}

// All names "queries/..." and "metrics/..." in the code.
std::set<std::string> NamedStatements() {
  std::set<std::string> names;
  EachLine(ProductCode(), [&](const File&, std::size_t, const std::string& line) {
    for (std::size_t at = line.find("\"queries/"); at != std::string::npos;
         at = line.find("\"queries/", at + 1)) {
      names.insert(line.substr(at + 1, line.find('"', at + 1) - at - 1));
    }
  });
  return names;
}

std::set<std::string> StatementFiles() {
  std::set<std::string> files;
  for (const File& file : FilesBelow({"sql/queries"}, {".sql"})) {
    files.insert("queries/" + fs::path(file.path).stem().string());
  }
  return files;
}

TEST(Tidy, EveryStatementIsUsedAndEveryUsedStatementIsThere) {
  const std::set<std::string> named = NamedStatements(), files = StatementFiles();
  for (const std::string& file : files) {
    EXPECT_TRUE(named.contains(file)) << "sql/" << file << ".sql is used nowhere";
  }
  for (const std::string& name : named) {
    EXPECT_TRUE(files.contains(name)) << "there is no sql/" << name << ".sql";
  }
}

TEST(Tidy, StatementsSayWhatTheyAreForAndNameTheSchema) {
  for (const File& file : FilesBelow({"sql/queries"}, {".sql"})) {
    ASSERT_FALSE(file.lines.empty()) << file.path;
    EXPECT_TRUE(file.lines[0].starts_with("-- ")) << file.path;
    const bool names = std::any_of(file.lines.begin(), file.lines.end(), [](const auto& line) {
      return line.find("bucketferry.") != std::string::npos ||
             line.find("pg_catalog.") != std::string::npos;  // which nothing can stand before
    });
    EXPECT_TRUE(names) << file.path << ": no object of the schema is named";
  }
}

TEST(Tidy, TestsStandWhereTheirCodeStands) {
  for (const File& file : FilesBelow({"tests"}, {".cc"})) {
    const std::string name = fs::path(file.path).filename();
    if (!name.ends_with("_test.cc")) continue;
    const std::string folder = LayerOf(file.path).substr(std::string("tests/").size());
    const bool mirrors = folder == "tidy" || folder == "fuzz" || folder == "integration" ||
                         folder == "exporter" || folder == "bench/wan" ||
                         AllowedEdges().contains("batch/" + folder);
    EXPECT_TRUE(mirrors) << file.path << ": no layer of that name";
  }
}

TEST(Tidy, NothingIsNamedAfterNothing) {
  for (const File& file : AllCode()) {
    const std::string lower = Lower(file.path);
    for (const char* word : {"util", "common", "helper", "manager", "misc"}) {
      EXPECT_EQ(lower.find(word), std::string::npos) << file.path;
    }
  }
}

TEST(Tidy, NoTestIsSwitchedOff) {
  const std::string off = std::string("DIS") + "ABLED_";
  EachLine(AllCode(), [&](const File& file, std::size_t number, const std::string& line) {
    EXPECT_EQ(line.find(off), std::string::npos) << file.path << ":" << number;
  });
}

}  // namespace
}  // namespace ferry
