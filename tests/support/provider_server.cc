#include "tests/support/provider_server.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <stdexcept>
#include <vector>

extern char** environ;

namespace ferry::test {
namespace {

// Up to the end of a line.
std::string ReadLine(int from) {
  std::string line;
  char c = 0;
  while (read(from, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

std::filesystem::path Program() {
  const std::filesystem::path folder = std::filesystem::path(FERRY_SOURCE_DIR) / "tests/servers";
  const std::filesystem::path file = folder / "provider_server.py";
  return std::filesystem::exists(file) ? file : folder / "provider_server";
}

}  // namespace

ProviderServer& ProviderServer::Instance() {
  static ProviderServer server;
  return server;
}

ProviderServer::ProviderServer() {
  std::array<int, 2> input{};
  std::array<int, 2> output{};
  if (pipe2(input.data(), O_CLOEXEC) != 0 || pipe2(output.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe for the provider server");
  }
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input[0], 0);
  posix_spawn_file_actions_adddup2(&files, output[1], 1);
  const std::string program = Program();
  std::vector<std::string> words = {"/usr/bin/python3", "-B", program};
  std::vector<char*> command;
  for (std::string& word : words) command.push_back(word.data());
  command.push_back(nullptr);
  const int failed =
      posix_spawn(&process_, words.front().c_str(), &files, nullptr, command.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  close(input[0]);
  close(output[1]);
  input_ = input[1];
  const std::string line = failed == 0 ? ReadLine(output[0]) : std::string();
  close(output[0]);
  if (!line.starts_with("port ")) throw std::runtime_error("the provider server did not start");
  port_ = std::stoi(line.substr(5));
}

ProviderServer::~ProviderServer() {
  close(input_);
  waitpid(process_, nullptr, 0);
}

std::string ProviderServer::Endpoint(const std::string& provider) const {
  return "http://" + provider + ".localhost:" + std::to_string(port_);
}

}  // namespace ferry::test
