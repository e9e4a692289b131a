"""Metric math and Metrics Insights, as much as tests need: a series is a dictionary {time: value}, and an expression
gives a number, a series, or a list of (label, series).

Math: numbers, ids, + - * / and unary minus, > >= < <= == != AND OR, (), lists [a, b], and the functions SUM AVG MIN MAX
(of a list: one series), FILL(x, number or REPEAT), IF(c, a, b), METRICS([text in the id]),
SEARCH('{Namespace,Dim,...} MetricName="x"', 'Statistic'[, period]). A missing value counts as 0 in arithmetic, and what
would be divided by zero is dropped.
Insights: SELECT AVG|SUM|MIN|MAX|COUNT(metric) FROM "ns" | SCHEMA("ns", dim, ...) [WHERE dim = 'x' [AND ...]]
[GROUP BY dim, ...] [ORDER BY ... ] [LIMIT n].
"""

import math
import re

TOKEN = re.compile(r"""\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"""
                   r"""|(?P<text>'[^']*'|"[^"]*")|(?P<sign>>=|<=|==|!=|&&|\|\||[-+*/()\[\],<>]))""")
ARITHMETIC = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
COMPARISONS = {">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
               "==": lambda a, b: a == b, "!=": lambda a, b: a != b}
LOGIC = {"AND": lambda a, b: bool(a) and bool(b), "OR": lambda a, b: bool(a) or bool(b)}
STATISTICS = {"AVG": "Average", "SUM": "Sum", "MIN": "Minimum", "MAX": "Maximum", "COUNT": "SampleCount"}
FOLDS = {"SUM": math.fsum, "AVG": lambda values: math.fsum(values) / len(values), "MIN": min, "MAX": max}
SELECT = re.compile(r"\s*SELECT\s+(\w+)\s*\(\s*\"?([^\")]+?)\"?\s*\)\s+FROM\s+(SCHEMA\s*\(.*?\)|\"[^\"]*\")"
                    r"(?:\s+WHERE\s+(.*?))?(?:\s+GROUP\s+BY\s+(.*?))?(?:\s+ORDER\s+BY\s+.*?)?(?:\s+LIMIT\s+(\d+))?\s*",
                    re.IGNORECASE | re.DOTALL)
DEPTH_MAX = 50


class Refused(Exception):
    """What is wrong with an expression, in the service's manner."""


def is_query(expression):
    return expression.lstrip().upper().startswith("SELECT")


def tokens(expression):
    at, found = 0, []
    expression = expression.rstrip()
    while at < len(expression):
        match = TOKEN.match(expression, at)
        if not match:
            raise Refused(f"unexpected character at position {at}")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def _pair(operate, left, right, missing=0.0):
    """Number with number, number with series, series with series, and each of a list with the other."""
    if isinstance(left, list):
        return [(label, _pair(operate, series, right)) for label, series in left]
    if isinstance(right, list):
        return [(label, _pair(operate, left, series)) for label, series in right]
    if not isinstance(left, dict) and not isinstance(right, dict):
        return operate(left, right)
    result = {}
    times = set(left if isinstance(left, dict) else ()) | set(right if isinstance(right, dict) else ())
    for at in times:
        value = operate(left.get(at, missing) if isinstance(left, dict) else left,
                        right.get(at, missing) if isinstance(right, dict) else right)
        if value is not None:
            result[at] = value
    return result


def _divide(left, right):
    return left / right if right else None


class Parser:
    """One expression; `world` answers for ids, METRICS() and SEARCH()."""

    def __init__(self, expression, world, depth=0):
        self.tokens, self.at, self.world, self.depth = tokens(expression), 0, world, depth

    def peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def take(self, wanted=None):
        if self.at >= len(self.tokens):
            raise Refused("unexpected end of the expression")
        kind, text = self.tokens[self.at]
        if wanted and text != wanted:
            raise Refused(f"`{wanted}` expected in place of `{text}`")
        self.at += 1
        return kind, text

    def whole(self):
        value = self.logic()
        if self.peek() is not None:
            raise Refused(f"unexpected `{self.peek()}`")
        return value

    def logic(self):
        left = self.comparison()
        while self.peek() in ("AND", "OR", "&&", "||"):
            word = {"&&": "AND", "||": "OR"}.get(self.peek(), self.peek())
            self.take()
            left = _pair(lambda a, b, word=word: float(LOGIC[word](a, b)), left, self.comparison())
        return left

    def comparison(self):
        left = self.sum()
        while self.peek() in COMPARISONS:
            operate = COMPARISONS[self.take()[1]]
            left = _pair(lambda a, b, operate=operate: float(operate(a, b)), left, self.sum())
        return left

    def sum(self):
        left = self.product()
        while self.peek() in ("+", "-"):
            left = _pair(ARITHMETIC[self.take()[1]], left, self.product())
        return left

    def product(self):
        left = self.unary()
        while self.peek() in ("*", "/"):
            sign = self.take()[1]
            left = _pair(_divide if sign == "/" else ARITHMETIC["*"], left, self.unary())
        return left

    def unary(self):
        if self.peek() == "-":
            self.take()
            return _pair(ARITHMETIC["-"], 0.0, self.unary())
        return self.atom()

    def atom(self):
        kind, text = self.take()
        if kind == "number":
            return float(text)
        if text == "(":
            value = self.logic()
            self.take(")")
            return value
        if text == "[":
            return self.list("]")
        if kind == "text":
            return text[1:-1]
        if kind != "name":
            raise Refused(f"unexpected `{text}`")
        if self.peek() == "(":
            self.take()
            return self.call(text)
        if text == "REPEAT":
            return text
        return self.world.series_of(text, self.depth)

    def list(self, end):
        values = []
        while self.peek() != end:
            values.append(self.logic())
            if self.peek() == ",":
                self.take()
        self.take(end)
        return [entry for value in values for entry in (value if isinstance(value, list) else [("", value)])]

    def call(self, name):
        arguments = []
        while self.peek() != ")":
            arguments.append(self.logic())
            if self.peek() == ",":
                self.take()
        self.take(")")
        if name in FOLDS and len(arguments) == 1:
            return _fold(FOLDS[name], arguments[0])
        if name == "FILL" and len(arguments) == 2:
            return self.fill(*arguments)
        if name == "IF" and 2 <= len(arguments) <= 3:
            return _choose(*arguments)
        if name == "METRICS" and len(arguments) <= 1:
            return self.world.metrics(arguments[0] if arguments else "")
        if name == "SEARCH" and 2 <= len(arguments) <= 3:
            return self.world.search(*arguments)
        raise Refused(f"Unknown function {name} or wrong arguments")

    def fill(self, series, filler):
        if isinstance(series, list):
            return [(label, self.fill(one, filler)) for label, one in series]
        result, last = {}, None
        for at in self.world.times():
            last = series.get(at, last)
            value = series.get(at, last if filler == "REPEAT" else filler)
            if value is not None:
                result[at] = value
        return result


def _fold(fold, value):
    if isinstance(value, dict):
        return fold(list(value.values())) if value else 0.0
    times = sorted({at for _, series in value for at in series})
    return {at: fold([series[at] for _, series in value if at in series]) for at in times}


def _choose(condition, yes, no=None):
    result = {}
    for at, chosen in condition.items():
        branch = yes if chosen else no
        value = branch.get(at, 0.0 if chosen else None) if isinstance(branch, dict) else branch
        if value is not None:
            result[at] = value
    return result


class Evaluation:
    """All queries of one request: each id's series, made when it is asked for."""

    def __init__(self, request, read, find, now_period):
        """read(stat, period) -> {time: value}; find(namespace, name, dimensions) -> [(values by dimension, stat -> series)]"""
        self.queries = {query["Id"]: query for query in request["MetricDataQueries"]}
        self.request, self.read, self.find, self.period = request, read, find, now_period

    def series_of(self, name, depth=0):
        query = self.queries.get(name)
        if query is None:
            raise Refused(f"Undefined id {name}")
        if depth > DEPTH_MAX:
            raise Refused(f"{name} refers to itself")
        if "MetricStat" in query:
            return self.read(query["MetricStat"])
        if is_query(query["Expression"]):
            return self.select(query["Expression"], query.get("Period", 60))
        self.period = query.get("Period", self.period)
        return Parser(query["Expression"], self, depth + 1).whole()

    def times(self):
        start, end = self.request["StartTime"], self.request["EndTime"]
        return [start + number * self.period for number in range(math.ceil((end - start) / self.period))]

    def metrics(self, text):
        return [(name, self.read(query["MetricStat"])) for name, query in self.queries.items()
                if "MetricStat" in query and text in name]

    def search(self, wanted, statistic, period=None):
        match = re.fullmatch(r"\s*\{([^}]*)\}\s*(?:MetricName=\"([^\"]*)\")?.*", wanted)
        if not match:
            raise Refused("SEARCH needs a schema in braces")
        namespace, *dimensions = [part.strip().strip('"') for part in match.group(1).split(",")]
        return [(found, series(statistic, int(period or self.period)))
                for found, series in self.find(namespace, match.group(2), dimensions)]

    def select(self, query, period):
        match = SELECT.fullmatch(query)
        if not match or match.group(1).upper() not in STATISTICS:
            raise Refused("the query cannot be understood")
        word, name, source, where, group, limit = match.groups()
        inside = source[source.index("(") + 1:-1] if source.upper().startswith("SCHEMA") else source
        namespace, *dimensions = [part.strip().strip('"') for part in inside.split(",")]
        keys = [part.strip().strip('"') for part in group.split(",")] if group else []
        wanted = dict(re.findall(r"\"?(\w+)\"?\s*=\s*'([^']*)'", where or ""))
        groups = {}
        for found, series in self.find(namespace, name, dimensions or None):
            if all(found.get(key) == value for key, value in wanted.items()):
                groups.setdefault(tuple(found.get(key, "Other") for key in keys), []).append(
                    ("", series(STATISTICS[word.upper()], period)))
        fold = FOLDS.get(word.upper(), math.fsum)
        answer = [(dict(zip(keys, values)), _fold(fold, found)) for values, found in sorted(groups.items())]
        return answer[:int(limit)] if limit else answer


def label_of(template, found, fallback):
    """A dynamic label: ${PROP('Dim.X')} of what was found."""
    dimensions = found if isinstance(found, dict) else {}
    if template is None:
        return " ".join(dimensions.values()) or (found if isinstance(found, str) and found else fallback)
    return re.sub(r"\$\{PROP\('Dim\.([^']*)'\)\}", lambda match: dimensions.get(match.group(1), ""), template)
