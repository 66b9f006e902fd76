"""A finding of check_dashboards.py for each thing that somebody may break."""
import copy
import unittest

import check_dashboards
import dashboards


def _panel(dashboard, title):
    return next(panel for panel in dashboards.panels(dashboard) if panel["title"] == title)


def _expr(title, old, new):
    def change(dashboard):
        target = _panel(dashboard, title)["targets"][0]
        assert old in target["expr"], target["expr"]
        target["expr"] = target["expr"].replace(old, new)
    return change


def _set(title, *path, value):
    def change(dashboard):
        inner = _panel(dashboard, title)
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
    return change


def _source(dashboard):
    dashboard["templating"]["list"][1]["datasource"] = None


def _link(dashboard):
    dashboard["links"][0]["url"] = "/d/other/"


LEGEND = ("targets", 0, "legendFormat")
NO_RUNBOOK = "https://example.com/BucketferryNothing.md"

# What is broken, how, and what the finding says.
BROKEN = [
    ("a panel without a description", _set("State", "description", value=""), "no description"),
    ("a unit nobody knows", _set("State", "fieldConfig", "defaults", "unit", value="furlongs"), "no unit"),
    ("a panel that asks for nothing", _set("State", "targets", value=[]), "asks for nothing"),
    ("two panels with one id", _set("State", "id", value=5), "one id"),
    ("two panels with one title", _set("Workers", "title", value="State"), "one title"),
    ("panels that overlap", _set("Workers", "gridPos", "x", value=0), "lies on"),
    ("a panel beyond the right edge", _set("Workers", "gridPos", "x", value=20), "too far to the right"),
    ("a fixed data source", _set("State", "targets", 0, "datasource", "uid", value="P1"), "a fixed data source"),
    ("a graph of one moment", _set("Workers", "targets", 0, "instant", value=True), "where a time is shown"),
    ("a legend of a label not there", _set("Workers", *LEGEND, value="{{side}}"), "the legend names"),
    ("a metric not there", _expr("Workers", "bucketferry_workers", "bucketferry_hands"), "no such metric"),
    ("a matcher of a label not there", _expr("Workers", "{", '{side="x", '), "has no label"),
    ("a grouping by a label not there", _expr("Workers", "task)", "task, side)"), "groups by labels"),
    ("a counter as it is", _expr("Retries", "rate(", "last_over_time("), "only grows"),
    ("a fixed window", _expr("Retries", "$__rate_interval", "5m"), "is not $__rate_interval"),
    ("a rate of all the time shown", _expr("Retries", "$__rate_interval", "$__range"), "is not $__rate_interval"),
    ("buckets as they are", _expr("Latency at the source", "histogram_quantile(0.95,", "max("), "buckets are for"),
    ("a variable not there", _expr("Workers", "$namespace", "$cluster"), "unknown variable"),
    ("an expression for all tasks", _expr("Workers", ', task=~"$task"', ""), "not filtered by task"),
    ("an expression that does not parse", _expr("Workers", "max by", "max over"), "could not parse"),
    ("a runbook not there", _set("State", "links", 0, "url", value=NO_RUNBOOK), "no such runbook"),
    ("a link to nowhere", _link, "no dashboard of ours"),
    ("a variable of another source", _source, "data source variable"),
]


class CheckDashboards(unittest.TestCase):
    def test_finds_what_is_broken(self):
        whole = dashboards.read()
        for name, change, wanted in BROKEN:
            with self.subTest(name):
                broken = copy.deepcopy(whole)
                change(broken["transfer"])
                found = check_dashboards.Findings()
                check_dashboards.check(broken, found)
                self.assertTrue([line for line in found if wanted in line], f"{wanted}: not in {found[:3]}")


if __name__ == "__main__":
    unittest.main()
