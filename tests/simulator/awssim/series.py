"""Metrics: where their samples come from, and how they fold into datapoints.

A metric has a generator (a sum of functions, or a CSV file that plays from the start on) and points that a test pushed.
Samples have no period; datapoints are made when somebody asks, in buckets that begin at the StartTime asked for.
"""

import bisect
import csv
import math
import os
import threading

from . import stats
from .when import duration, instant

CACHE_MAX = 50_000  # computed samples a metric
MASK = (1 << 64) - 1


def _mix(number):
    """splitmix64: noise that depends on nothing but the seed, the metric and the sample's time."""
    number = (number + 0x9E3779B97F4A7C15) & MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def _gauss(seed, index):
    first = (_mix(seed ^ _mix(index * 2)) + 1) / (MASK + 2)
    second = (_mix(seed ^ _mix(index * 2 + 1)) + 1) / (MASK + 2)
    return math.sqrt(-2 * math.log(first)) * math.cos(2 * math.pi * second)


def _constant(value, _seed):
    number = float(value)
    return lambda at, index: number


def _sine(keys, _seed):
    mean, amplitude = float(keys.get("mean", 0)), float(keys.get("amplitude", 1))
    period, phase = duration(keys.get("period", "1h")), duration(keys.get("phase", 0))
    return lambda at, index: mean + amplitude * math.sin(2 * math.pi * (at + phase) / period)


def _step(keys, _seed):
    at_s, by = duration(keys["at"]), float(keys["by"])
    length = duration(keys["for"]) if "for" in keys else math.inf
    return lambda at, index: by if at_s <= at < at_s + length else 0.0


def _spike(keys, _seed):
    every, length, by = duration(keys["every"]), duration(keys.get("for", 10)), float(keys["by"])
    offset = duration(keys.get("offset", 0))
    return lambda at, index: by if (at - offset) % every < length else 0.0


def _square(keys, _seed):
    period, low, high = duration(keys["period"]), float(keys.get("low", 0)), float(keys["high"])
    return lambda at, index: high if at % period >= period / 2 else low


def _noise(keys, seed):
    deviation = float(keys["sd"] if isinstance(keys, dict) else keys)
    return lambda at, index: deviation * _gauss(seed, index)


def _ramp(keys, _seed):
    per_second = float(keys["per_hour"]) / 3600
    return lambda at, index: at * per_second


def _gap(keys, _seed):
    """No sample at all in [at, at + for), or in the first `for` of each `every`."""
    length = duration(keys.get("for", math.inf))
    if "every" in keys:
        every, offset = duration(keys["every"]), duration(keys.get("offset", 0))
        return lambda at, index: None if (at - offset) % every < length else 0.0
    at_s = duration(keys["at"])
    return lambda at, index: None if at_s <= at < at_s + length else 0.0


FUNCTIONS = {
    "constant": _constant, "sine": _sine, "step": _step, "spike": _spike, "square": _square, "noise": _noise,
    "ramp": _ramp, "gap": _gap,
}


def terms_from(spec):
    """A series as a scenario writes it, as a list of {function: its keys}."""
    terms = spec if isinstance(spec, list) else [spec]
    return [term if isinstance(term, dict) else {"constant": term} for term in terms]


def figure(spec, origin, seed):
    """A function of epoch seconds from a number or a series, for what is asked rather than sampled; a gap is 0."""
    parts = [FUNCTIONS[name](keys, _mix(seed + number))
             for number, term in enumerate(terms_from(spec)) for name, keys in term.items()]

    def value(at):
        found = [part(at - origin, math.floor(at)) for part in parts]
        return 0.0 if None in found else math.fsum(found)
    return value


class Functions:
    """A sum of functions of the time since the start (or since the epoch), sampled every `every` seconds."""

    def __init__(self, terms, every, origin, samples, seed, first):
        self.terms = [FUNCTIONS[name](keys, _mix(seed + number))
                      for number, term in enumerate(terms) for name, keys in term.items()]
        self.every, self.origin, self.samples, self.first = every, origin, samples, first
        self.cache = {}

    def _at(self, tick):
        values = self.cache.get(tick)
        if values is None:
            values = []
            for number in range(self.samples):
                parts = [term(tick * self.every - self.origin, tick * self.samples + number) for term in self.terms]
                if None not in parts:
                    values.append(math.fsum(parts))
            if len(self.cache) >= CACHE_MAX:
                self.cache.clear()
            self.cache[tick] = values
        return values

    def between(self, start, end):
        """(time, value) of the samples in [start, end), oldest first."""
        if self.first is not None:
            start = max(start, self.first)
        tick = math.ceil(start / self.every)
        while tick * self.every < end:
            at = tick * self.every
            for value in self._at(tick):
                yield at, value
            tick += 1


class Recorded:
    """Samples of a CSV file (timestamp,value), moved so that `begin` in the file falls on the start."""

    def __init__(self, keys, folder, start):
        path = os.path.join(folder, os.path.expandvars(keys["file"]))
        rows = []
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                try:
                    rows.append((instant(row[0], 0), float(row[1])))
                except (ValueError, IndexError):
                    continue  # the header, or a row that no reader could use
        rows.sort()
        if not rows:
            raise ValueError(f"{path}: no rows `timestamp,value`")
        begin = instant(keys["begin"], rows[0][0]) if "begin" in keys else rows[0][0]
        speed, scale = float(keys.get("speed", 1)), float(keys.get("scale", 1))
        self.rows = [(start + (at - begin) / speed, value * scale) for at, value in rows]

    def between(self, start, end):
        low = bisect.bisect_left(self.rows, (start, -math.inf))
        high = bisect.bisect_left(self.rows, (end, -math.inf))
        return iter(self.rows[low:high])


class Nothing:
    def between(self, _start, _end):
        return iter(())


class Metric:
    """One series: a generator, pushed points, and how late either is published."""

    def __init__(self, generator, unit=None, delay=0.0):
        self.generator, self.unit, self.delay = generator, unit, delay
        self.pushed = []  # (time, value, visible from), sorted
        self.lock = threading.Lock()

    def push(self, at, value, visible):
        with self.lock:
            bisect.insort(self.pushed, (at, value, visible))

    def samples(self, start, end, now):
        """All that is to be seen at `now` of [start, end); not in order when both kinds are there."""
        yield from self.generator.between(start, min(end, now - self.delay + 1e-9))
        with self.lock:
            low = bisect.bisect_left(self.pushed, (start, -math.inf, 0))
            high = bisect.bisect_left(self.pushed, (end, -math.inf, 0))
            pushed = self.pushed[low:high]
        yield from ((at, value) for at, value, visible in pushed if visible <= now)

    def datapoints(self, stat, start, end, period, now):
        """[(bucket's start, value)] oldest first; buckets begin at `start`, only those with samples are there."""
        fold = stats.parse(stat)
        count = max(0, math.ceil((end - start) / period))
        buckets = {}
        for at, value in self.samples(start, start + count * period, now):
            buckets.setdefault(int((at - start) // period), []).append(value)
        result = []
        for number in sorted(buckets):
            value = fold(buckets[number])
            if value is not None:
                result.append((start + number * period, value))
        return result


def series_key(account, region, namespace, name, dimensions):
    return account, region, namespace, name, frozenset(dimensions.items())


class Book:
    """All metrics, found by account, region, namespace, name and exact dimensions."""

    def __init__(self):
        self.metrics = {}
        self.lock = threading.Lock()

    def add(self, key, metric):
        if key in self.metrics:
            raise ValueError(f"metric {key[2]} {key[3]} stands in the scenario twice")
        self.metrics[key] = metric

    def find(self, account, region, namespace, name, dimensions):
        """A metric may be written for every account or region: None stands for any."""
        for key_account in (account, None):
            for key_region in (region, None):
                metric = self.metrics.get(series_key(key_account, key_region, namespace, name, dimensions))
                if metric:
                    return metric
        return None

    def like(self, account, region, namespace, name, dimensions):
        """(name, dimensions) of all metrics with exactly these dimensions; None: any, and any name."""
        with self.lock:
            keys = list(self.metrics)
        found = {(key[3], key[4]) for key in keys
                 if key[0] in (None, account) and key[1] in (None, region) and key[2] == namespace
                 and name in (None, key[3]) and (dimensions is None or {n for n, _ in key[4]} == set(dimensions))}
        return [(key_name, dict(pairs)) for key_name, pairs in sorted(found, key=lambda entry: (entry[0], sorted(entry[1])))]

    def push(self, entry, now):
        """Points that a test hands over: [[time, value], ...], time absolute or a distance from now."""
        dimensions = {str(k): str(v) for k, v in (entry.get("dimensions") or {}).items()}
        account, region = entry.get("account"), entry.get("region")
        with self.lock:
            metric = self.find(account, region, entry["namespace"], entry["name"], dimensions)
            if metric is None:
                metric = Metric(Nothing(), entry.get("unit"))
                self.metrics[series_key(account, region, entry["namespace"], entry["name"], dimensions)] = metric
        visible = now + duration(entry.get("delay", 0))
        for at, value in entry["points"]:
            metric.push(instant(at, now), float(value), visible)
        return len(entry["points"])


def metric_from(entry, folder, start, seed):
    """(key, Metric) of one entry under `metrics:` in a scenario file."""
    dimensions = {str(k): str(v) for k, v in (entry.get("dimensions") or {}).items()}
    account = str(entry["account"]) if "account" in entry else None
    key = series_key(account, entry.get("region"), entry["namespace"], entry["name"], dimensions)
    if "csv" in entry:
        generator = Recorded(entry["csv"], folder, start)
    elif "series" in entry:
        origin = 0 if entry.get("origin") == "epoch" else start
        first = instant(entry["first"], start) if "first" in entry else None
        own_seed = _mix(seed ^ sum(ord(char) << (number % 48) for number, char in enumerate(repr(sorted(map(str, key))))))
        generator = Functions(terms_from(entry["series"]), duration(entry.get("every", 60)), origin,
                              int(entry.get("samples", 1)), own_seed, first)
    else:
        generator = Nothing()
    metric = Metric(generator, entry.get("unit"), duration(entry.get("delay", 0)))
    for at, value in entry.get("points", []):
        metric.push(instant(at, start), float(value), 0)
    return key, metric
