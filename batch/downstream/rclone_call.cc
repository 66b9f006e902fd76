#include "batch/downstream/rclone_call.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "batch/base/error.h"
#include "batch/base/human.h"

namespace ferry {
namespace {

using Json = nlohmann::json;

// "", "a", "a/b" of "a/b/c".
std::vector<std::string> ParentsOf(const std::string& dir) {
  std::vector<std::string> parents;
  if (dir.empty()) return parents;
  parents.emplace_back();
  for (std::size_t slash = dir.find('/'); slash != std::string::npos;
       slash = dir.find('/', slash + 1)) {
    if (slash > 0) parents.push_back(dir.substr(0, slash));
  }
  return parents;
}

std::string WithoutOuterSlashes(const std::string& dir) {
  const std::size_t first = dir.find_first_not_of('/');
  if (first == std::string::npos) return {};
  return dir.substr(first, dir.find_last_not_of('/') - first + 1);
}

}  // namespace

void RcloneCall::Refresh(const std::vector<std::string>& dirs, bool recursive,
                         std::chrono::milliseconds timeout, const std::stop_token& stop) const {
  Json what = Json::object();
  if (!target_.fs.empty()) what["fs"] = target_.fs;
  if (recursive) what["recursive"] = "true";
  for (std::size_t i = 0; i < dirs.size(); ++i) {
    what["dir" + (i == 0 ? std::string() : std::to_string(i + 1))] = dirs[i];
  }
  const std::string body = what.dump();
  HttpRequest request;
  request.method = Method::kPost;
  request.url = plain_.url + "/vfs/refresh";
  request.headers = {{"content-type", "application/json"}, {"user-agent", "bucketferry"}};
  if (!plain_.authorization.empty()) {
    request.headers.emplace_back("authorization", plain_.authorization);
  }
  request.body = body;
  const std::string name = name_ + ": vfs/refresh";
  const HttpAnswer answer = SendAndWait(name, request, clock_, {.timeout = timeout}, stop);
  ExpectSuccess(name, answer);

  // {"result": {"dir": "OK"}}: an error of a directory comes with 200, too.
  const Json parsed = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  const bool has_results =
      parsed.is_object() && parsed.contains("result") && parsed.at("result").is_object();
  if (!has_results) throw Error(ErrorKind::kUnavailable, name + ": an answer without a result");
  for (const auto& [dir, result] : parsed.at("result").items()) {
    const std::string text = result.is_string() ? result.get<std::string>() : result.dump();
    if (text == "OK" || text == "file does not exist") continue;
    throw Error(ErrorKind::kUnavailable, name + ": " + OneLine(text));
  }
}

RefreshOutcome RcloneCall::Make(const Occasion&, std::chrono::milliseconds timeout,
                                const std::stop_token& stop) {
  const SteadyTime deadline = clock_.SteadyNow() + timeout;
  const std::string dir = WithoutOuterSlashes(target_.dir);
  if (!dir.empty()) Refresh(ParentsOf(dir), /*recursive=*/false, timeout, stop);
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.SteadyNow());
  // Without a directory the top is meant.
  Refresh(dir.empty() ? std::vector<std::string>() : std::vector<std::string>{dir},
          /*recursive=*/true, std::max(left, std::chrono::milliseconds(1000)), stop);
  return RefreshOutcome::kDone;
}

}  // namespace ferry
