#!/usr/bin/python3
"""The stand-in's CloudTrail: pages, lookups, two calls a second, and events that come late, twice and out of order."""

import glob
import json
import os
import sys
import time
import unittest
import urllib.error

import botocore.exceptions

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench import HERE, KEY, SECRET, Served, admin, simulator  # noqa: E402 (its folder must be on the path first)
from awssim.cloudtrail_records import Filed, category, envelope  # noqa: E402

DATA = os.path.join(HERE, "..", "..", "..", "shared", "data", "cloudtrail")
TARGET = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
ACCOUNTS = """
accounts:
  - {id: "111122223333", keys: [{access_key_id: %s, secret_access_key: %s}]}
  - {id: "999900001111", deny: ["cloudtrail:LookupEvents"], keys: [{access_key_id: AKIADENIED, secret_access_key: s}]}
  - {id: "444455556666", keys: [{access_key_id: AKIAOTHER, secret_access_key: s}]}
""" % (KEY, SECRET)


class Trail(Served):
    SCENARIO = ACCOUNTS + "cloudtrail: {calls_per_second: 0}\n"

    def setUp(self):
        super().setUp()
        admin(self.port, "DELETE", "events")
        self.now = int(time.time())

    def call(self, body=None, key=KEY, secret=SECRET, region="us-east-1", **more):
        return self.signed({} if body is None else body, key, secret, service="cloudtrail", region=region,
                           **{"target": TARGET, "content_type": "application/x-amz-json-1.1", **more})

    def post(self, *events):
        return admin(self.port, "POST", "events", list(events))["ids"]

    def events(self, body=None, **more):
        return [event for page in self.pages(lambda sent: self.call(sent, **more), body or {}) for event in page["Events"]]

    def names(self, body=None, **more):
        return [event["EventName"] for event in self.events(body, **more)]

    def refused(self, answer, code, status=400):
        self.assertEqual((answer.code, answer.status), (code, status), answer.body)


def made(name, at=-60, **more):
    return {"event": {"eventName": name, **more}, "at": at}


class Refusals(Trail):
    def test_requests(self):
        name = [{"AttributeKey": "EventName", "AttributeValue": "A"}]
        table = [
            (b"", "SerializationException"), (b"[]", "SerializationException"), ({"Stranger": 1}, "SerializationException"),
            ({"StartTime": "2026-01-01"}, "SerializationException"), ({"NextToken": "x"}, "InvalidNextTokenException"),
            ({"StartTime": 1000, "EndTime": 999}, "InvalidTimeRangeException"), ({"EndTime": 1e300}, "SerializationException"),
            ({"MaxResults": 0}, "InvalidMaxResultsException"), ({"MaxResults": 51}, "InvalidMaxResultsException"),
            ({"LookupAttributes": name * 2}, "InvalidLookupAttributesException"),
            ({"LookupAttributes": [{**name[0], "AttributeKey": "Name"}]}, "InvalidLookupAttributesException"),
            ({"LookupAttributes": [{**name[0], "AttributeValue": "x" * 2001}]}, "InvalidLookupAttributesException"),
            ({"LookupAttributes": [{"AttributeKey": "EventName"}]}, "InvalidLookupAttributesException"),
            ({"LookupAttributes": "EventName"}, "InvalidLookupAttributesException"),
            ({"EventCategory": "data"}, "InvalidEventCategoryException"),
        ]
        for body, code in table:
            with self.subTest(str(body)[:80]):
                self.refused(self.call(body), code)

    def test_envelope(self):
        self.refused(self.call(target=TARGET.replace("LookupEvents", "StopLogging")), "UnknownOperationException", 404)
        self.refused(self.call(content_type="application/x-amz-json-1.0"), "UnknownOperationException", 404)
        self.refused(self.call(secret="other"), "InvalidSignatureException", 403)
        self.refused(self.call(key="AKIADENIED", secret="s"), "AccessDeniedException")
        self.assertEqual(self.call({"MaxResults": 0}).json["__type"], "InvalidMaxResultsException", "without a prefix")
        self.assertEqual(self.call().headers["Content-Type"], "application/x-amz-json-1.1")
        self.fault("throttle", service="cloudtrail", count=1)
        self.refused(self.call(), "ThrottlingException")
        self.fault({"repeat_token": True}, service="cloudtrail")
        first = self.call().json["NextToken"]
        self.assertEqual(self.call({"NextToken": first}).json["NextToken"], first)

    def test_scenario(self):
        for wrong in ("{event: []}", "{events: [{}]}", "{events: [{event: {}, every: 0}]}", "{delay: {min: 1}}",
                      "{events: [{file: none.jsonl}]}", "{events: [{event: {}, shift: now}]}"):
            with self.subTest(wrong), self.assertRaises(RuntimeError), simulator(f"{ACCOUNTS}cloudtrail: {wrong}\n"):
                pass
        with self.assertRaises(urllib.error.HTTPError):
            self.post({"event": {"eventName": "A"}, "later": 1})


class Lookups(Trail):
    def test_pages_newest_first(self):
        ids = self.post(*(made(f"E{number}", -number) for number in range(120)))
        answers = self.pages(self.call, {"StartTime": self.now - 1000})
        self.assertEqual([len(answer["Events"]) for answer in answers], [50, 50, 20])
        found = [event for answer in answers for event in answer["Events"]]
        self.assertEqual([event["EventId"] for event in found], ids)
        self.assertEqual([event["EventTime"] for event in found], sorted((event["EventTime"] for event in found), reverse=True))
        self.assertEqual(len(self.call({"MaxResults": 7}).json["Events"]), 7)
        token = self.call({"StartTime": self.now - 1000}).json["NextToken"]
        self.refused(self.call({"StartTime": self.now - 1001, "NextToken": token}), "InvalidNextTokenException")

    def test_new_events_move_the_pages(self):
        self.post(*(made(f"E{number}", -10 - number) for number in range(60)))
        first = self.call().json
        self.post(made("New", -1))
        second = self.call({"NextToken": first["NextToken"]}).json["Events"]
        self.assertEqual(len(second), 11)
        self.assertEqual(second[0]["EventId"], first["Events"][-1]["EventId"], "the same event comes twice")

    def test_both_ends_are_inclusive(self):
        base = self.now - 300
        self.post(*({"event": {"eventName": f"E{number}"}, "at": base + number} for number in range(5)))
        self.assertEqual(self.names({"StartTime": base + 1, "EndTime": base + 3}), ["E3", "E2", "E1"])
        self.assertEqual(self.names({"StartTime": base + 1.9, "EndTime": base + 1.2}), ["E1"], "to the second")

    def test_attributes(self):
        record = {"eventSource": "s3.amazonaws.com", "readOnly": False, "requestParameters": {"bucketName": "b"},
                  "resources": [{"type": "AWS::KMS::Key", "ARN": "arn:aws:kms:us-east-1:111122223333:key/k"}],
                  "userIdentity": {"type": "AssumedRole", "accessKeyId": "ASIA1", "arn": "arn:aws:sts::1:assumed-role/r/ann"}}
        wanted = self.post(made("PutBucketPolicy", -5, **record), made("ListBuckets"))[0]
        table = {"EventId": wanted, "EventName": "PutBucketPolicy", "ReadOnly": "false", "Username": "ann",
                 "ResourceType": "AWS::S3::Bucket", "ResourceName": "arn:aws:kms:us-east-1:111122223333:key/k",
                 "EventSource": "s3.amazonaws.com", "AccessKeyId": "ASIA1"}
        for key, value in table.items():
            with self.subTest(key):
                self.assertEqual(self.names({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}),
                                 ["PutBucketPolicy"])
        self.assertEqual(self.names({"LookupAttributes": [{"AttributeKey": "Username", "AttributeValue": "Ann"}]}), [])
        event = self.events()[0]
        self.assertEqual((event["ReadOnly"], json.loads(event["CloudTrailEvent"])["readOnly"]), ("false", False))
        self.assertEqual([resource["ResourceType"] for resource in event["Resources"]], ["AWS::KMS::Key", "AWS::S3::Bucket"])

    def test_where_and_what(self):
        self.post({**made("Here"), "region": "eu-west-1"}, made("There", awsRegion="eu-west-3"), made("Home"),
                  {**made("Other"), "account": "444455556666"}, made("Old", "-91d"), made("Data", managementEvent=False),
                  made("Read", eventCategory="Data"), {"event": {"eventType": "AwsCloudTrailInsight"}})
        self.assertEqual([self.names(region=region) for region in ("eu-west-1", "eu-west-3", "us-east-1")],
                         [["Here"], ["There"], ["Home"]])
        self.assertEqual(self.names(key="AKIAOTHER", secret="s"), ["Other"])
        insights = self.events({"EventCategory": "insight"})
        self.assertEqual((len(insights), "EventName" in insights[0]), (1, False))

    def test_posted_records_stay_as_they_are(self):
        record = {"eventName": "ConsoleLogin", "eventTime": "2020-01-01T00:00:00Z", "eventID": "same", "userIdentity": "odd"}
        self.assertEqual(self.post(record, record), ["same", "same"])
        self.assertEqual(self.post({"eventName": "Bare"})[0].count("-"), 4)
        inner = json.loads(self.events({"StartTime": self.now - 90})[0]["CloudTrailEvent"])
        self.assertEqual(set(inner), {"eventName", "eventTime"})
        counted = admin(self.port, "GET", "events")["events"]
        self.assertEqual(counted, [{"account": "111122223333", "region": "us-east-1", "events": 3, "visible": 3}])

    def test_late(self):
        self.post({**made("Late", -10), "delay": "2m"}, {**made("Later"), "visible_at": "3m"})
        self.assertEqual(self.names(), [])
        admin(self.port, "POST", "clock", {"offset": 130})
        self.assertEqual(self.names(), ["Late"])
        admin(self.port, "POST", "clock", {"offset": 190})
        self.assertEqual(self.names(), ["Late", "Later"])

    def test_botocore_reads_it(self):
        self.post({**made("StopLogging"), "region": "eu-west-1"})
        client = self.client("cloudtrail")
        event = client.lookup_events(StartTime=self.now - 90, LookupAttributes=[
            {"AttributeKey": "EventName", "AttributeValue": "StopLogging"}])["Events"][0]
        self.assertEqual(event["EventTime"].timestamp(), self.now - 60)
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            client.lookup_events(StartTime=2, EndTime=1)
        self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidTimeRangeException")


class Limited(Trail):
    SCENARIO = ACCOUNTS

    def test_two_calls_a_second(self):
        admin(self.port, "POST", "clock", {"offset": 10})  # away from other tests' calls
        for _ in range(20):
            began = time.monotonic()
            codes = [self.call().code for _ in range(4)]
            if time.monotonic() - began < 1:  # on a machine that is busy all may be let through
                break
            time.sleep(1.05)
        self.assertEqual(codes, [None, None, "ThrottlingException", "ThrottlingException"])
        self.assertEqual(self.call(region="eu-west-1").status, 200, "another region has calls of its own")
        self.assertEqual(self.call(key="AKIAOTHER", secret="s").status, 200, "so has another account")
        time.sleep(1.05)
        self.assertEqual(self.call().status, 200)


class Feeds(Trail):
    SCENARIO = ACCOUNTS + """
cloudtrail:
  calls_per_second: 0
  delay: {min: 30s, max: 2m}
  repeat: 0.3
  reorder: true
  log_calls: true
  events:
    - {event: {eventName: Often}, at: -1h, every: 30s, count: 100}
    - {event: {eventName: Twice, eventID: given}, at: -59m, every: 1s, count: 2, delay: 0}
    - {event: {eventName: Soon}, at: 3m, delay: 0}
"""

    def setUp(self):
        Served.setUp(self)  # the scenario's events stay
        self.now = int(time.time())

    def test_repeated_late_and_out_of_order(self):
        events = self.events({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "Often"}]})
        ids = [event["EventId"] for event in events]
        self.assertEqual(len(set(ids)), 100)
        self.assertTrue(110 < len(ids) < 150, f"{len(ids)}: some appear again")
        inner = {json.loads(event["CloudTrailEvent"])["eventID"]: event["EventTime"] for event in events}
        self.assertEqual(set(inner), set(ids))
        steps = sorted(inner.values())
        self.assertEqual({late - early for early, late in zip(steps, steps[1:])}, {30})
        stamps = [event["EventTime"] for event in events]
        self.assertNotEqual(stamps[:50], sorted(stamps[:50], reverse=True))
        self.assertGreaterEqual(min(stamps[:50]), max(stamps[50:100]), "only within a page")

    def test_ids_are_unique(self):
        twice = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "Twice"}]}
        found = {event["EventTime"]: event["EventId"] for event in self.events(twice)}
        self.assertEqual((len(set(found.values())), found[min(found)]), (2, "given"))

    def test_what_is_to_come(self):
        soon = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "Soon"}], "EndTime": self.now + 1000}
        self.assertEqual(self.names(soon), [])
        admin(self.port, "POST", "clock", {"offset": 240})
        self.assertIn("Soon", self.names(soon))

    def test_calls_are_events(self):
        own = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "LookupEvents"}]}
        recent = {"StartTime": self.now, "EndTime": self.now + 100}
        self.call(recent)
        self.assertEqual(self.events({**own, **recent}), [], "not before the delay has passed")
        admin(self.port, "POST", "clock", {"offset": 130})
        event = self.events({**own, **recent})[-1]
        record = json.loads(event["CloudTrailEvent"])
        self.assertEqual((event["ReadOnly"], event["EventSource"], event["AccessKeyId"], record["readOnly"]),
                         ("true", "cloudtrail.amazonaws.com", KEY, True))
        self.assertTrue(record["requestParameters"]["startTime"].endswith("Z"), record)

    def test_delays_differ(self):
        self.post(*(made("Delayed", 0) for _ in range(50)))
        found = []
        for offset in (5, 70, 125):
            admin(self.port, "POST", "clock", {"offset": offset})
            found.append(len({event["EventId"] for event in self.events(
                {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "Delayed"}], "EndTime": self.now + 100})}))
        self.assertEqual((found[0], found[2]), (0, 50))
        self.assertTrue(10 < found[1] < 45, found)


@unittest.skipUnless(os.path.isdir(DATA), "the recorded events are not here")
class Recorded(unittest.TestCase):
    def records(self, name, **more):
        return Filed({"file": os.path.join(DATA, name), **more}, "", 1_750_000_000).rows

    def test_every_file_is_served(self):
        counts = {}
        for path in sorted(glob.glob(os.path.join(DATA, "*.jsonl")) + glob.glob(os.path.join(DATA, "raw", "*.json"))):
            if path.endswith(".labels.jsonl"):
                continue
            rows = self.records(path)
            counts[os.path.basename(path).split("_")[0]] = len(rows)
            for at, record in rows:
                around = envelope(record, at, "id")
                self.assertIn(around["ReadOnly"], ("true", "false"))
                self.assertTrue(all(isinstance(around.get(key, ""), str) for key in ("EventName", "Username", "EventSource")))
        self.assertEqual(counts, {
            "aws-cli-examples.jsonl": 1, "aws-guide-examples.jsonl": 11, "invictus-2023-07-10.jsonl": 1448,
            "panther-rule-tests.jsonl": 227, "stackstate-changes.jsonl": 43, "stratus-detonations.jsonl": 142,
            "218007301253": 26})

    def test_times_are_moved(self):
        plain = self.records("invictus-2023-07-10.jsonl")
        self.assertTrue(all(record["eventTime"].startswith("2023-07-10T") for _, record in plain))
        newest, span = max(at for at, _ in plain), max(at for at, _ in plain) - min(at for at, _ in plain)
        past = [at for at, _ in self.records("invictus-2023-07-10.jsonl", shift="now")]
        self.assertEqual((max(past), max(past) - min(past)), (1_750_000_000, span))
        fast = [at for at, _ in self.records("invictus-2023-07-10.jsonl", begin="2023-07-10T11:45:00Z", speed=10)]
        self.assertEqual(max(fast), int(1_750_000_000 + (newest - 1688989500) / 10))

    def test_through_the_wire(self):
        path = os.path.join(DATA, "invictus-2023-07-10.jsonl")
        feed = f"cloudtrail: {{calls_per_second: 0, events: [{{file: {path}, shift: now, region: eu-west-1}}]}}\n"
        records = {record["eventID"]: record for _, record in self.records(path) if category(record) == "management"}
        with simulator(ACCOUNTS + feed) as port:
            trail = Trail()
            trail.port = port
            began = time.monotonic()
            found = trail.events(region="eu-west-1")
            print(f"{len(found)} recorded events: {time.monotonic() - began:.3f} s", file=sys.stderr)
        self.assertEqual({event["EventId"] for event in found}, set(records))
        self.assertEqual(len(found), len(records))
        for event in found:
            inner = json.loads(event["CloudTrailEvent"])
            self.assertEqual({**inner, "eventTime": 0}, {**records[event["EventId"]], "eventTime": 0})
            self.assertTrue(time.time() - 90 * 86400 < event["EventTime"] <= time.time())


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # botocore leaves sockets to the garbage collector
