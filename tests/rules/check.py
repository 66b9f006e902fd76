#!/usr/bin/python3
"""What promtool and amtool do not ask of rules, runbook pages, test cases and routes. See `run`."""
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = ROOT / "helm/bucketferry/files/rules"
ROUTES = ROOT / "helm/bucketferry/files/alertmanager/alertmanager.yml"
RUNBOOKS = ROOT / "helm/runbooks"
# The chart puts another address in its place, so it is the same text everywhere.
RUNBOOK_URL = "https://github.com/bucketferry/bucketferry/blob/main/helm/runbooks/"

# Metrics that rules use and exporter/catalogue.cc does not have. It has to be empty.
NOT_IN_CATALOGUE = []

# Who is told: by the event, or else by the severity.
RECEIVERS = {
    "started": ["bucketferry-events", "nobody"],
    "completed": ["bucketferry-events", "nobody"],
    "failed": ["bucketferry-events", "team-events"],
    "refresh": ["bucketferry-refresh"],
    "none": ["nobody"],
    "info": ["team"],
    "warning": ["team"],
    "critical": ["on-call"],
}
SEVERITIES = {"none", "info", "warning", "critical"}

problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)


def load_rules():
    rules = []
    for path in sorted(RULES.glob("*.yaml")):
        groups = yaml.safe_load(path.read_text())["groups"]
        for group in groups:
            expect(group["name"] == f"bucketferry.{path.stem}", f"{path.name}: group {group['name']}")
            rules += group["rules"]
    return [r for r in rules if "alert" in r], [r for r in rules if "record" in r]


def check_texts(alert):
    name, labels = alert["alert"], alert["labels"]
    annotations = alert.get("annotations", {})
    for text in ("summary", "description", "runbook_url"):
        expect(annotations.get(text), f"{name}: no {text}")
    expect(annotations.get("runbook_url") == f"{RUNBOOK_URL}{name}.md",
           f"{name}: runbook_url is not {RUNBOOK_URL}{name}.md")
    expect((RUNBOOKS / f"{name}.md").is_file(), f"{name}: no helm/runbooks/{name}.md")
    expect(labels.get("severity") in SEVERITIES, f"{name}: severity {labels.get('severity')}")
    expect(("run_id" in labels) == ("bucketferry_event" in labels),
           f"{name}: an event has a run_id, and nothing else has")
    for text in annotations.values():
        for label in labels:  # a rule does not see the labels that it sets itself
            expect(not re.search(rf"\$labels\.{label}\b", text), f"{name}: {label} is empty in its texts; use $value")


def check_pages(names):
    index = (RUNBOOKS / "README.md").read_text()
    for page in sorted(RUNBOOKS.glob("*.md")):
        if page.name == "README.md":
            continue
        expect(page.stem in names, f"helm/runbooks/{page.name}: no such alert")
        expect(page.read_text().startswith(f"# {page.stem}\n"), f"helm/runbooks/{page.name}: title")
        expect(f"({page.name})" in index, f"helm/runbooks/README.md does not list {page.name}")


def check_metrics(alerts, records):
    source = (ROOT / "exporter/catalogue.cc").read_text()
    catalogue = set(re.findall(r'\{"([a-z_]+)",\s*k(?:Gauge|Counter|Histogram)', source))
    expect(len(catalogue) > 40, "exporter/catalogue.cc: not understood")
    recorded = {r["record"] for r in records}
    used = set()
    for rule in alerts + records:
        text = re.sub(r"\b(by|on) \([^)]*\)", "", rule["expr"])
        for name in re.findall(r"[a-z_:]*bucketferry_[a-z_:]+", text):
            if ":" in name:
                expect(name in recorded, f"{name}: nothing records it")
            else:
                used.add(name)
    for name in sorted(used - catalogue):
        expect(name in NOT_IN_CATALOGUE, f"{name}: not in exporter/catalogue.cc")
    for name in NOT_IN_CATALOGUE:
        expect(name not in catalogue, f"{name}: is in exporter/catalogue.cc; take it off the list")
        expect(name in used, f"{name}: no rule uses it; take it off the list")


def check_cases(alerts):
    """Each alert, in each of its severities, has a case in which it fires and one in which it is silent."""
    fires, silent = set(), set()
    for path in sorted((ROOT / "tests/rules").glob("*.test.yaml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test.get("alert_rule_test", []):
                for expected in case["exp_alerts"]:
                    fires.add((case["alertname"], expected["exp_labels"]["severity"]))
                if not case["exp_alerts"]:
                    silent.add(case["alertname"])
    for alert in alerts:
        name, severity = alert["alert"], alert["labels"]["severity"]
        expect((name, severity) in fires, f"{name} ({severity}): no alert_rule_test in which it fires")
        expect(name in silent, f"{name}: no alert_rule_test in which it is silent")


def check_routes(alerts):
    config = yaml.safe_load(ROUTES.read_text())
    for alert in alerts:
        labels = {k: v for k, v in alert["labels"].items() if "{{" not in v}
        labels |= {"alertname": alert["alert"], "namespace": "ferry", "task": "media", "run_id": "5"}
        receivers = RECEIVERS[labels.get("bucketferry_event", labels["severity"])]
        answer = subprocess.run(
            ["amtool", "config", "routes", "test", f"--config.file={ROUTES}",
             f"--verify.receivers={','.join(receivers)}", *(f"{k}={v}" for k, v in labels.items())],
            capture_output=True, text=True)
        expect(answer.returncode == 0, f"{alert['alert']} does not go to {receivers}: {answer.stdout.strip()}")
    hooks = 0
    for receiver in config["receivers"]:
        for webhook in receiver.get("webhook_configs", []):
            if "bucketferry-hook" not in webhook["url"]:
                continue
            hooks += 1
            expect(webhook["send_resolved"] is False, f"{receiver['name']}: the end of an alert is no event")
            expect(webhook["max_alerts"] == 0, f"{receiver['name']}: alerts would be left out")
            expect(webhook["http_config"]["authorization"]["credentials_file"], f"{receiver['name']}: no token")
    expect(hooks == 2, "alertmanager.yml: two receivers of the hook")


def main():
    alerts, records = load_rules()
    for alert in alerts:
        check_texts(alert)
    check_pages({alert["alert"] for alert in alerts})
    check_metrics(alerts, records)
    check_cases(alerts)
    check_routes(alerts)
    for problem in problems:
        print(f"tests/rules: {problem}", file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"{len(alerts)} rules of alerts, {len(records)} recorded: nothing to complain of")


main()
