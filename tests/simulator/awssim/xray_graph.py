"""Service graphs: requests counted from described figures, or a recorded answer moved to the window asked for.

A window's figures are the sum over its slices, so that neighbouring windows add up and a fault may begin in the middle.
"""

import hashlib
import json
import math
import os

from .keys import known, size_from
from .series import figure
from .when import duration

SLICE_S, COARSE_S, LONG_S = 10, 60, 3600  # windows above LONG_S are summed in coarse slices
GRAPH_KEYS = {"services", "edges", "group", "account", "region", "delay", "late_share", "page_size", "old_groups"}
FIGURE_KEYS = {"requests_per_minute", "fault", "error", "throttle", "latency"}
SERVICE_KEYS = FIGURE_KEYS | {"name", "names", "type", "root", "account_id", "state", "zero", "gone"}
EDGE_KEYS = FIGURE_KEYS | {"from", "to", "type", "age", "aliases"}
DEFAULT_RATE, DEFAULT_LATENCY_S = 60, 0.1
PAGE_MAX = 10_000  # services a page unless the scenario says less


class Distribution:
    """Seconds with their shares: a figure, or [[seconds, share], …] of figures."""

    def __init__(self, spec, origin, seed):
        pairs = spec if isinstance(spec, list) and all(isinstance(entry, list) for entry in spec) else [[spec, 1]]
        self.pairs = [(figure(value, origin, seed), figure(share, origin, seed)) for value, share in pairs]

    def spread(self, at, count, into):
        """Adds `count` requests made at `at` to {seconds: count}."""
        parts = [(round(max(0.0, value(at)), 3), max(0.0, share(at))) for value, share in self.pairs]
        whole = math.fsum(share for _, share in parts)
        for value, share in parts:
            if whole > 0:
                into[value] = into.get(value, 0.0) + count * share / whole


class Tally:
    """Requests of one window, as they are counted before rounding."""

    def __init__(self, start):
        self.start, self.total, self.fault, self.error, self.throttle = start, 0.0, 0.0, 0.0, 0.0
        self.latency, self.age = {}, {}

    def whole(self, value):
        """Whole requests: fractions are rounded up in as many windows as they amount to, always the same ones."""
        chance = hashlib.sha256(repr(self.start).encode()).digest()[0] / 257
        return int(math.floor(value + 1e-6 + chance * (1 - 1e-5)))

    def statistics(self):
        total = self.whole(self.total)
        fault = min(total, self.whole(self.fault))
        error = min(total - fault, self.whole(self.error))
        throttle = min(error, self.whole(self.throttle))
        seconds = math.fsum(entry["Value"] * entry["Count"] for entry in self.histogram(self.latency))
        return {"OkCount": total - fault - error,
                "ErrorStatistics": {"ThrottleCount": throttle, "OtherCount": error - throttle, "TotalCount": error},
                "FaultStatistics": {"OtherCount": fault, "TotalCount": fault}, "TotalCount": total,
                "TotalResponseTime": round(seconds, 6)}

    def histogram(self, values):
        """Counts that add up to all requests, in no order: the service's own are not sorted either."""
        total, whole = self.whole(self.total), math.fsum(values.values())
        if not total or not whole:
            return []
        exact = {value: count * total / whole for value, count in values.items()}
        counts = {value: math.floor(count + 1e-9) for value, count in exact.items()}
        for value in sorted(exact, key=lambda value: counts[value] - exact[value])[:total - sum(counts.values())]:
            counts[value] += 1
        order = sorted((value for value in counts if counts[value]),
                       key=lambda value: hashlib.sha256(repr(value).encode()).digest())
        if order == sorted(order):
            order.reverse()
        return [{"Value": value, "Count": counts[value]} for value in order]


class Figures:
    """What one node or edge does: requests a minute, of them so many percent bad, and how long they take."""

    def __init__(self, keys, origin, seed):
        self.rate = figure(keys.get("requests_per_minute", DEFAULT_RATE), origin, seed)
        self.fault, self.error, self.throttle = (
            figure(keys.get(name, 0), origin, seed) for name in ("fault", "error", "throttle"))
        self.latency = Distribution(keys.get("latency", DEFAULT_LATENCY_S), origin, seed)
        self.age = Distribution(keys["age"], origin, seed) if "age" in keys else None

    def add(self, tally, start, end, now, late):
        """Adds the requests of [start, end) that are to be seen at `now`; `late` is (delay, share that comes late)."""
        grain = SLICE_S if end - start <= LONG_S else COARSE_S
        low, end = start, min(end, now)
        while low < end:
            high = min(end, (math.floor(low / grain) + 1) * grain)
            at = (low + high) / 2
            count = max(0.0, self.rate(at)) * (high - low) / 60 * (1 if high <= now - late[0] else 1 - late[1])
            tally.total += count
            tally.fault += count * min(100.0, max(0.0, self.fault(at))) / 100
            throttle = min(100.0, max(0.0, self.throttle(at)))
            tally.throttle += count * throttle / 100
            tally.error += count * min(100.0, max(throttle, self.error(at))) / 100
            self.latency.spread(at, count, tally.latency)
            if self.age:
                self.age.spread(at, count, tally.age)
            low = high
        return tally


class Described:
    """A graph from the scenario's services and edges."""

    def __init__(self, entry, _folder, origin, seed):
        known(entry, GRAPH_KEYS, "a graph")
        self.services, self.edges, self.figures = entry.get("services") or [], entry.get("edges") or [], {}
        self.late = duration(entry.get("delay", 0)), float(entry.get("late_share", 0.5))
        self.page_size, self.old_groups = size_from(entry, "page_size", PAGE_MAX), bool(entry.get("old_groups"))
        for number, service in enumerate(self.services):
            known(service, SERVICE_KEYS, "a service")
            self.figures[number] = Figures(service, origin, seed)
        self.links = []  # (from, to, edge, its figures): an edge that does not say its own has its target's
        for edge in self.edges:
            known(edge, EDGE_KEYS, "an edge")
            ends = self._find(edge["from"]), self._find(edge["to"])
            keys = {**{name: value for name, value in self.services[ends[1]].items() if name in FIGURE_KEYS}, **edge}
            self.links.append((*ends, edge, Figures(keys, origin, seed)))

    def _find(self, wanted):
        """A service by its name, or by {name, type} where two have the same."""
        want = wanted if isinstance(wanted, dict) else {"name": wanted}
        found = [number for number, service in enumerate(self.services)
                 if all(service.get(key) == value for key, value in want.items())]
        if len(found) != 1:
            raise ValueError(f"{len(found)} services are `{wanted}`; an edge's end is a name, or {{name, type}}")
        return found[0]

    def nodes(self, start, end, now, account):
        """[(number, the service without id and edges, [(target's number, the edge without id)])]"""
        found = []
        for number, service in enumerate(self.services):
            tally = self.figures[number].add(Tally(start), start, end, now, self.late)
            quiet = not tally.whole(tally.total)
            if quiet and service.get("gone"):
                continue
            client = service.get("type") == "client"
            answer = _times({"Name": service["name"], "Names": service.get("names", [service["name"]]),
                             "State": service.get("state", "unknown" if client else "active")}, start, end)
            owner = service.get("account_id", None if client else account)
            answer.update({key: value for key, value in (("Type", service.get("type")), ("Root", service.get("root")),
                                                         ("AccountId", owner and str(owner))) if value})
            if not client and (not quiet or service.get("zero")):
                answer["SummaryStatistics"] = tally.statistics()
                answer["DurationHistogram"] = answer["ResponseTimeHistogram"] = tally.histogram(tally.latency)
            found.append((number, answer, self._edges(number, start, end, now)))
        return found

    def _edges(self, number, start, end, now):
        found = []
        for source, target, edge, figures in self.links:
            tally = figures.add(Tally(start), start, end, now, self.late) if source == number else None
            if tally is None or not tally.whole(tally.total):
                continue
            answer = _times({"SummaryStatistics": tally.statistics(), "Aliases": edge.get("aliases", [])}, start, end)
            if edge.get("type"):
                answer["EdgeType"] = edge["type"]
            if edge.get("type") != "link":
                answer["ResponseTimeHistogram"] = tally.histogram(tally.latency)
            if figures.age:
                answer["ReceivedEventAgeHistogram"] = tally.histogram(tally.age)
            found.append((target, answer))
        return found

    def of_services(self, wanted):
        """Figures of the services that `wanted`, {name, type}, names."""
        return [self.figures[number] for number, service in enumerate(self.services) if _is(service, wanted)]

    def of_edges(self, source=None, target=None):
        """Figures of the edges between the two; of those that come from clients when neither is given."""
        source = source if source or target else {"type": "client"}
        return [figures for low, high, _, figures in self.links
                if _is(self.services[low], source or {}) and _is(self.services[high], target or {})]


class Filed:
    """A recorded answer of GetServiceGraph, its times moved to the window."""

    def __init__(self, entry, folder, _origin, _seed):
        known(entry, GRAPH_KEYS - {"services", "edges", "delay", "late_share"} | {"file"}, "a graph from a file")
        path = os.path.join(folder, os.path.expandvars(entry["file"]))
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        self.services = document.get("response", document)["Services"]
        self.page_size, self.old_groups = size_from(entry, "page_size", PAGE_MAX), bool(entry.get("old_groups"))
        stamps = [part[name] for service in self.services for part in (service, *service.get("Edges", []))
                  for name in ("StartTime", "EndTime") if name in part]
        self.first, self.last = min(stamps, default=0), max(stamps, default=0)

    def nodes(self, start, end, _now, _account):
        def moved(part):
            scale = (end - start) / ((self.last - self.first) or 1)
            return {key: round(start + (value - self.first) * scale, 3) if key in ("StartTime", "EndTime") else value
                    for key, value in part.items() if key not in ("ReferenceId", "Edges")}
        return [(service["ReferenceId"], moved(service),
                 [(edge["ReferenceId"], moved(edge)) for edge in service.get("Edges", [])]) for service in self.services]

    def of_services(self, _wanted):
        return []

    def of_edges(self, _source=None, _target=None):
        return []


def numbered(graphs, chance):
    """The services of several graphs as one answer: ids dealt anew by `chance`, edges to what is not there left out."""
    nodes = [((number, key), answer, [((number, target), edge) for target, edge in edges])
             for number, graph in enumerate(graphs) for key, answer, edges in graph]
    chance.shuffle(nodes)
    ids = list(range(len(nodes)))
    chance.shuffle(ids)
    known = {key: ids[place] for place, (key, _, _) in enumerate(nodes)}
    return [{"ReferenceId": known[key], **answer,
             "Edges": [{"ReferenceId": known[target], **edge} for target, edge in edges if target in known]}
            for key, answer, edges in nodes]


def _times(answer, start, end):
    return {**answer, "StartTime": round(start + 0.25, 3), "EndTime": round(end - 0.5, 3)}


def _is(service, wanted):
    return all(service.get(key) == value for key, value in wanted.items())
