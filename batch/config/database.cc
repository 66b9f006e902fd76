// `database`: embedded, or the URI of a PostgreSQL.

#include <algorithm>
#include <charconv>

#include "batch/base/error.h"
#include "batch/config/sections.h"

namespace ferry {
namespace {

using yaml::Value;

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorKind::kConfig, why); }

bool IsHost(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-%[]:").find(c) != std::string_view::npos;
  });
}

// host[:port], one of a list; a host may be empty (the local socket). What is not one may be the
// rest of a password that holds an unescaped : or /.
void CheckHost(std::string_view host) {
  const std::size_t colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  const std::string_view port =
      colon == std::string_view::npos ? std::string_view() : host.substr(colon + 1);
  if (!IsHost(host.substr(0, colon))) Refuse("the host is not a name or an address");
  if (port.empty()) return;
  unsigned number = 0;
  const char* end = port.data() + port.size();
  const auto [stopped, error] = std::from_chars(port.data(), end, number);
  if (error != std::errc{} || stopped != end || number == 0 || number > 65535) {
    Refuse("the port is not a number from 1 to 65535");
  }
}

}  // namespace

DatabaseConfig ParseDatabase(const std::string& text) {
  DatabaseConfig database;
  if (text == "embedded") return database;
  std::string_view rest = text;
  const std::size_t scheme = rest.find("://");
  const bool known = rest.starts_with("postgresql://") || rest.starts_with("postgres://");
  if (!known) Refuse("must be embedded or postgresql://...");
  rest.remove_prefix(scheme + 3);
  if (std::count(rest.begin(), rest.end(), '@') > 1) {
    Refuse("an @ in a user, password or option is written %40");
  }
  std::string_view hosts = rest.substr(0, rest.find_first_of("/?"));
  const std::string_view after = rest.substr(hosts.size());
  if (after.find('@') != std::string_view::npos) {
    Refuse("a / ? or @ in a user, password or option is written %2F, %3F, %40");
  }
  const std::size_t at = hosts.find('@');
  if (at != std::string_view::npos) hosts.remove_prefix(at + 1);
  for (std::string_view list = hosts; !list.empty();) {
    const std::string_view host = list.substr(0, list.find(','));
    CheckHost(host);
    list.remove_prefix(std::min(list.size(), host.size() + 1));
  }
  database.kind = DatabaseConfig::Kind::kExternal;
  database.uri = Secret(text);
  database.shown = "postgresql://";
  database.shown.append(hosts).append(after.substr(0, after.find('?')));
  return database;
}

DatabaseConfig ReadDatabase(const Value& value) {
  const std::string text = value.Text();
  try {
    return ParseDatabase(text);
  } catch (const Error& error) {
    value.Fail(error.what());
  }
}

}  // namespace ferry
