#include "batch/downstream/rclone_call.h"

#include <nlohmann/json.hpp>

#include "batch/base/error.h"
#include "batch/base/human.h"

namespace ferry {
namespace {

using Json = nlohmann::json;

}  // namespace

std::string RcloneCall::Ask(const std::string& command, const std::string& body,
                            std::chrono::milliseconds timeout, const std::stop_token& stop) const {
  HttpRequest request;
  request.method = Method::kPost;
  request.url = plain_.url + "/" + command;
  request.headers = {{"content-type", "application/json"}, {"user-agent", "bucketferry"}};
  if (!plain_.authorization.empty()) {
    request.headers.emplace_back("authorization", plain_.authorization);
  }
  request.body = body;
  HttpAnswer answer = SendAndWait(name_ + ": " + command, request, clock_, timeout, stop);
  ExpectSuccess(name_ + ": " + command, answer);
  return std::move(answer.body);
}

RefreshOutcome RcloneCall::Make(const Occasion&, std::chrono::milliseconds timeout,
                                const std::stop_token& stop) {
  const SteadyTime deadline = clock_.SteadyNow() + timeout;
  Json what = Json::object();
  if (!target_.fs.empty()) what["fs"] = target_.fs;
  // Without a directory everything is forgotten; to refresh, the top is named by an empty one.
  Json forget = what;
  if (!target_.dir.empty()) forget["dir"] = target_.dir;
  Ask("vfs/forget", forget.dump(), timeout, stop);

  what["recursive"] = "true";
  if (!target_.dir.empty()) what["dir"] = target_.dir;
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.SteadyNow());
  const std::string answer =
      Ask("vfs/refresh", what.dump(), std::max(left, std::chrono::milliseconds(1000)), stop);

  // {"result": {"dir": "OK"}}: an error of a directory comes with 200, too. One that does not exist
  // has nothing that could be old.
  const Json parsed = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
  const auto results = parsed.is_object() ? parsed.find("result") : parsed.end();
  if (!parsed.is_object() || results == parsed.end() || !results->is_object()) {
    throw Error(ErrorKind::kUnavailable, name_ + ": vfs/refresh: an answer without a result");
  }
  for (const auto& [dir, result] : results->items()) {
    const std::string text = result.is_string() ? result.get<std::string>() : result.dump();
    if (text == "OK" || text == "file does not exist") continue;
    throw Error(ErrorKind::kUnavailable, name_ + ": vfs/refresh: " + OneLine(text));
  }
  return RefreshOutcome::kDone;
}

}  // namespace ferry
