#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <iterator>

#include "batch/base/version.h"
#include "batch/config/units.h"
#include "exporter/status.h"

namespace ferry::exporter {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>bucketferry</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; margin: .5rem 0 1rem; width: 100% }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .6rem; text-align: right }
th:first-child, td:first-child, .text { text-align: left }
td { font-variant-numeric: tabular-nums }
.bad { color: #b00020; font-weight: 600 }
.key { overflow-wrap: anywhere }
footer { color: #666; margin-top: 2rem }
</style>
</head>
<body>
<h1>bucketferry</h1>
)";

using Out = std::back_insert_iterator<std::string>;

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

// Any bytes, as text of a page.
std::string Show(std::string_view bytes) { return EscapeHtml(EscapeBytes(bytes)); }

std::string Place(const BucketPrefix& place) {
  return Show(place.store + "/" + place.bucket + "/" + place.prefix);
}

std::string Bytes(std::int64_t bytes) {
  constexpr std::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; std::abs(value) >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string Duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds);
  if (whole < 60) return fmt::format("{:.1f} s", seconds);
  if (whole < 3600) return fmt::format("{} m {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} m", whole / 3600, whole % 3600 / 60);
}

bool IsBad(const RunStatus& run) {
  return run.state == "failed" || run.state == "incomplete" || run.state == "interrupted";
}

void RenderRun(const RunStatus& run, Out out) {
  fmt::format_to(out,
                 "<tr><td>{}</td><td class=\"{}\">{}{}</td><td class=\"text\">{}</td><td>{}</td>"
                 "<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"{}\">{}</td>"
                 "<td>{}</td><td>{}</td><td>{} / {}</td></tr>\n",
                 run.run, IsBad(run) ? "text bad" : "text", Show(run.state),
                 run.active ? ", active" : "", Show(run.started_at), Duration(run.seconds),
                 run.planned, run.waiting, run.in_flight, run.done, run.adopted,
                 run.dead > 0 ? "bad" : "", run.dead, run.vanished, run.archived,
                 Bytes(run.bytes_done), Bytes(run.bytes_planned));
  if (!run.error.empty()) {
    fmt::format_to(out, "<tr><td></td><td class=\"text bad key\" colspan=\"12\">{}</td></tr>\n",
                   Show(run.error));
  }
}

void RenderDead(const TaskConfig& task, const Status& status, Out out) {
  bool first = true;
  for (const DeadObject& object : status.dead) {
    if (object.task != task.name) continue;
    if (first) {
      fmt::format_to(out,
                     "<h3>Dead in run {}</h3>\n<table><tr><th>Key</th>"
                     "<th class=\"text\">Error</th><th>Attempts</th></tr>\n",
                     object.run);
      first = false;
    }
    fmt::format_to(out,
                   "<tr><td class=\"key\">{}</td><td class=\"text key\">{}</td><td>{}</td></tr>\n",
                   Show(object.key.bytes()), Show(object.error), object.attempts);
  }
  if (!first) fmt::format_to(out, "</table>\n");
}

void RenderTask(const TaskConfig& task, const Status& status, Out out) {
  fmt::format_to(out, "<h2>{}</h2>\n<p>{} &rarr; {}{}</p>\n", Show(task.name), Place(task.source),
                 Place(task.destination),
                 task.interval.count() == 0 ? "" : ", every " + ShowDuration(task.interval));
  bool first = true;
  for (const RunStatus& run : status.runs) {
    if (run.task != task.name) continue;
    if (first) {
      fmt::format_to(out,
                     "<table><tr><th>Run</th><th class=\"text\">State</th>"
                     "<th class=\"text\">Started (UTC)</th><th>Took</th><th>Planned</th>"
                     "<th>Waiting</th><th>In flight</th><th>Done</th><th>Adopted</th>"
                     "<th>Dead</th><th>Vanished</th><th>Archived</th><th>Bytes</th></tr>\n");
      first = false;
    }
    RenderRun(run, out);
  }
  fmt::format_to(out, "{}", first ? "<p>No run yet.</p>\n" : "</table>\n");
  RenderDead(task, status, out);
}

}  // namespace

std::string RenderStatus(const Config& config, const Status& status, Detail detail) {
  std::string page(kHead);
  const Out out = std::back_inserter(page);
  if (!status.problem.empty()) {
    fmt::format_to(out, "<p class=\"bad\">No numbers: {}</p>\n", Show(status.problem));
  } else {
    for (const TaskConfig& task : config.tasks) RenderTask(task, status, out);
    if (detail == Detail::kPublic) {
      fmt::format_to(out,
                     "<p>Keys and error texts are shown to requests from this host, or with "
                     "a bearer token (BUCKETFERRY_STATUS_TOKEN).</p>\n");
    }
  }
  fmt::format_to(out,
                 "<footer><a href=\"/metrics\">Metrics</a> &middot; "
                 "<a href=\"/-/healthy\">healthy</a> &middot; <a href=\"/-/ready\">ready</a> "
                 "&middot; bucketferry-exporter {} ({})</footer>\n</body>\n</html>\n",
                 EscapeHtml(Version()), EscapeHtml(Revision()));
  return page;
}

}  // namespace ferry::exporter
