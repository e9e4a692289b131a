"""The X-Ray part of a scenario: groups, graphs, traces and insights, as read from YAML or as posted at run time."""

import re

from .keys import Place, known, size_from
from .series import figure
from .when import duration, instant
from .xray_graph import Described, Filed
from .xray_traces import Traces

KEYS = {"groups", "destination", "graphs", "traces", "traces_page_size", "insights"}
GROUP_KEYS = {"name", "arn", "filter", "insights", "account", "region"}
INSIGHT_KEYS = {"id", "group", "account", "region", "state", "root_cause", "summary", "impact", "vanish_at"}
DESTINATIONS = ("XRay", "CloudWatchLogs")
INSIGHT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.I)


class Group:
    def __init__(self, entry):
        known(entry, GROUP_KEYS, "a group")
        self.place, self.name = Place(entry), entry["name"]
        self.filter, self.insights = entry.get("filter"), bool(entry.get("insights"))
        self.given_arn = entry.get("arn")

    def arn(self, account, region):
        tail = "" if self.name == "Default" else "/SIMULATED" + self.name.encode().hex().upper()
        return self.given_arn or f"arn:aws:xray:{region}:{account}:group/{self.name}{tail}"

    def show(self, account, region):
        filtered = {"FilterExpression": self.filter} if self.filter else {}
        return {"GroupName": self.name, "GroupARN": self.arn(account, region), **filtered,
                "InsightsConfiguration": {"InsightsEnabled": self.insights, "NotificationsEnabled": self.insights}}


class Insight:
    """One insight: not there before its begin, closed from its end on, gone from vanish_at on."""

    def __init__(self, entry, origin, seed):
        known(entry, INSIGHT_KEYS, "an insight")
        self.place, self.id = Place(entry), entry["id"]
        if not INSIGHT_ID.fullmatch(self.id):
            raise ValueError(f"insight id `{self.id}` is no UUID")
        state = known(entry.get("state") or {}, {"begin", "end"}, "an insight's state")
        self.begin = instant(state.get("begin", 0), origin)
        self.end = instant(state["end"], origin) if "end" in state else None
        self.gone = instant(entry["vanish_at"], origin) if "vanish_at" in entry else None
        self.group = entry.get("group", "Default")
        self.root_cause = entry.get("root_cause") or {}
        self.summary = entry.get("summary", "")
        impact = known(entry.get("impact") or {}, {"FaultCount", "OkCount", "TotalCount"}, "an insight's impact")
        self.impact = {name: figure(value, origin, seed) for name, value in impact.items()}

    def seen(self, now):
        return self.begin <= now and (self.gone is None or now < self.gone)

    def state(self, now):
        return "CLOSED" if self.end is not None and now >= self.end else "ACTIVE"

    def show(self, group, account, region, now):
        until = now if self.end is None else min(now, self.end)
        impact = {name: max(0, round(value(until))) for name, value in self.impact.items()}
        cause = {"Name": self.root_cause.get("name", ""), "Names": [self.root_cause.get("name", "")], "AccountId": account,
                 "Type": self.root_cause.get("type", "")}
        closed = {"EndTime": round(self.end, 3)} if self.state(now) == "CLOSED" else {}
        return {"InsightId": self.id, "GroupARN": group.arn(account, region), "GroupName": group.name,
                "RootCauseServiceId": cause, "Categories": ["FAULT"], "State": self.state(now),
                "StartTime": round(self.begin, 3), **closed, "Summary": self.summary,
                "ClientRequestImpactStatistics": impact, "RootCauseServiceRequestImpactStatistics": impact,
                "TopAnomalousServices": [{"ServiceId": cause}]}


class Parts:
    """All of it; replaced as a whole, never changed."""

    def __init__(self, document, folder, origin, seed):
        known(document, KEYS, "xray")
        self.groups = [Group(entry) for entry in document.get("groups") or []]
        if not any(group.name == "Default" for group in self.groups):
            self.groups.insert(0, Group({"name": "Default"}))
        self.graphs = []
        for number, entry in enumerate(document.get("graphs") or []):
            make = Filed if "file" in entry else Described
            self.graphs.append((Place(entry), make(entry, folder, origin, seed + number)))
        self.traces = [(Place(entry), Traces(entry, origin, seed + number, duration(entry.get("delay", 0))))
                       for number, entry in enumerate(document.get("traces") or [])]
        self.traces_page_size = size_from(document, "traces_page_size", 100)
        self.insights = [Insight(entry, origin, seed) for entry in document.get("insights") or []]
        self.destinations = document.get("destination", "XRay")
        for name in self.destinations.values() if isinstance(self.destinations, dict) else [self.destinations]:
            if name not in DESTINATIONS:
                raise ValueError(f"destination `{name}` is none of {', '.join(DESTINATIONS)}")

    def destination(self, region):
        return self.destinations.get(region, "XRay") if isinstance(self.destinations, dict) else self.destinations

    def group(self, name, arn, account, region):
        """The group by name, ARN or both (then of one group); Default when neither is given; None when there is none."""
        if name is None and arn is None:
            name = "Default"
        for group in self.groups:
            if (group.place.covers(account, region) and name in (None, group.name)
                    and arn in (None, group.arn(account, region))):
                return group
        return None


def xray_from(document, folder, origin, seed):
    """Parts of the key `xray` of a scenario; ValueError or KeyError when it is wrong."""
    return Parts(document, folder, origin, seed)
