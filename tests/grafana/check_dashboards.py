"""Is each dashboard complete and true to what the exporter, the rules and the runbooks have?"""
import itertools
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import catalogue
import dashboards
import promql

ROOT = Path(__file__).resolve().parents[2]
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
PANEL_WIDTH_MIN = 3  # 170 pixels on a laptop

UNITS = {"none", "short", "percentunit", "bytes", "Bps", "s", "cps", "reqps", "dateTimeFromNow"}
INSTANT = {"stat", "bargauge", "table"}  # panels of what is now; the others show how it was
OF_PROMETHEUS = {"ALERTS": {"alertname", "alertstate", "severity", "task"}, "scrape_duration_seconds": set()}
OF_TARGETS = {"namespace", "job", "instance"}
OF_GRAFANA = {"__rate_interval", "__range", "__from"}


class Findings(list):
    def expect(self, true, where, what):
        if not true:
            self.append(f"{where}: {what}")


def check_file(path, dashboard, found):
    where = f"grafana/dashboards/{path.name}"
    form = json.dumps(dashboard, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    found.expect(path.read_text() == form, where, "is not in the form that `jq -S .` writes")
    wanted = {"uid": f"bucketferry-{path.stem}", "editable": False, "refresh": "30s", "timezone": "browser",
              "schemaVersion": 38, "tags": ["bucketferry"], "id": None}
    for key, value in wanted.items():
        found.expect(dashboard.get(key) == value, where, f"{key} is not {value!r}")


def check_variables(name, dashboard, found):
    variables = dashboard["templating"]["list"]
    first = [variables[0][key] for key in ("type", "name", "label", "query")]
    found.expect(first == ["datasource", "datasource", "Data source", "prometheus"], name,
                 "the first variable is no data source")
    for variable in variables[1:]:
        where = f"{name}: variable {variable['name']}"
        found.expect(variable["datasource"] == DATASOURCE, where, "does not use the data source variable")
        found.expect(variable["refresh"] == 2, where, "is not read again when the time changes")
        query = variable["query"]["query"]
        found.expect(re.fullmatch(r"label_values\(.+, \w+\)", query), where, "is no label_values()")
        # `.*` also matches a label that is not there, as namespace may be.
        if variable["name"] == "namespace":
            found.expect(variable["includeAll"] and variable["allValue"] == ".*", where, "wants the label")
    return {variable["name"] for variable in variables}


def check_datasources(name, value, found):
    """Nowhere is another data source than the variable's."""
    if isinstance(value, dict):
        if "datasource" in value:
            found.expect(value["datasource"] == DATASOURCE, name, f"a fixed data source: {value['datasource']}")
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            check_datasources(name, inner, found)


def check_layout(name, panels, found):
    taken = {}
    for panel in panels:
        at, title = panel["gridPos"], panel["title"]
        columns, lines = range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])
        found.expect(columns.stop <= COLUMNS, name, f"{title} is too far to the right")
        found.expect(len(columns) >= PANEL_WIDTH_MIN, name, f"{title} is too narrow to read")
        for place in itertools.product(columns, lines):
            found.expect(place not in taken, name, f"{title} lies on {taken.get(place)}")
            taken[place] = title


def check_panel(where, panel, found):
    found.expect(panel.get("title") and panel.get("description"), where, "has no title or no description")
    found.expect(panel.get("datasource") == DATASOURCE, where, "does not use the data source variable")
    units = {panel["fieldConfig"]["defaults"].get("unit")}
    for override in panel["fieldConfig"]["overrides"]:
        units |= {property["value"] for property in override["properties"] if property["id"] == "unit"}
    found.expect(units <= UNITS, where, f"has no unit that is known here: {units}")
    targets = panel.get("targets", [])
    found.expect(targets, where, "asks for nothing")
    found.expect(len({target["refId"] for target in targets}) == len(targets), where, "has one refId twice")
    for target in targets:
        instant, table = panel["type"] in INSTANT, panel["type"] == "table"
        found.expect((target["instant"], target["range"]) == (instant, not instant), where,
                     "asks for a moment where a time is shown, or the other way round")
        found.expect((target.get("format") == "table") == table, where, "is no table, or not asked as one")
        legend = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
        expression = promql.read(target["expr"])
        found.expect(legend <= expression.grouping | expression.made, where, f"the legend names {legend}")


def check_expression(query, variables, names, found):
    expression = promql.read(query.expr)
    unknown = expression.variables - variables - OF_GRAFANA
    found.expect(not unknown, query, f"unknown variable: {unknown}")
    there = OF_TARGETS | expression.made
    for selector in expression.selectors:
        metric = names.get(selector.metric)
        if metric is None and selector.metric not in OF_PROMETHEUS:
            found.append(f"{query}: no such metric: {selector.metric}")
            continue
        labels = set(metric.labels) if metric else OF_PROMETHEUS[selector.metric]
        if selector.metric.endswith("_bucket"):
            labels = labels | {"le"}
            quantile = "histogram_quantile" in expression.functions
            found.expect(quantile, query, "buckets are for histogram_quantile() only")
        there |= labels
        unknown = set(selector.matchers) - labels - OF_TARGETS
        found.expect(not unknown, query, f"{selector.metric} has no label {unknown}")
        check_function(query, selector, metric, found)
        check_filter(query, selector, variables & (labels | {"namespace"}), found)
    found.expect(expression.grouping <= there, query, f"groups by labels not there: {expression.grouping - there}")


def check_function(query, selector, metric, found):
    grows = metric is not None and metric.type in ("counter", "histogram")
    if grows:
        right = selector.function in ("rate", "increase") and selector.range
        found.expect(right, query, f"{selector.metric} only grows: rate() or increase()")
    if selector.range:
        # All of the time shown is right for "how many in it", and for nothing else.
        right = (selector.range == "$__rate_interval"
                 or (selector.range, selector.function) == ("$__range", "increase"))
        found.expect(grows and right, query, f"[{selector.range}] is not $__rate_interval")


def check_filter(query, selector, filters, found):
    if selector.metric.startswith(("bucketferry_", "ALERTS")):
        for label in filters & {"namespace", "task"}:
            right = selector.matchers.get(label, "").startswith(f'=~"${label}')
            found.expect(right, query, f"{selector.metric} is not filtered by {label}")


def check_syntax(queries, found):
    """By promtool, which knows expressions only as rules."""
    values = {"namespace": ".*", "task": ".+", "__rate_interval": "1m", "__range": "6h", "__from": "0"}
    queries = [query for query in queries if promql.read(query.expr).variables <= values.keys()]
    rules = [{"record": "a:b:c", "labels": {"number": str(number)}, "expr": dashboards.filled(query.expr, values)}
             for number, query in enumerate(queries)]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump({"groups": [{"name": "dashboards", "rules": rules}]}, file)
        file.flush()
        done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)
    for line in done.stderr.splitlines():
        number = re.search(r"rule (\d+), ", line)  # from 1
        if number:
            found.append(f"{queries[int(number.group(1)) - 1]}: {line.strip()}")
    found.expect(done.returncode == 0, "promtool", "check rules failed")


def runbook_prefix(found):
    """Where the rules say that runbooks are."""
    folder = ROOT / "helm/bucketferry/files/rules"
    urls = [url for rules in sorted(folder.glob("*.yaml"))
            for url in re.findall(r"runbook_url: '?(\S+?)'?$", rules.read_text(), re.MULTILINE)]
    prefixes = {url.rsplit("/", 1)[0] for url in urls}
    found.expect(len(prefixes) == 1, folder.relative_to(ROOT), f"runbooks at several places: {prefixes}")
    return min(prefixes, default="")


def check_links(name, dashboard, uids, prefix, found):
    for url in re.findall(r'"url": "([^"]+)"', json.dumps(dashboard)):
        place, _, page = url.rpartition("/")
        if url.startswith("/d/"):
            found.expect(url.split("/")[2] in uids, name, f"no dashboard of ours: {url}")
        elif url.endswith(".md"):
            found.expect(place == prefix, name, f"the rules have their runbooks elsewhere: {url}")
            found.expect((ROOT / "helm/runbooks" / page).exists(), name, f"no such runbook: {url}")
        else:
            ours = url.startswith("http://${") or url == prefix.replace("/blob/", "/tree/")
            found.expect(ours, name, f"leads elsewhere: {url}")


def check_numbers(name, panels, found):
    shown = [panel for panel in panels if panel["type"] != "row"]
    found.expect(len({panel["title"] for panel in shown}) == len(shown), name, "two panels have one title")
    found.expect(len({panel["id"] for panel in panels}) == len(panels), name, "two panels have one id")


def check(all_dashboards, found):
    metrics, to_come = catalogue.read(), catalogue.to_come()
    have_come = sorted(metrics.keys() & to_come.keys())
    found.expect(not have_come, "tests/grafana/metrics_to_come.txt", f"have come: {have_come}")
    names = catalogue.series_names({**to_come, **metrics})
    uids = {dashboard["uid"] for dashboard in all_dashboards.values()}
    prefix = runbook_prefix(found)
    for name, dashboard in all_dashboards.items():
        variables = check_variables(name, dashboard, found)
        check_datasources(name, dashboard, found)
        check_links(name, dashboard, uids, prefix, found)
        panels = list(dashboards.panels(dashboard))
        rows = [panel for panel in dashboard["panels"] if panel["type"] == "row"]
        check_numbers(name, panels + rows, found)
        check_layout(name, panels + rows, found)
        for panel in panels:
            check_panel(f"{name}/{panel['title']}", panel, found)
        for query in dashboards.queries(name, dashboard):
            check_expression(query, variables, names, found)
    queries = dashboards.all_queries(all_dashboards)
    check_syntax(queries, found)
    return queries


def main():
    found = Findings()
    all_dashboards = dashboards.read()
    for name, dashboard in all_dashboards.items():
        check_file(dashboards.FOLDER / f"{name}.json", dashboard, found)
    queries = check(all_dashboards, found)
    for line in found:
        print("dashboards:", line, file=sys.stderr)
    print(f"dashboards: {len(all_dashboards)}, with {len(queries)} expressions: {len(found) or 'no'} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
