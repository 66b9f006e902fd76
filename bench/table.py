"""The table: a row is one measure of one work, ours beside the peer's, and what was promised of it."""
import dataclasses
import statistics


@dataclasses.dataclass
class Goal:
    """Bounds of the medians. None: nothing was promised."""
    least: float = None
    most: float = None
    ratio_least: float = None
    ratio_most: float = None
    share_least: float = None  # of the limit

    def bounds(self):
        """(what is said before it, bound, whether it is one from above, what of the row it is of)"""
        all_of_them = (("ratio >= ", self.ratio_least, False, Row.ratio),
                       ("ratio <= ", self.ratio_most, True, Row.ratio),
                       ("share >= ", self.share_least, False, Row.share),
                       (">= ", self.least, False, Row.value), ("<= ", self.most, True, Row.value))
        return [bound for bound in all_of_them if bound[1] is not None]

    def __str__(self):
        return ", ".join(said + (figure(bound) if of is Row.value else f"{bound:.3g}")
                         for said, bound, _, of in self.bounds()) or "-"


@dataclasses.dataclass
class Row:
    work: str
    measure: str
    ours: list
    peer: list = dataclasses.field(default_factory=list)
    goal: Goal = dataclasses.field(default_factory=Goal)
    limit: list = dataclasses.field(default_factory=list)  # what nothing on this machine passes

    def value(self):
        return statistics.median(self.ours)

    def ratio(self):
        if not self.ours or not self.peer or statistics.median(self.peer) == 0:
            return None
        return self.value() / statistics.median(self.peer)

    def share(self):
        """Of the limit, 1 at it: of a rate how much of it is reached, of a time or an amount how much of it
        could not be saved."""
        if not self.ours or not self.limit or not self.value():
            return None
        share = self.value() / statistics.median(self.limit)
        return share if "/s" in self.measure else 1 / share

    def met(self):
        """None: nothing was promised."""
        if not self.ours or not self.goal.bounds():
            return None
        for _, bound, from_above, of in self.goal.bounds():
            value = of(self)
            if value is None or (value > bound if from_above else value < bound):
                return False
        return True


MEASURES = {"wall s": "wall", "CPU s": "cpu", "database CPU s": "database_cpu", "peak memory MiB": "memory",
            "requests": "requests", "rows written": "rows", "wan_link CPU s": "link_cpu"}
# Whoever only copies needs no memory and no database to speak of: that is no limit of anything.
LIMITED = ("wall s", "CPU s", "requests")


def rows_of(work, ours, peer, goals=None, limit=()):
    """One row for each measure that the samples have; `goals`: measure -> Goal."""
    def of(samples, field):
        values = [getattr(sample, field) for sample in samples]
        return [] if None in values else values

    rows = [Row(work, measure, of(ours, field), of(peer, field), (goals or {}).get(measure, Goal()),
                of(limit, field) if measure in LIMITED else [])
            for measure, field in MEASURES.items()]
    return [row for row in rows if row.ours]


def figure(value):
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def figures(values):
    if not values:
        return "-"
    text = figure(statistics.median(values))
    least, most = figure(min(values)), figure(max(values))
    if least != most:
        text += f" ({least}..{most})"
    return text


def print_table(rows):
    lines = [["work", "measure", "ours", "peer", "ratio", "limit", "share of limit", "goal", "met"]]
    for row in rows:
        ratio, share = row.ratio(), row.share()
        lines.append([row.work, row.measure, figures(row.ours), figures(row.peer),
                      "-" if ratio is None else f"{ratio:.2f}", figures(row.limit),
                      "-" if share is None else f"{share:.2f}", str(row.goal),
                      {None: "-", True: "yes", False: "NO"}[row.met()]])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")
