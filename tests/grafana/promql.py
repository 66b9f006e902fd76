"""As much of PromQL as is needed to say what an expression asks for. Whether it is right is promtool's to say."""
import re
from dataclasses import dataclass, field

_TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<range>\[[^\]]*\])
  | (?P<name>\$\{\w+\}|\$?[A-Za-z_][A-Za-z0-9_:]*)
  | (?P<number>[0-9.]+[a-z]*)
  | (?P<sign>=~|!~|!=|==|<=|>=|.)
""", re.VERBOSE)
_LISTS = {"by", "on", "without", "ignoring", "group_left", "group_right"}
_WORDS = _LISTS | {"and", "or", "unless", "bool", "offset"}


@dataclass
class Selector:
    """metric{label="value"}[range], and the function that is called right on it."""
    metric: str
    matchers: dict = field(default_factory=dict)
    range: str = ""
    function: str = ""


@dataclass
class Expression:
    selectors: list
    grouping: set     # labels in by (...), on (...) and the like
    functions: set
    made: set         # labels that the expression itself makes
    variables: set


def _tokens(text):
    # A variable is a token like any other, also within strings and ranges.
    return [(match.lastgroup, match.group()) for match in _TOKEN.finditer(text) if match.lastgroup != "space"]


def read(text):
    tokens = _tokens(text)
    found = Expression([], set(), set(), set(), set(re.findall(r"\$\{?(\w+)", text)))
    at = 0
    while at < len(tokens):
        kind, word = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if kind == "name" and word in _LISTS:
            at += 1
            if following == "(":
                while tokens[at][1] != ")":
                    if tokens[at][0] == "name":
                        found.grouping.add(tokens[at][1])
                    at += 1
        elif kind == "name" and following == "(" and word not in _WORDS:
            found.functions.add(word)
            if word == "count_values" or word == "label_replace":
                found.made.add(next(value for sort, value in tokens[at:] if sort == "string").strip('"'))
        elif kind == "name" and following in _LISTS:
            found.functions.add(word)  # max by (...)
        elif kind == "name" and word not in _WORDS and not word.startswith("$"):
            at = _selector(tokens, at, found)
        at += 1
    return found


def _selector(tokens, at, found):
    """The index of the selector's last token."""
    selector = Selector(tokens[at][1])
    if at >= 2 and tokens[at - 1][1] == "(" and tokens[at - 2][0] == "name":
        selector.function = tokens[at - 2][1]
    if at + 1 < len(tokens) and tokens[at + 1][1] == "{":
        at += 2
        while tokens[at][1] != "}":
            if tokens[at][0] == "name":
                selector.matchers[tokens[at][1]] = tokens[at + 1][1] + tokens[at + 2][1]
                at += 2
            at += 1
    if at + 1 < len(tokens) and tokens[at + 1][0] == "range":
        at += 1
        selector.range = tokens[at][1].strip("[]")
    found.selectors.append(selector)
    return at
