"""The metrics that the exporter can have, as exporter/catalogue.cc lists them."""
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ENTRY = re.compile(r'\{\s*"((?:bucketferry|process)_\w+)",\s*k(Gauge|Counter|Histogram),')
_LABELS = re.compile(r'\{\s*((?:"\w+",?\s*)+)\}')


@dataclass(frozen=True)
class Metric:
    name: str
    type: str  # gauge counter histogram
    labels: tuple


def _entries(text):
    starts = list(_ENTRY.finditer(text))
    for number, start in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        labels = _LABELS.search(text, start.end(), end)
        yield Metric(start.group(1), start.group(2).lower(),
                     tuple(re.findall(r'"(\w+)"', labels.group(1))) if labels else ())


def read():
    """By name."""
    metrics = {metric.name: metric for metric in _entries((ROOT / "exporter" / "catalogue.cc").read_text())}
    if len(metrics) < 40 or "bucketferry_up" not in metrics:
        raise SystemExit("exporter/catalogue.cc is written in another way than catalogue.py reads it")
    return metrics


def to_come():
    """By name: those that no exporter has yet. The file goes when there are none left."""
    file = Path(__file__).with_name("metrics_to_come.txt")
    lines = file.read_text().splitlines() if file.exists() else []
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return {name: Metric(name, kind, tuple(labels)) for name, kind, *labels in rows}


def series_names(metrics):
    """Names as they stand in expressions, each with its metric: a histogram has three."""
    names = {}
    for metric in metrics.values():
        if metric.type == "histogram":
            names.update({metric.name + end: metric for end in ("_bucket", "_sum", "_count")})
        else:
            names[metric.name] = metric
    return names
