"""CloudWatch's statistics over the samples of one period."""

import math
import re

SIMPLE = {
    "SampleCount": lambda values: float(len(values)),
    "Sum": math.fsum,
    "Average": lambda values: math.fsum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
}
SHORT = re.compile(r"(p|tm|tc|ts|wm)(\d{1,3}(?:\.\d{1,10})?)", re.IGNORECASE)
RANGE = re.compile(r"(TM|TC|TS|WM|PR)\(([^:()]*):([^:()]*)\)")


def known(stat):
    return parse(stat) is not None


def parse(stat):
    """A function of a non-empty list of samples, or None when `stat` is no statistic."""
    if stat in SIMPLE:
        return SIMPLE[stat]
    if stat == "IQM":
        return lambda values: _fold("TM", values, ("%", 25.0), ("%", 75.0))
    short = SHORT.fullmatch(stat)
    if short:
        kind, percent = short.group(1).lower(), float(short.group(2))
        if percent > 100:
            return None
        if kind == "p":
            return lambda values: percentile(values, percent)
        return lambda values: _fold(kind.upper(), values, ("%", 0.0), ("%", percent))
    ranged = RANGE.fullmatch(stat)
    if not ranged:
        return None
    kind, low, high = ranged.group(1), _bound(ranged.group(2)), _bound(ranged.group(3))
    if low is False or high is False or (low is None and high is None):
        return None
    if kind == "PR":
        return None if "%" in stat else lambda values: _percent_rank(values, low, high)
    return lambda values: _fold(kind, values, low, high)


def percentile(values, percent):
    """Nearest rank: the smallest sample that `percent` of all samples do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100 - 1e-9) - 1)]


def _bound(text):
    """None for an open end, ("%", x) or ("", x); False when it is no number."""
    if not text:
        return None
    try:
        return ("%", float(text[:-1])) if text.endswith("%") else ("", float(text))
    except ValueError:
        return False


def _kept(values, low, high):
    """The samples between two bounds, the lower one exclusive as CloudWatch has it."""
    ordered = sorted(values)
    first, last = 0, len(ordered)
    if low is not None:
        if low[0] == "%":
            first = math.floor(len(ordered) * low[1] / 100 + 1e-9)
        else:
            first = sum(1 for value in ordered if value <= low[1])
    if high is not None:
        if high[0] == "%":
            last = math.ceil(len(ordered) * high[1] / 100 - 1e-9)
        else:
            last = sum(1 for value in ordered if value <= high[1])
    return ordered, first, max(first, last)


def _fold(kind, values, low, high):
    ordered, first, last = _kept(values, low, high)
    kept = ordered[first:last]
    if kind == "TC":
        return float(len(kept))
    if kind == "TS":
        return math.fsum(kept)
    if kind == "WM":  # what lies outside counts as the nearest kept sample
        if not kept:
            return None
        total = math.fsum(kept) + first * kept[0] + (len(ordered) - last) * kept[-1]
        return total / len(ordered)
    return math.fsum(kept) / len(kept) if kept else None


def _percent_rank(values, low, high):
    floor = -math.inf if low is None else low[1]
    ceiling = math.inf if high is None else high[1]
    return 100.0 * sum(1 for value in values if floor < value <= ceiling) / len(values)
