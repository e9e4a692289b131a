"""CloudWatch as JSON 1.0: GetMetricData with its limits, roundings, pages and resolution rules."""

import collections
import math
import re
import threading

from . import expressions, stats
from .errors import JSON, AwsError
from .model import Model
from .pages import Pages

QUERIES_MAX = 500
DATAPOINTS_MAX = 100_800
RATE_NEAR, RATE_FAR = 180_000, 396_000  # datapoints asked for a second, StartTime within 3 h or further back
HOUR, DAY = 3600, 86400
NAMESPACE = re.compile(r"[^:].*")


class CloudWatch:
    """Answers GetMetricData from the world's metrics. One object for all threads."""

    signing_name, action_prefix = "monitoring", "cloudwatch"
    target, protocol = "GraniteServiceVersion20100801", JSON

    def __init__(self, world, page_datapoints=DATAPOINTS_MAX, page_results=QUERIES_MAX, rate_factor=1.0):
        self.world, self.model = world, Model("cloudwatch")
        self.page_datapoints, self.page_results = page_datapoints, page_results
        self.rate_factor = rate_factor
        self.pages = Pages()
        self.asked = collections.defaultdict(collections.deque)  # (account, region) -> (time, datapoints)
        self.lock = threading.Lock()

    def call(self, operation, request, key, region, now, twist):
        """The answer as a dictionary. `twist` holds what an injected fault changes in a good answer."""
        if operation != "GetMetricData":
            raise AwsError("no_such_operation", None)
        self.model.check(self.model.operation(operation).input_shape, request)
        token = request.get("NextToken")
        if token:
            results = self.pages.find(request)
            if results is None:
                raise AwsError("bad_token", "The next token specified is invalid.")
        else:
            self._check(request, now)
            self._check_rate(key, region, request, now)
            results = self._results(request, key, region, now, twist)
        limit = min(request.get("MaxDatapoints", DATAPOINTS_MAX), self.page_datapoints)
        page, rest = _split(results, limit, self.page_results)
        answer = {"MetricDataResults": page, "Messages": []}
        if twist.get("messages"):
            answer["Messages"] = twist["messages"]
        if rest:
            answer["NextToken"] = self.pages.keep(request, rest)
        if twist.get("repeat_token"):
            answer["NextToken"] = self.pages.keep(request, rest, token)
        return answer

    # What the service refuses

    def _check(self, request, now):
        queries = request["MetricDataQueries"]
        if not queries:
            raise AwsError("validation", "The parameter MetricDataQueries is required.")
        if len(queries) > QUERIES_MAX:
            raise AwsError("validation", f"The collection MetricDataQueries must not have a size greater than {QUERIES_MAX}.")
        start, end = request["StartTime"], request["EndTime"]
        if start >= end:
            raise AwsError("validation", "The parameter StartTime must be less than the parameter EndTime.")
        if not 1 <= request.get("MaxDatapoints", 1) <= DATAPOINTS_MAX:
            raise AwsError("validation", f"The value for MaxDatapoints must be between 1 and {DATAPOINTS_MAX}.")
        seen = set()
        for query in queries:
            self._check_query(query, seen)
        if sum(1 for query in queries if expressions.is_query(query.get("Expression", ""))) > 1:
            raise AwsError("validation", "A request can have one Metrics Insights query only.")
        if sum(1 for query in queries if query.get("ReturnData", True)) == 0:
            raise AwsError("validation", "At least one of the MetricDataQueries must return data.")

    def _check_query(self, query, seen):
        name = query["Id"]
        if not re.fullmatch(r"[a-z][A-Za-z0-9_]{0,254}", name):
            raise AwsError("validation", f"The value {name} for parameter MetricDataQueries.member.1.Id is not matching the "
                           "expected pattern ^[a-z][a-zA-Z0-9_]*$.")
        if name in seen:
            raise AwsError("validation", f"The values for parameter id in MetricDataQueries are not unique: {name}.")
        seen.add(name)
        if ("MetricStat" in query) == ("Expression" in query):
            raise AwsError("validation", f"Either MetricStat or Expression must be specified for {name}.")
        if "Expression" in query:
            if not 1 <= len(query["Expression"]) <= 2048:
                raise AwsError("validation", f"The length of the expression {name} must be 1 to 2048.")
            return
        stat = query["MetricStat"]
        _check_period(stat["Period"], name)
        if not stats.known(stat["Stat"]):
            raise AwsError("validation", f"The value {stat['Stat']} for parameter MetricDataQueries.member.Stat is not supported.")
        _check_metric(stat["Metric"])

    def _check_rate(self, key, region, request, now):
        """180,000 datapoints a second, counted from what is asked, not from what exists."""
        asked = sum(math.ceil((request["EndTime"] - request["StartTime"]) /
                              (query["MetricStat"] if "MetricStat" in query else query).get("Period", 60))
                    for query in request["MetricDataQueries"])
        limit = (RATE_NEAR if request["StartTime"] >= now - 3 * HOUR else RATE_FAR) * self.rate_factor
        with self.lock:
            recent = self.asked[key.account, region]
            while recent and recent[0][0] <= now - 1:
                recent.popleft()
            if sum(count for _, count in recent) + asked > limit:
                raise AwsError("throttle", "Rate exceeded")
            recent.append((now, asked))

    # What it answers

    def _results(self, request, key, region, now, twist):
        def read(stat):
            return dict(self._points(stat, request, key, region, now))

        def find(namespace, name, dimensions):
            return [(found, lambda statistic, period, found=found, metric_name=metric_name: read(
                {"Metric": {"Namespace": namespace, "MetricName": metric_name,
                            "Dimensions": [{"Name": n, "Value": v} for n, v in found.items()]},
                 "Period": period, "Stat": statistic}))
                    for metric_name, found in self.world.book.like(key.account, region, namespace, name, dimensions)]

        stats_of = [query["MetricStat"] for query in request["MetricDataQueries"] if "MetricStat" in query]
        evaluation = expressions.Evaluation(request, read, find, stats_of[0]["Period"] if stats_of else 60)
        results = []
        for query in request["MetricDataQueries"]:
            if "Expression" in query:  # wrong ones are refused, their data wanted or not
                found = self._expression(evaluation, query, request, twist)
                results += found if query.get("ReturnData", True) else []
            elif query.get("ReturnData", True):
                results.append(self._result(query, request, key, region, now, twist))
        return results

    def _expression(self, evaluation, query, request, twist):
        """The results of one expression: one, or one for each series of a list."""
        try:
            value = evaluation.series_of(query["Id"])
        except expressions.Refused as refused:
            raise AwsError("validation", f"Error in expression '{query['Id']}': {refused}") from None
        except (TypeError, AttributeError):
            raise AwsError("validation", f"Error in expression '{query['Id']}': operands do not fit") from None
        if not isinstance(value, (dict, list)):
            raise AwsError("validation", f"Error in expression '{query['Id']}': it gives no time series")
        backwards = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        results = []
        for found, series in value if isinstance(value, list) else [("", value)]:
            times = sorted(series, reverse=backwards)
            result = {"Id": query["Id"], "Label": expressions.label_of(query.get("Label"), found, query["Id"]),
                      "StatusCode": "Complete", "Timestamps": times, "Values": [series[at] for at in times]}
            forced = _forced_status(twist.get("results", ()), query["Id"], result["Label"])
            if forced:
                result.update({"StatusCode": forced["status"], "Timestamps": [], "Values": []})
            results.append(result)
        return results

    def _points(self, stat, request, key, region, now):
        metric_id = stat["Metric"]
        dimensions = {entry["Name"]: entry["Value"] for entry in metric_id.get("Dimensions", [])}
        start, period = round_start(request["StartTime"], stat["Period"], now), stat["Period"]
        metric = self.world.book.find(key.account, region, metric_id["Namespace"], metric_id["MetricName"], dimensions)
        if metric and _stored(period, start, now) and stat.get("Unit") in (None, metric.unit):
            return metric.datapoints(stat["Stat"], start, request["EndTime"], period, now)
        return []

    def _result(self, query, request, key, region, now, twist):
        stat = query["MetricStat"]
        metric_id = stat["Metric"]
        points = self._points(stat, request, key, region, now)
        if request.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            points.reverse()
        result = {"Id": query["Id"], "Label": query.get("Label", metric_id["MetricName"]), "StatusCode": "Complete",
                  "Timestamps": [at for at, _ in points], "Values": [value for _, value in points]}
        forced = _forced_status(twist.get("results", ()), query["Id"], metric_id["MetricName"])
        if forced:
            result.update({"StatusCode": forced["status"], "Timestamps": [], "Values": []})
            result["Messages"] = [{"Code": forced["status"], "Value": forced.get("message", "The result is not available.")}]
        return result


def round_start(start, period, now):
    """As GetMetricData rounds StartTime: the older, the coarser."""
    age = now - start
    if age >= 63 * DAY:
        return math.floor(start / HOUR) * HOUR
    if age >= 15 * DAY:
        return math.floor(start / 300) * 300
    grain = period if period < 60 else 60
    return math.floor(start / grain) * grain


def _stored(period, start, now):
    """Fine periods are kept for a while only: 3 h below a minute, 15 days below 5 minutes, 63 days below an hour."""
    age = now - start
    if age > 63 * DAY:
        return period % HOUR == 0
    if age > 15 * DAY:
        return period % 300 == 0
    return period % 60 == 0 or age <= 3 * HOUR + 60


def _check_period(period, name):
    if period not in (1, 5, 10, 20, 30) and (period < 60 or period % 60):
        raise AwsError("validation", f"The parameter Period for {name} must be 1, 5, 10, 20, 30 or a multiple of 60.")
    if period > DAY * 455:
        raise AwsError("validation", f"The parameter Period for {name} is too long.")


def _check_metric(metric):
    namespace, name = metric.get("Namespace", ""), metric.get("MetricName", "")
    if not namespace or not name or len(namespace) > 255 or len(name) > 255 or not NAMESPACE.fullmatch(namespace):
        raise AwsError("validation", "The parameter MetricDataQueries.member.1.MetricStat.Metric is not valid.")
    dimensions = metric.get("Dimensions", [])
    if len(dimensions) > 30:
        raise AwsError("validation", "The collection Dimensions must not have a size greater than 30.")
    for entry in dimensions:
        for text, most in ((entry["Name"], 255), (entry["Value"], 1024)):
            if not text.strip() or len(text) > most or not text.isascii():
                raise AwsError("validation", f"Dimension {entry['Name']} is not valid.")
    if len({entry["Name"] for entry in dimensions}) != len(dimensions):
        raise AwsError("invalid_parameter", "Dimension names must be unique.")


def _forced_status(rules, query_id, name):
    for rule in rules:
        if rule.get("id", query_id) == query_id and rule.get("metric", name) == name:
            return rule
    return None


def _split(results, datapoints, count):
    """What fits in one page, and the rest. A result that is cut says PartialData on all pages but its last."""
    page, room = [], datapoints
    for number, result in enumerate(results):
        length = len(result["Values"])
        if len(page) >= count or (room <= 0 and length):
            return page, results[number:]
        if length > room:
            head = {**result, "StatusCode": "PartialData", "Timestamps": result["Timestamps"][:room],
                    "Values": result["Values"][:room]}
            tail = {**result, "Timestamps": result["Timestamps"][room:], "Values": result["Values"][room:]}
            return page + [head], [tail] + results[number + 1:]
        page.append(result)
        room -= length
    return page, []
