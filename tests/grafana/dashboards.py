"""The dashboards, their panels and expressions."""
import json
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "grafana" / "dashboards"


@dataclass(frozen=True)
class Query:
    dashboard: str
    panel: str
    ref: str
    expr: str
    instant: bool

    def __str__(self):
        return f"{self.dashboard}/{self.panel}" + (f" {self.ref}" if self.ref else "")


def read():
    """By name of the file, without its ending."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def panels(dashboard):
    """Those that show something, also those in folded rows."""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def queries(name, dashboard):
    """Of panels, then of annotations."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield Query(name, panel["title"], target["refId"], target["expr"], target.get("instant", False))
    for annotation in dashboard["annotations"]["list"]:
        yield Query(name, "annotation " + annotation["name"], "", annotation["expr"], False)


def all_queries(read_dashboards):
    return [query for name, dashboard in read_dashboards.items() for query in queries(name, dashboard)]


def filled(expr, values):
    """With variables replaced, as Grafana does it: $name and ${name}."""
    def value(match):
        name = match.group(1) or match.group(2)
        if name not in values:
            raise KeyError(f"no such variable: {name}")
        return str(values[name])
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", value, expr)
