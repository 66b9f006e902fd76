// What the exporter's tests share: a configuration, and reading a page.
#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "batch/config/config.h"

namespace ferry::test {

inline TaskConfig MakeTask(const std::string& name) {
  TaskConfig task;
  task.name = name;
  task.source = {"overseas", "media-src", "in/"};
  task.destination = {"china", "media-dst", "from-partner/"};
  task.interval = std::chrono::hours(1);
  return task;
}

inline Config MakeConfig(const std::vector<std::string>& tasks) {
  Config config;
  for (const std::string& name : tasks) config.tasks.push_back(MakeTask(name));
  return config;
}

// The value of the one sample that begins with `sample` ("name{labels}"), as text; "absent"
// otherwise.
inline std::string ValueOf(const std::string& page, const std::string& sample) {
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(sample + " ")) return line.substr(sample.size() + 1);
  }
  return "absent";
}

inline std::string OfTask(std::string_view name, const std::string& task = "media") {
  return "bucketferry_" + std::string(name) + "{task=\"" + task + "\"}";
}

}  // namespace ferry::test
