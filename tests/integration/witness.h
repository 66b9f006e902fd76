// Witness: the independent S3 client (s3.py), one process for a test: to start it takes longer than
// what it is asked.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/integration/child.h"

namespace ferry::test {

class Witness {
 public:
  Witness(const std::map<std::string, std::string>& environment, const std::filesystem::path& dir)
      : ask_(OpenPipe(dir / "ask")),
        answer_(OpenPipe(dir / "answer")),
        child_({"/usr/bin/python3", FERRY_SOURCE_DIR "/tests/integration/s3.py", dir / "ask",
                dir / "answer"},
               environment, dir) {}
  ~Witness() {
    close(ask_);
    close(answer_);
  }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  // What it printed. Throws what it threw.
  std::string Ask(const std::vector<std::string>& words) {
    const std::string question = nlohmann::json(words).dump() + "\n";
    for (std::size_t sent = 0; sent < question.size();) {
      const ssize_t count = write(ask_, question.data() + sent, question.size() - sent);
      if (count < 0) throw std::runtime_error("the S3 client takes no question");
      sent += static_cast<std::size_t>(count);
    }
    const auto answer = nlohmann::json::parse(ReadLine());
    if (!answer.is_string()) throw std::runtime_error(question + answer.dump());
    return answer;
  }

 private:
  // For reading and writing: opening it waits for nobody.
  static int OpenPipe(const std::filesystem::path& path) {
    if (mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("mkfifo " + path.string());
    return open(path.c_str(), O_RDWR | O_CLOEXEC);
  }

  std::string ReadLine() {
    constexpr int kPatienceMs = 600000;  // of tens of thousands of objects, one by one
    std::string line;
    while (!line.ends_with('\n')) {
      pollfd ready{answer_, POLLIN, 0};
      if (poll(&ready, 1, kPatienceMs) != 1) {
        throw std::runtime_error("the S3 client does not answer: " + child_.err());
      }
      char buffer[4096];
      const ssize_t count = read(answer_, buffer, sizeof buffer);
      if (count > 0) line.append(buffer, static_cast<std::size_t>(count));
    }
    return line;
  }

  const int ask_;
  const int answer_;
  Child child_;
};

}  // namespace ferry::test
