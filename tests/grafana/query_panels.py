#!/usr/bin/python3
"""Asks a Prometheus every expression of every dashboard, as the panels would, and names the empty ones.

    query_panels.py --prometheus URL --task NAME [--start T] [--end T] [--verbose]

For a Prometheus that scraped an exporter during a run of the task. T: Unix time; by default the last ten
minutes. --verbose: also what each expression shows at the end. Exit 1: some panel is empty.
"""
import argparse
import json
import math
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import dashboards

# What need not show anything, and why.
MAY_BE_EMPTY = {"annotation Failed": "no run has failed"}

POINTS_MAX = 400  # of a graph: about one for every other pixel of half a screen
REQUEST_SECONDS = 30


class Prometheus:
    def __init__(self, url):
        self._url = url.rstrip("/")

    def get(self, path, **parameters):
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=REQUEST_SECONDS) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:  # what is wrong with the expression stands in the body
            raise RuntimeError(json.load(error).get("error", str(error))) from error

    def scrape_seconds(self):
        """How often the exporter is scraped, which Grafana knows from the settings of the data source."""
        exporters = {(series["metric"].get("job"), series["metric"].get("instance"))
                     for series in self.get("query", query="last_over_time(bucketferry_up[1h])")["result"]}
        for target in self.get("targets", state="active")["activeTargets"]:
            if (target["labels"].get("job"), target["labels"].get("instance")) in exporters:
                return _seconds(target["scrapeInterval"])
        raise SystemExit(f"query_panels: no exporter among the targets of {self._url}")

    def series(self, query, values, start, end, step):
        """(labels, [values]) for each series that has a number."""
        expr = dashboards.filled(query.expr, values)
        if query.instant:
            found = self.get("query", query=expr, time=end)["result"]
            rows = [(series["metric"], [series["value"]]) for series in found]
        else:
            found = self.get("query_range", query=expr, start=start, end=end, step=step)["result"]
            rows = [(series["metric"], series["values"]) for series in found]
        numbers = [(labels, [float(number) for _, number in points]) for labels, points in rows]
        return [(labels, points) for labels, points in numbers if not all(map(math.isnan, points))]


def _seconds(duration):
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([0-9.]+)(ms|[smhd])", duration))


def _variables(task, start, end, scrape):
    """As Grafana fills them in, with `All` for everything but the task."""
    interval = max(math.ceil((end - start) / POINTS_MAX), scrape)
    return {
        "namespace": ".*", "task": re.escape(task).replace("\\-", "-"), "exporter": "any",
        "__interval": f"{interval:g}s", "__range": f"{end - start:.0f}s",
        "__rate_interval": f"{max(interval + scrape, 4 * scrape):g}s",
        "__from": f"{start * 1000:.0f}", "__to": f"{end * 1000:.0f}",
    }, interval


def _shown(series, limit=4):
    parts = []
    for labels, points in series[:limit]:
        name = ",".join(value for label, value in sorted(labels.items()) if label != "__name__")
        parts.append(f"{name or '-'}={points[-1]:.6g}")
    return "  ".join(parts) + (f"  and {len(series) - limit} more" if len(series) > limit else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", required=True, metavar="URL")
    parser.add_argument("--task", required=True, metavar="NAME")
    parser.add_argument("--start", type=float, metavar="T")
    parser.add_argument("--end", type=float, metavar="T")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    end = arguments.end or time.time()
    start = arguments.start or end - 600
    prometheus = Prometheus(arguments.prometheus)
    values, step = _variables(arguments.task, start, end, prometheus.scrape_seconds())

    queries = dashboards.all_queries(dashboards.read())
    empty = []
    for query in queries:
        try:
            series = prometheus.series(query, values, start, end, step)
        except RuntimeError as error:
            empty.append(f"{query}: {error}")
            continue
        if arguments.verbose:
            print(f"{query}: {_shown(series) or 'nothing'}")
        if not series and query.panel not in MAY_BE_EMPTY:
            expr = " ".join(dashboards.filled(query.expr, values).split())
            empty.append(f"{query}: nothing to show: {expr}")
    for line in empty:
        print("query_panels:", line, file=sys.stderr)
    print(f"query_panels: {len(queries) - len(empty)} of {len(queries)} expressions have something to show")
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(main())
