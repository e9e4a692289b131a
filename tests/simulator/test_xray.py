#!/usr/bin/python3
"""The stand-in's X-Ray: refusals in rest-json, graphs that begin and end a fault, pages, traces, insights."""

import json
import os
import re
import sys
import time
import unittest
import urllib.error

import botocore.exceptions

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench import HERE, KEY, SECRET, Served, admin, signed, simulator  # noqa: E402 (its folder must be on the path first)

RECORDED = os.path.join(HERE, "..", "..", "..", "shared", "data", "xray", "get-service-graph.json")
INSIGHT = "5f5b0e60-3f0c-4a5e-9d5a-1f0f3d8a7c11"
GRAPH = {
    "services": [
        {"name": "shop", "type": "client"},
        {"name": "shop", "type": "AWS::EC2::Instance", "root": True, "requests_per_minute": 60, "fault": 25, "error": 10,
         "throttle": 5, "latency": [[0.05, 80], [2.5, 10], [0.4, 10]]},
        {"name": "db", "type": "AWS::DynamoDB::Table", "requests_per_minute": 30, "state": "unknown", "throttle": 10,
         "gone": True},
        {"name": "idle", "requests_per_minute": 0},
        {"name": "zero", "requests_per_minute": 0, "zero": True},
        {"name": "gone", "requests_per_minute": 0, "gone": True},
        {"name": "queue", "type": "AWS::SQS::Queue", "account_id": "999900001111"},
    ],
    "edges": [
        {"from": {"name": "shop", "type": "client"}, "to": {"name": "shop", "type": "AWS::EC2::Instance"}},
        {"from": {"name": "shop", "type": "AWS::EC2::Instance"}, "to": "db", "requests_per_minute": 30, "latency": 0.7},
        {"from": {"name": "shop", "type": "AWS::EC2::Instance"}, "to": "queue", "type": "link", "age": [[3, 1], [9, 1]]},
    ],
}
FAULTY = 'service("shop") {fault}'
SCENARIO = """
accounts:
  - {id: "111122223333", keys: [{access_key_id: %s, secret_access_key: %s}]}
  - {id: "999900001111", deny: ["xray:GetServiceGraph"], keys: [{access_key_id: AKIADENIED, secret_access_key: s}]}
""" % (KEY, SECRET)


class XRay(Served):
    SCENARIO = SCENARIO

    def setUp(self):
        super().setUp()
        self.base = int(time.time() // 60 - 10) * 60  # a window's start, well in the past

    def show(self, **parts):
        return admin(self.port, "POST", "xray", {"start": self.base, **parts})

    def call(self, path, body, **more):
        return self.signed(body, service="xray", target=None, path=path, content_type="application/json", **more)

    def graph(self, low=0, high=60, **more):
        return self.call("/ServiceGraph", {"StartTime": self.base + low, "EndTime": self.base + high, **more})

    def services(self, low=0, high=60, **more):
        """{(name, type): service} and the edges as (from, to, edge) by name."""
        found = self.graph(low, high, **more).json["Services"]
        ids = {service["ReferenceId"]: service for service in found}
        self.assertEqual(len(ids), len(found), "reference ids are unique")
        edges = [(service["Name"], ids[edge["ReferenceId"]]["Name"], edge) for service in found for edge in service["Edges"]]
        return {(service["Name"], service.get("Type")): service for service in found}, edges

    def shop(self, low=0, high=60):
        return self.services(low, high)[0]["shop", "AWS::EC2::Instance"].get("SummaryStatistics")

    def refused(self, answer, code, status, text=""):
        self.assertEqual((answer.code, answer.status), (code, status), answer.body)
        self.assertIn(text, answer.json.get("Message", answer.json.get("message", "")))


class Refusals(XRay):
    def test_requests(self):
        window = {"StartTime": self.base, "EndTime": self.base + 60}
        insights = {**window, "GroupName": "Default"}
        bad, long = "InvalidRequestException", {"StartTime": self.base, "EndTime": self.base + 21601}
        table = [
            ("/ServiceGraph", b"", "SerializationException"), ("/ServiceGraph", b"[]", "SerializationException"),
            ("/ServiceGraph", {**window, "Stranger": 1}, "SerializationException"),
            ("/ServiceGraph", {**window, "StartTime": "2026-01-01"}, "SerializationException"),
            ("/ServiceGraph", {}, bad), ("/ServiceGraph", long, bad),
            ("/ServiceGraph", {**window, "EndTime": self.base}, bad),
            ("/ServiceGraph", {**window, "GroupName": "default"}, bad),
            ("/ServiceGraph", {**window, "GroupARN": "arn:aws:xray:eu-west-1:111122223333:group/x"}, bad),
            ("/ServiceGraph", {**window, "NextToken": "nobody's"}, bad),
            ("/TraceSummaries", long, bad), ("/TraceSummaries", {**window, "TimeRangeType": "Other"}, "SerializationException"),
            ("/TraceSummaries", {**window, "Sampling": "no"}, "SerializationException"),
            ("/Traces", {"TraceIds": []}, bad), ("/Traces", {"TraceIds": ["1-00000000-" + "0" * 24] * 6}, bad),
            ("/Traces", {"TraceIds": ["x"]}, bad), ("/Groups", {"NextToken": "x"}, bad),
            ("/InsightSummaries", window, bad), ("/InsightSummaries", {**insights, "MaxResults": 101}, bad),
            ("/InsightSummaries", {**insights, "StartTime": self.base - 31 * 86400}, bad),
            ("/InsightSummaries", {**insights, "States": ["ACTIVE", "CLOSED"]}, bad),
            ("/Insight", {"InsightId": INSIGHT[:-1] + "0"}, bad),
            ("/TimeSeriesServiceStatistics", {**window, "Period": 30}, bad),
            ("/TimeSeriesServiceStatistics", {**window, "EntitySelectorExpression": "service(a)"}, bad),
            ("/TimeSeriesServiceStatistics", long, bad), ("/GetTraceSegmentDestination", {"a": 1}, "SerializationException"),
        ]
        for path, body, code in table:
            with self.subTest(f"{path} {str(body)[:80]}"):
                self.refused(self.call(path, body), code, 400)
        self.refused(self.graph(0, 21601), bad, 400, "Time range cannot be longer than 6 hours")
        self.assertEqual(self.graph(-21540, 60).status, 200)

    def test_envelope(self):
        self.refused(self.call("/Nothing", {}), "UnknownOperationException", 404)
        self.refused(self.call("/ServiceGraph", {}, secret="other"), "InvalidSignatureException", 403)
        self.refused(self.graph(GroupName="none"), "InvalidRequestException", 400, "none")
        self.assertIn(":http://", self.graph(GroupName="none").headers["x-amzn-ErrorType"])
        wrong = self.signed({}, service="xray", target=None, path="/Groups", content_type="text/plain")
        self.refused(wrong, "SerializationException", 400)
        denied = self.call("/ServiceGraph", {"StartTime": 1, "EndTime": 2}, key="AKIADENIED", secret="s")
        self.refused(denied, "AccessDeniedException", 403, "not authorized to perform: xray:GetServiceGraph")

    def test_faults(self):
        self.fault("throttle", service="xray", operation="GetGroups", count=1)
        self.refused(self.call("/Groups", {}), "ThrottledException", 429, "Rate exceeded")
        self.fault({"error": {"code": "ServiceUnavailable", "status": 503, "message": None}}, service="xray", count=1)
        self.refused(self.call("/Groups", {}), "ServiceUnavailable", 503)
        self.fault({"repeat_token": True}, service="xray")
        first = self.call("/Groups", {}).json["NextToken"]
        self.assertEqual(self.call("/Groups", {"NextToken": first}).json["NextToken"], first)
        self.assertEqual(admin(self.port, "GET", "calls?operation=GetGroups&limit=1")["calls"][0]["service"], "xray")

    def test_scenario(self):
        for wrong in ({"graph": []}, {"graphs": [{"service": []}]}, {"destination": "Nowhere"}, {"insights": [{"id": "x"}]},
                      {"graphs": [{"services": [{"name": "a"}], "edges": [{"from": "a", "to": "b"}]}]},
                      {"traces": [{"filter": "x", "per_hour": 3}]}, {"graphs": [{"services": [], "page_size": 0}]}):
            with self.subTest(str(wrong)), self.assertRaises(urllib.error.HTTPError):
                self.show(**wrong)


class Graphs(XRay):
    def test_figures(self):
        self.show(graphs=[GRAPH])
        services, edges = self.services()
        shop = services["shop", "AWS::EC2::Instance"]
        self.assertEqual(shop["SummaryStatistics"], {
            "OkCount": 39, "ErrorStatistics": {"ThrottleCount": 3, "OtherCount": 3, "TotalCount": 6},
            "FaultStatistics": {"OtherCount": 15, "TotalCount": 15}, "TotalCount": 60, "TotalResponseTime": 19.8})
        values = [(entry["Value"], entry["Count"]) for entry in shop["ResponseTimeHistogram"]]
        self.assertEqual(sorted(values), [(0.05, 48), (0.4, 6), (2.5, 6)])
        self.assertNotEqual(values, sorted(values), "the histogram is not sorted")
        self.assertEqual((shop["Root"], shop["AccountId"], shop["State"]), (True, "111122223333", "active"))
        self.assertEqual(services["queue", "AWS::SQS::Queue"]["AccountId"], "999900001111")
        for quiet in (("shop", "client"), ("idle", None)):
            self.assertNotIn("SummaryStatistics", services[quiet])
        self.assertEqual(services["zero", None]["SummaryStatistics"]["TotalCount"], 0)
        self.assertNotIn(("gone", None), services)
        errors = services["db", "AWS::DynamoDB::Table"]["SummaryStatistics"]["ErrorStatistics"]
        self.assertEqual(errors, {"ThrottleCount": 3, "OtherCount": 0, "TotalCount": 3}, "what is throttled is an error")
        by_ends = {(source, target): edge for source, target, edge in edges}
        self.assertEqual(by_ends["shop", "shop"]["SummaryStatistics"], shop["SummaryStatistics"], "its target's figures")
        self.assertEqual(by_ends["shop", "db"]["SummaryStatistics"]["TotalResponseTime"], 21.0)
        link = by_ends["shop", "queue"]
        self.assertEqual((link["EdgeType"], len(link["ReceivedEventAgeHistogram"])), ("link", 2))
        self.assertNotIn("ResponseTimeHistogram", link)

    def test_counts_follow_the_window(self):
        self.show(graphs=[GRAPH])
        self.assertEqual([self.shop(0, seconds)["TotalCount"] for seconds in (10, 60, 300, 600)], [10, 60, 300, 600])
        before, total, after = time.time(), self.shop(-5 * 3600, 3600)["TotalCount"], time.time()
        self.assertTrue(before - 1 < self.base - 5 * 3600 + total < after + 1, "not the future")

    def test_histograms_are_never_sorted(self):
        services = [{"name": f"of {size}", "latency": [[(number + 1) / 100, 1] for number in range(size)]}
                    for size in range(2, 9)]
        self.show(graphs=[{"services": services}])
        for (name, _), service in self.services()[0].items():
            values = [entry["Value"] for entry in service["ResponseTimeHistogram"]]
            self.assertNotEqual(values, sorted(values), name)
            self.assertEqual(sum(entry["Count"] for entry in service["DurationHistogram"]), 60)

    def test_fault_begins_and_ends(self):
        shop = {"name": "shop", "type": "AWS::EC2::Instance", "requests_per_minute": 60,
                "fault": [{"step": {"at": "90s", "for": "90s", "by": 50}}], "latency": [0.1, {"step": {"at": "2m", "by": 1}}]}
        self.show(graphs=[{"services": [shop]}])
        faults = [self.shop(low, low + 60)["FaultStatistics"]["TotalCount"] for low in range(0, 300, 60)]
        self.assertEqual(faults, [0, 15, 30, 0, 0])
        self.assertAlmostEqual(self.shop(60, 180)["TotalResponseTime"], 6 + 66)

    def test_fractions_amount_to_the_rate(self):
        self.show(graphs=[{"services": [{"name": "shop", "type": "AWS::EC2::Instance", "requests_per_minute": 2.5}]}])
        counts = [self.shop(low, low + 60)["TotalCount"] for low in range(-6000, 0, 60)]
        self.assertEqual(set(counts), {2, 3})
        self.assertTrue(220 < sum(counts) < 280, sum(counts))

    def test_late_requests(self):
        self.show(graphs=[{"services": GRAPH["services"][1:2], "delay": "5m", "late_share": 0.4}])
        end = int(time.time()) - self.base
        self.assertEqual(self.shop(end - 120, end - 60)["TotalCount"], 36)
        admin(self.port, "POST", "clock", {"offset": 240})  # within the signature's window
        self.assertEqual(self.shop(end - 120, end - 60)["TotalCount"], 60)

    def test_pages(self):
        self.show(graphs=[{**GRAPH, "page_size": 2, "old_groups": True}])
        body, orders = {"StartTime": self.base, "EndTime": self.base + 60}, set()
        for _ in range(5):
            found = self.pages(lambda sent: self.call("/ServiceGraph", sent), body)
            self.assertEqual([len(page["Services"]) for page in found], [2, 2, 2])
            self.assertTrue(all(page["ContainsOldGroupVersions"] for page in found))
            services = [service for page in found for service in page["Services"]]
            ids = {service["ReferenceId"]: service["Name"] for service in services}
            self.assertEqual(sorted(ids), list(range(6)))
            edges = [(service["Name"], ids[edge["ReferenceId"]]) for service in services for edge in service["Edges"]]
            self.assertEqual(sorted(edges), [("shop", "db"), ("shop", "queue"), ("shop", "shop")])
            orders.add(tuple(ids))
        self.assertGreater(len(orders), 1, "ids differ from answer to answer")
        self.assertTrue(any(list(order) != sorted(order) for order in orders), "and do not count up")
        token = self.graph().json["NextToken"]
        self.refused(self.graph(0, 120, NextToken=token), "InvalidRequestException", 400)

    def test_where(self):
        named = [{"services": [{"name": name}], **where} for name, where in (
            ("all", {}), ("paris", {"region": "eu-west-3"}), ("other", {"account": "999900001111"}), ("grouped", {"group": "g"}))]
        self.show(graphs=named, groups=[{"name": "g", "insights": True}])

        def names(**more):
            return sorted(service["Name"] for service in self.graph(**more).json["Services"])
        self.assertEqual(names(), ["all"])
        self.assertEqual(names(GroupName="g"), ["all", "grouped"])
        arn = next(group["GroupARN"] for group in self.call("/Groups", {}).json["Groups"] if group["GroupName"] == "g")
        self.assertEqual(names(GroupARN=arn), ["all", "grouped"])
        paris = self.call("/ServiceGraph", {"StartTime": self.base, "EndTime": self.base + 60}, region="eu-west-3").json
        self.assertEqual(sorted(service["Name"] for service in paris["Services"]), ["all", "paris"])

    def test_numbers_take_all_forms(self):
        self.show(graphs=[GRAPH])
        text = self.graph().body.decode()
        for form in (r'Time":\d+[,}]', r'Time":\d+\.\d+[,}]', r'Time":1\.\d+E9[,}]'):
            self.assertRegex(text, form)
        stamps = {service["StartTime"] for service in json.loads(text)["Services"]}
        self.assertEqual(stamps, {self.base + 0.25})

    def test_botocore_reads_it(self):
        self.show(graphs=[GRAPH], groups=[{"name": "g", "filter": "fault"}], destination={"eu-west-1": "CloudWatchLogs"})
        xray = self.client("xray")
        self.assertEqual(len(xray.get_service_graph(StartTime=self.base, EndTime=self.base + 60)["Services"]), 6)
        self.assertEqual(xray.get_groups()["Groups"][1]["FilterExpression"], "fault")
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            xray.get_service_graph(StartTime=self.base, EndTime=self.base + 60, GroupName="none")
        self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidRequestException")
        self.assertEqual(self.call("/GetTraceSegmentDestination", {}).json, {"Destination": "CloudWatchLogs", "Status": "ACTIVE"})
        admin(self.port, "DELETE", "xray")
        self.assertEqual(self.call("/GetTraceSegmentDestination", {}).json["Destination"], "XRay")
        self.assertEqual(self.graph().json["Services"], [])

    def test_scenario_file(self):
        part = """
xray:
  groups: [{name: g, arn: "arn:aws:xray:eu-west-1:111122223333:group/g/X"}]
  graphs: [{group: g, services: [{name: shop, requests_per_minute: [60, {step: {at: -5m, for: 2m, by: 60}}]}]}]
"""
        with simulator(f"start: {self.base + 600}{SCENARIO}{part}") as port:
            def total(low, **more):
                body = {"StartTime": self.base + low, "EndTime": self.base + low + 60, **more}
                answer = signed(port, body, KEY, SECRET, service="xray", target=None, path="/ServiceGraph",
                                content_type="application/json").json
                return [service["SummaryStatistics"]["TotalCount"] for service in answer["Services"]]
            self.assertEqual(total(300), [])
            self.assertEqual([total(low, GroupName="g") for low in (240, 300, 360, 420)], [[60], [120], [120], [60]])

    def test_time_series(self):
        self.show(graphs=[GRAPH])
        body = {"StartTime": self.base, "EndTime": self.base + 300}
        table = [({}, "EdgeSummaryStatistics", [60] * 5), ({"Period": 300}, "EdgeSummaryStatistics", None),
                 ({"EntitySelectorExpression": 'service(id(name:"db",type:"AWS::DynamoDB::Table"))'},
                  "ServiceSummaryStatistics", [30] * 5),
                 ({"EntitySelectorExpression": 'edge(id(name:"shop", type:"AWS::EC2::Instance"), id(name:"db"))'},
                  "EdgeSummaryStatistics", [30] * 5),
                 ({"EntitySelectorExpression": 'service(id(name:"idle"))'}, "ServiceSummaryStatistics", [])]
        for more, member, counts in table:
            with self.subTest(str(more)):
                series = self.call("/TimeSeriesServiceStatistics", {**body, **more}).json["TimeSeriesServiceStatistics"]
                found = [entry[member]["TotalCount"] for entry in series]
                self.assertEqual(sum(found) if counts is None else found, 300 if counts is None else counts)

    @unittest.skipUnless(os.path.exists(RECORDED), "the recorded answers are not here")
    def test_recorded_graph(self):
        self.show(graphs=[{"file": RECORDED, "page_size": 3}])
        found = self.pages(lambda sent: self.call("/ServiceGraph", sent), {"StartTime": self.base, "EndTime": self.base + 60})
        services = [service for page in found for service in page["Services"]]
        with open(RECORDED, encoding="utf-8") as file:
            recorded = json.load(file)["Services"]

        def bare(part):
            return {key: value for key, value in part.items() if key not in ("ReferenceId", "StartTime", "EndTime", "Edges")}

        def told(listed):
            names = {service["ReferenceId"]: (service["Name"], service["Type"]) for service in listed}
            return sorted((names[service["ReferenceId"]], json.dumps(bare(service), sort_keys=True), sorted(
                (names[edge["ReferenceId"]], json.dumps(bare(edge), sort_keys=True)) for edge in service["Edges"]))
                for service in listed)
        self.assertEqual(told(services), told(recorded), "but for ids and times all is as recorded")
        for part in services + [edge for service in services for edge in service["Edges"]]:
            self.assertTrue(self.base <= part["StartTime"] <= part["EndTime"] <= self.base + 60, part)


class TracesAndInsights(XRay):
    def summaries(self, low=0, high=60, **more):
        body = {"StartTime": self.base + low, "EndTime": self.base + high, **more}
        return self.pages(lambda sent: self.call("/TraceSummaries", sent), body)

    def ids(self, *args, **more):
        return [entry["Id"] for page in self.summaries(*args, **more) for entry in page["TraceSummaries"]]

    def test_summaries(self):
        self.show(traces_page_size=5, traces=[
            {"filter": FAULTY, "per_minute": 12, "ids": "abc", "fault": True, "exception": "Timeout", "service": "shop"},
            {"filter": "error", "per_minute": [3, {"step": {"at": "1m", "by": 60}}], "error": True, "ids": "not hex"},
            {"filter": "fault &&", "invalid": True}])
        pages = self.summaries(FilterExpression=FAULTY)
        self.assertEqual([len(page["TraceSummaries"]) for page in pages], [5, 0, 5, 2])
        self.assertEqual([page["TracesProcessedCount"] for page in pages], [5, 5, 5, 2])
        entries = [entry for page in pages for entry in page["TraceSummaries"]]
        self.assertTrue(all(entry["HasFault"] and not entry["HasError"] for entry in entries))
        self.assertEqual(entries[0]["FaultRootCauses"][0]["Services"][0]["EntityPath"][0]["Exceptions"][0]["Name"], "Timeout")
        starts = [entry["StartTime"] for entry in entries]
        self.assertEqual(starts, sorted(starts, reverse=True))
        for entry in entries:
            match = re.fullmatch(r"1-([0-9a-f]{8})-abc[0-9a-f]{21}", entry["Id"])
            self.assertEqual(int(match.group(1), 16), int(entry["StartTime"]))
        self.assertEqual(sorted(self.ids(0, 30, FilterExpression=FAULTY) + self.ids(30, 60, FilterExpression=FAULTY)),
                         sorted(entry["Id"] for entry in entries), "the same ids whatever the window")
        self.assertEqual([len(self.ids(low, low + 60, FilterExpression="error")) for low in (0, 60)], [3, 63])
        self.assertEqual(len(set(self.ids())), 15, "without an expression all")
        self.assertEqual(self.ids(FilterExpression="other"), [])
        bad = self.call("/TraceSummaries", {"StartTime": self.base, "EndTime": self.base + 60, "FilterExpression": "fault &&"})
        self.refused(bad, "InvalidRequestException", 400)

    def test_time_ranges(self):
        self.show(traces=[{"filter": "slow", "per_minute": 60, "response_time": 30, "delay": "1m"}])
        self.assertEqual(len(self.ids()), 60)
        ended = [entry for page in self.summaries(TimeRangeType="Service") for entry in page["TraceSummaries"]]
        self.assertEqual({entry["MatchedEventTime"] - entry["StartTime"] for entry in ended}, {30})
        self.assertEqual(min(entry["StartTime"] for entry in ended), self.base - 30)
        before, newest = time.time(), self.summaries(0, 660)[0]["TraceSummaries"][0]["StartTime"]
        self.assertTrue(before - 92 < newest <= time.time() - 90, "those that are not over or late are not there yet")

    def test_traces(self):
        self.show(traces=[{"filter": "a", "per_minute": 2, "fault": True, "exception": "Timeout", "service": "shop"},
                          {"filter": "b", "per_minute": 1, "unprocessed": True}])
        plain, held = self.ids(FilterExpression="a"), self.ids(FilterExpression="b")
        strange = f"1-{self.base:08x}-{'0' * 24}"
        answer = self.call("/Traces", {"TraceIds": plain + held + [strange]}).json
        self.assertEqual(sorted(trace["Id"] for trace in answer["Traces"]), sorted(plain))
        self.assertEqual(answer["UnprocessedTraceIds"], held)
        document = json.loads(answer["Traces"][0]["Segments"][0]["Document"])
        self.assertEqual((document["trace_id"], document["fault"], document["cause"]["exceptions"][0]["type"]),
                         (answer["Traces"][0]["Id"], True, "Timeout"))
        self.assertAlmostEqual(document["end_time"] - document["start_time"], 0.084, 3)
        self.assertIn("E9,", answer["Traces"][0]["Segments"][0]["Document"])
        again = self.call("/Traces", {"TraceIds": held}).json
        self.assertEqual([trace["Id"] for trace in again["Traces"]], held)

    def test_insights(self):
        self.show(groups=[{"name": "g", "insights": True}, {"name": "off"}], insights=[
            {"id": INSIGHT, "group": "g", "state": {"begin": "1m", "end": "12m"}, "vanish_at": "14m", "summary": "it fails",
             "root_cause": {"name": "db", "type": "AWS::DynamoDB::Table"},
             "impact": {"FaultCount": {"ramp": {"per_hour": 3600}}, "OkCount": 1, "TotalCount": 2}},
            {"id": INSIGHT[:-1] + "2", "group": "off"}])

        def seen(group="g", **more):
            body = {"GroupName": group, "StartTime": self.base, "EndTime": self.base + 3600, **more}
            return self.call("/InsightSummaries", body).json["InsightSummaries"]
        first = seen(States=["ACTIVE"])[0]
        self.assertEqual((first["InsightId"], first["State"], first["Summary"], first["RootCauseServiceId"]["Name"]),
                         (INSIGHT, "ACTIVE", "it fails", "db"))
        self.assertNotIn("EndTime", first)
        self.assertEqual((seen(States=["CLOSED"]), seen("off"), seen(EndTime=self.base + 30)), ([], [], []))
        admin(self.port, "POST", "clock", {"offset": 150})
        insight = self.call("/Insight", {"InsightId": INSIGHT}).json["Insight"]
        self.assertEqual((insight["State"], insight["EndTime"]), ("CLOSED", self.base + 720))
        self.assertEqual(insight["ClientRequestImpactStatistics"]["FaultCount"], 720)
        self.assertNotIn("LastUpdateTime", insight)
        admin(self.port, "POST", "clock", {"offset": 270})
        self.assertEqual(seen(), [])
        self.refused(self.call("/Insight", {"InsightId": INSIGHT}), "InvalidRequestException", 400)


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # botocore leaves sockets to the garbage collector
