#include "batch/downstream/command_call.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>

#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/downstream/child_process.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;

// How soon a stop is heard while the program says nothing.
constexpr milliseconds kLookEvery{100};
// After SIGTERM and before SIGKILL.
constexpr milliseconds kGrace{2000};

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

// A NUL ends a variable for the program that reads it.
std::string WithoutNul(std::string text) {
  std::erase(text, '\0');
  return text;
}

std::vector<std::string> EnvironmentOf(const Occasion& occasion, const Environment& ours) {
  std::vector<std::string> environment;
  for (const char* const name : {"PATH", "HOME", "LANG", "TZ"}) {
    if (const auto value = ours.Get(name)) environment.push_back(name + ("=" + *value));
  }
  for (const auto& [name, value] : FactsOf(occasion)) {
    environment.push_back("BUCKETFERRY_" + Upper(name) + "=" + WithoutNul(value));
  }
  environment.push_back("BUCKETFERRY_IDEMPOTENCY_KEY=" + occasion.idempotency_key);
  environment.push_back("BUCKETFERRY_JSON=" + WithoutNul(JsonOf(occasion)));
  return environment;
}

std::string HowItEnded(int status) {
  if (WIFEXITED(status)) return fmt::format("exit code {}", WEXITSTATUS(status));
  return fmt::format("ended by signal {}", WTERMSIG(status));
}

}  // namespace

RefreshOutcome CommandCall::Make(const Occasion& occasion, milliseconds timeout,
                                 const std::stop_token& stop) {
  const SteadyTime deadline = clock_.SteadyNow() + timeout;
  if (stop.stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
  ChildProcess child(target_.argv, EnvironmentOf(occasion, environment_));
  std::optional<int> status;
  while (!status && !stop.stop_requested() && clock_.SteadyNow() < deadline) {
    status = child.Wait(kLookEvery);
  }
  if (!status) {
    child.Terminate();
    const SteadyTime end = clock_.SteadyNow() + kGrace;
    while (!child.Wait(kLookEvery) && clock_.SteadyNow() < end) continue;
    if (stop.stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
    throw Error(ErrorKind::kUnavailable,
                fmt::format("{}: not done within {}", name_,
                            HumanTime(std::chrono::duration<double>(timeout).count())));
  }
  if (*status == 0) return RefreshOutcome::kDone;
  const std::string line = OneLine(child.LastLine());
  throw Error(ErrorKind::kUnavailable, fmt::format("{}: {}{}{}", name_, HowItEnded(*status),
                                                   line.empty() ? "" : ": ", line));
}

}  // namespace ferry
