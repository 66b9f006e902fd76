"""Does each panel of values.yaml show what is said there? Asked by promtool, which needs no server."""
import itertools
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import catalogue
import dashboards

AT_SECONDS = 1200
STEP_SECONDS = 15
EXPORTERS = ({"job": "deployment", "instance": "10.0.0.1:9847"},
             {"job": "sidecar", "instance": "10.0.0.2:9847"})
LABEL_VALUES = {
    "task": ["media"], "target": ["gateway"], "source": ["s/b/"], "destination": ["d/b/"],
    "phase": ["plan", "copy"], "outcome": ["done"], "state": ["pending", "in_flight", "retry_wait", "dead"],
    "side": ["source", "destination"], "operation": ["get"], "reason": ["timeout"],
    "collector": ["totals"], "version": ["1"], "revision": ["a"],
}
ONES = {"bucketferry_task_info", "bucketferry_up", "bucketferry_build_info"}


def _series(metric, labels):
    return f"{metric}{{{', '.join(f'{name}={json.dumps(value)}' for name, value in labels.items())}}}"


def _labels(text):
    return dict(re.findall(r'(\w+)="([^"]*)"', text))


def _everything(case):
    """(metric, labels) of every series that two exporters have."""
    metrics = {**catalogue.to_come(), **catalogue.read()}
    for metric in metrics.values():
        if metric.type == "histogram" or case.get("without") in metric.labels:
            continue
        own = list(itertools.product(*(LABEL_VALUES[label] for label in metric.labels)))
        for values, exporter, namespace in itertools.product(own, EXPORTERS, case.get("namespaces", [None])):
            labels = dict(zip(metric.labels, values)) | exporter
            yield metric.name, labels | ({"namespace": namespace} if namespace else {})


def _input(case):
    wanted = [(series.split("{")[0], _labels(series), given) for series, given in case.get("series", {}).items()]
    used = set()
    length = AT_SECONDS // STEP_SECONDS + 5

    def series(metric, labels, values):
        values = f"{values}x{length}" if isinstance(values, int) else values
        return {"series": _series(metric, labels), "values": values}

    for metric, labels in _everything(case):
        values = 1 if metric in ONES else 0
        for number, (name, matching, given) in enumerate(wanted):
            if name == metric and matching.items() <= labels.items():
                values = given
                used.add(number)
        yield series(metric, labels, values)
    for number, (name, labels, given) in enumerate(wanted):
        if name == "ALERTS":
            yield series(name, labels, given)
        elif number not in used:
            raise SystemExit(f"values.yaml: {case['case']}: no such series: {name} {labels}")


def _find(queries, shown):
    """By "panel" where it asks for one thing, else by "panel refId"."""
    named = [query for query in queries if shown in (str(query), f"{query.dashboard}/{query.panel}")]
    if len(named) != 1:
        raise SystemExit(f"values.yaml: {shown} is {len(named)} expressions")
    return named[0]


def check(case, queries):
    """What promtool has to say against it."""
    variables = {"namespace": ".*", "task": "media", "__rate_interval": "1m", "__range": f"{AT_SECONDS}s",
                 "__from": str(case.get("from", 0) * 1000)}
    tests = []
    for shown, values in case["shows"].items():
        values = values if isinstance(values, dict) else {'{task="media"}': values}
        expr = dashboards.filled(_find(queries, shown).expr, variables)
        samples = [{"labels": labels, "value": value} for labels, value in values.items()]
        tests.append({"expr": expr, "eval_time": f"{AT_SECONDS}s", "exp_samples": samples})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test.yaml"
        group = {"interval": f"{STEP_SECONDS}s", "input_series": list(_input(case)), "promql_expr_test": tests}
        file.write_text(json.dumps({"evaluation_interval": f"{STEP_SECONDS}s", "tests": [group]}))
        done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True)
    return done.returncode, [line for line in done.stderr.splitlines() if line.strip() not in ("", "FAILED:")]


def main():
    cases = yaml.safe_load(Path(__file__).with_name("values.yaml").read_text())
    queries = dashboards.all_queries(dashboards.read())
    failed = 0
    for case in cases:
        code, lines = check(case, queries)
        if code:
            failed += 1
            print(f"dashboards: {case['case']}:", *lines, sep="\n    ", file=sys.stderr)
    print(f"dashboards: {len(cases)} cases of what panels show: {failed or 'none'} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
