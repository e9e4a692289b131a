"""X-Ray as rest-json: service graph, trace summaries, traces, groups, insights and where segments go."""

import itertools
import math
import random
import re

from .errors import REST, AwsError
from .model import Model
from .pages import Pages
from .xray_graph import Tally, numbered
from .xray_traces import TRACE_ID

WINDOW_MAX_S = 6 * 3600
KEPT_S = 30 * 86400
TRACES_MAX = 5  # ids a call of BatchGetTraces
GROUPS_A_PAGE = 50
INSIGHTS_MAX = 100
ASKED_MAX = 100_000  # ids remembered for `unprocessed`
PERIODS = (60, 300)
ENTITY = r'id\(\s*name:\s*"([^"]+)"\s*(?:,\s*type:\s*"([^"]+)"\s*)?\)'


class XRay:
    """Answers from the world's X-Ray part, which a test may replace between two calls."""

    signing_name, action_prefix, protocol = "xray", "xray", REST

    def __init__(self, world):
        self.world, self.model, self.pages = world, Model("xray"), Pages()
        self.operations = {
            "GetServiceGraph": self._graph, "GetTraceSummaries": self._summaries, "BatchGetTraces": self._traces,
            "GetGroups": self._groups, "GetInsightSummaries": self._insights, "GetInsight": self._insight,
            "GetTimeSeriesServiceStatistics": self._series, "GetTraceSegmentDestination": self._destination}
        self.paths = self.model.paths(self.operations)
        self.answers, self.asked = itertools.count(), set()

    def call(self, operation, request, key, region, now, twist):
        """The answer as a dictionary; what it does not hold waits under its NextToken."""
        self.model.check_operation(operation, request)
        if "NextToken" in request:
            left = self.pages.find(request)
            if left is None:
                raise _refused("NextToken is not valid")
        else:
            left = self.operations[operation](request, key.account, region, now)
        answer, left = left[0], left[1:]
        if left:
            answer = {**answer, "NextToken": self.pages.keep(request, left)}
        if twist.get("repeat_token"):
            answer = {**answer, "NextToken": self.pages.keep(request, left or [answer], request.get("NextToken"))}
        return answer

    def _group(self, request, account, region):
        group = self.world.xray.group(request.get("GroupName"), request.get("GroupARN"), account, region)
        if group is None:
            raise _refused(f"Group {request.get('GroupName') or request.get('GroupARN')} does not exist")
        return group

    # Each of these answers with the list of its pages

    def _graph(self, request, account, region, now):
        start, end = _window(request)
        group = self._group(request, account, region)
        graphs = self._graphs(account, region, group)
        chance = random.Random(f"{self.world.seed}:{next(self.answers)}")
        services = numbered([graph.nodes(start, end, now, account) for graph in graphs], chance)
        head = {"StartTime": start, "EndTime": end, "ContainsOldGroupVersions": any(graph.old_groups for graph in graphs)}
        pages = _cut(services, min((graph.page_size for graph in graphs), default=1))
        return [{**head, "Services": page} for page in pages]

    def _graphs(self, account, region, group):
        return [graph for place, graph in self.world.xray.graphs if place.covers(account, region, group.name)]

    def _series(self, request, account, region, now):
        start, end = _window(request)
        period = request.get("Period", PERIODS[0])
        if period not in PERIODS:
            raise _refused(f"Period must be one of {PERIODS}")
        graphs = self._graphs(account, region, self._group(request, account, region))
        selected, member = _selected(graphs, request.get("EntitySelectorExpression"))
        entries = []
        for low in range(int(start // period * period), math.ceil(end), period):
            tally = Tally(low)
            for late, figures in selected:
                figures.add(tally, max(low, start), min(low + period, end), now, late)
            if tally.whole(tally.total):
                entries.append({"Timestamp": low, member: tally.statistics(),
                                "ResponseTimeHistogram": tally.histogram(tally.latency)})
        return [{"TimeSeriesServiceStatistics": entries,
                 "ContainsOldGroupVersions": any(graph.old_groups for graph in graphs)}]

    def _summaries(self, request, account, region, now):
        start, end = _window(request)
        wanted, by_end = request.get("FilterExpression"), request.get("TimeRangeType", "TraceId") != "TraceId"
        entries = [traces for place, traces in self.world.xray.traces
                   if place.covers(account, region) and wanted in (None, traces.filter)]
        if wanted is not None and any(traces.invalid for traces in entries):
            raise _refused(f"Invalid filter expression: {wanted}")
        found = sorted(((stamp, name, at, traces) for traces in entries if not traces.invalid
                        for stamp, name, at in traces.between(start, end, now, by_end)),
                       key=lambda entry: entry[:2], reverse=True)
        size = self.world.xray.traces_page_size
        pages = []
        for number, page in enumerate(_cut(found, size)):
            if number % 2:  # scanned, and nothing found: a page without summaries that still has a token
                pages.append({"TraceSummaries": [], "ApproximateTime": start, "TracesProcessedCount": size})
            pages.append({"TraceSummaries": [
                {**traces.summary(name, at, account), **({"MatchedEventTime": stamp} if by_end else {})}
                for stamp, name, at, traces in page], "ApproximateTime": start, "TracesProcessedCount": len(page)})
        return pages

    def _traces(self, request, account, region, now):
        names = request["TraceIds"]
        if not 1 <= len(names) <= TRACES_MAX:
            raise _refused(f"TraceIds must have 1 to {TRACES_MAX} members")
        for name in names:
            if not TRACE_ID.fullmatch(name):
                raise _refused(f"Invalid trace id: {name}")
        found, left = [], []
        for name, (place, traces) in itertools.product(dict.fromkeys(names), self.world.xray.traces):
            at = traces.find(name, now) if place.covers(account, region) else None
            if at is None:
                continue
            if traces.unprocessed and name not in self.asked and len(self.asked) < ASKED_MAX:
                self.asked.add(name)
                left.append(name)
            else:
                found.append(traces.trace(name, at))
        return [{"Traces": found, "UnprocessedTraceIds": left}]

    def _groups(self, _request, account, region, _now):
        groups = [group.show(account, region) for group in self.world.xray.groups if group.place.covers(account, region)]
        return [{"Groups": page} for page in _cut(groups, GROUPS_A_PAGE)]

    def _insights(self, request, account, region, now):
        start, end = _ordered(request)
        if start < now - KEPT_S:
            raise _refused("StartTime must be within the last 30 days")
        if request.get("GroupName") is None and request.get("GroupARN") is None:
            raise _refused("GroupName or GroupARN is required")
        if len(request.get("States", [])) > 1 or not 1 <= request.get("MaxResults", 1) <= INSIGHTS_MAX:
            raise _refused("States may have 1 member, MaxResults be 1 to 100")
        group = self._group(request, account, region)
        found = [{**insight.show(group, account, region, now), "LastUpdateTime": round(now, 3)}
                 for insight in self._seen(account, region, now)
                 if group.insights and insight.group == group.name and insight.begin <= end
                 and (insight.end is None or insight.end >= start)
                 and insight.state(now) in (request.get("States") or ["ACTIVE", "CLOSED"])]
        return [{"InsightSummaries": page} for page in _cut(found, request.get("MaxResults", INSIGHTS_MAX))]

    def _seen(self, account, region, now):
        return [insight for insight in self.world.xray.insights if insight.place.covers(account, region) and insight.seen(now)]

    def _insight(self, request, account, region, now):
        for insight in self._seen(account, region, now):
            group = self.world.xray.group(insight.group, None, account, region)
            if insight.id.lower() == request["InsightId"].lower() and group:
                return [{"Insight": insight.show(group, account, region, now)}]
        raise _refused(f"Insight {request['InsightId']} does not exist")

    def _destination(self, _request, _account, region, _now):
        return [{"Destination": self.world.xray.destination(region), "Status": "ACTIVE"}]


def _refused(text):
    return AwsError("validation", text)


def _ordered(request):
    start, end = request["StartTime"], request["EndTime"]
    if start >= end:
        raise _refused("StartTime must be before EndTime")
    return start, end


def _window(request):
    start, end = _ordered(request)
    if end - start > WINDOW_MAX_S:
        raise _refused("Time range cannot be longer than 6 hours")
    return start, end


def _cut(items, size):
    return [items[at:at + size] for at in range(0, len(items), size)] or [[]]


def _selected(graphs, expression):
    """([(late, figures)], the member that tells them) of an EntitySelectorExpression; without one, the clients' edges."""
    service = re.fullmatch(rf"\s*service\(\s*{ENTITY}\s*\)\s*", expression or "")
    edge = re.fullmatch(rf"\s*edge\(\s*{ENTITY}\s*,\s*{ENTITY}\s*\)\s*", expression or "")
    if expression is not None and not service and not edge:
        raise _refused(f"Invalid entity selector expression: {expression}")

    def entity(match, at):
        return {key: value for key, value in (("name", match.group(at)), ("type", match.group(at + 1))) if value}
    if service:
        return [(graph.late, figures) for graph in graphs
                for figures in graph.of_services(entity(service, 1))], "ServiceSummaryStatistics"
    ends = (entity(edge, 1), entity(edge, 3)) if edge else ()
    return [(graph.late, figures) for graph in graphs for figures in graph.of_edges(*ends)], "EdgeSummaryStatistics"
