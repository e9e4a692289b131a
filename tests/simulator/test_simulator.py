#!/usr/bin/python3
"""The stand-in must refuse what AWS refuses: signatures, members, limits; and go wrong exactly as told."""

import email.utils
import http.client
import os
import sys
import time
import unittest
import urllib.error

import botocore.exceptions

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench import KEY, SECRET, Served, admin  # noqa: E402 (its folder must be on the path first)
from awssim import stats  # noqa: E402

SCENARIO = """
start: 2026-01-01T00:00:00Z
accounts:
  - {id: "111122223333", keys: [{access_key_id: %s, secret_access_key: %s}]}
  - {id: "999900001111", deny: ["cloudwatch:GetMetricData"], keys: [{access_key_id: AKIADENIED, secret_access_key: s}]}
roles:
  - {arn: "arn:aws:iam::444455556666:role/tocsin", external_id: not-a-secret}
topics:
  - {arn: "arn:aws:sns:eu-west-1:111122223333:oncall"}
  - {arn: "arn:aws:sns:eu-west-1:111122223333:ordered.fifo"}
metrics:
  - {namespace: Demo, name: Constant, unit: Count, every: 10s, series: 3}
  - {namespace: Demo, name: Noise, every: 10s, series: [50, {noise: 5}]}
  - {namespace: Demo, name: Late, every: 60s, delay: 10m, series: 1}
  - {namespace: Demo, name: Private, account: "444455556666", series: 7}
  - {namespace: Demo, name: Points}
""" % (KEY, SECRET)


def minute(offset=0):
    return int(time.time() // 60 + offset) * 60


def query(name="Constant", period=60, stat="Average", qid="m0", **more):
    return {"Id": qid, "MetricStat": {"Metric": {"Namespace": "Demo", "MetricName": name}, "Period": period, "Stat": stat,
                                      **more}}


def request(*queries, start=-5, end=0, **more):
    return {"StartTime": minute(start), "EndTime": minute(end), "MetricDataQueries": list(queries) or [query()],
            "ScanBy": "TimestampAscending", **more}


class Metrics(Served):
    SCENARIO = SCENARIO

    def get(self, body=None, key=KEY, secret=SECRET, **more):
        return self.signed(request() if body is None else body, key, secret, **more)

    def refused(self, body, code, text=""):
        answer = self.get(body)
        self.assertEqual(answer.code, code, answer.body)
        self.assertIn(text, answer.json.get("message") or "")


class Signatures(Metrics):
    def spoiled(self, change, code, status=403):
        answer = self.get(spoil=change)
        self.assertEqual((answer.code, answer.status), (code, status), answer.body)

    def test_good(self):
        self.assertEqual(self.get().status, 200)

    def test_wrong_secret(self):
        self.assertEqual(self.get(secret="other").code, "InvalidSignatureException")

    def test_unknown_key(self):
        self.assertEqual(self.get(key="AKIANOBODY").code, "UnrecognizedClientException")

    def test_wrong_service(self):
        self.assertEqual(self.get(service="cloudwatch").code, "InvalidSignatureException")

    def test_token_that_is_not_ours(self):
        self.assertEqual(self.get(token="x").code, "UnrecognizedClientException")

    def test_body_changed(self):
        def change(sent):
            sent.data = sent.data.replace(b"Average", b"Maximum")
        self.spoiled(change, "InvalidSignatureException")

    def test_unsigned_amz_header(self):
        self.spoiled(lambda sent: sent.headers.add_header("X-Amz-Other", "1"), "InvalidSignatureException")

    def test_no_authorization(self):
        def change(sent):
            del sent.headers["Authorization"]
        self.spoiled(change, "MissingAuthenticationTokenException")

    def test_malformed_authorization(self):
        def change(sent):
            value = sent.headers["Authorization"]
            del sent.headers["Authorization"]
            sent.headers["Authorization"] = value.replace("SignedHeaders", "Signed")
        self.spoiled(change, "IncompleteSignatureException", 400)

    def test_skew_both_ways(self):
        for offset, text in (("20m", "Signature expired"), ("-20m", "Signature not yet current")):
            admin(self.port, "POST", "clock", {"offset": offset})
            answer = self.get()
            self.assertEqual(answer.code, "InvalidSignatureException")
            self.assertIn(text, answer.json["message"])

    def test_session_of_a_role(self):
        sts = self.client("sts")
        keys = sts.assume_role(RoleArn="arn:aws:iam::444455556666:role/tocsin", RoleSessionName="me", ExternalId="not-a-secret")["Credentials"]
        body = request(query("Private"))
        good = self.get(body, keys["AccessKeyId"], keys["SecretAccessKey"], token=keys["SessionToken"])
        self.assertEqual(set(good.json["MetricDataResults"][0]["Values"]), {7.0})
        self.assertEqual(self.get(body).json["MetricDataResults"][0]["Values"], [], "another account sees nothing")
        self.assertEqual(self.get(body, keys["AccessKeyId"], keys["SecretAccessKey"]).code, "UnrecognizedClientException")
        admin(self.port, "POST", "expire", {})
        ended = self.get(body, keys["AccessKeyId"], keys["SecretAccessKey"], token=keys["SessionToken"])
        self.assertEqual(ended.code, "ExpiredTokenException")

    def test_external_id(self):
        sts = self.client("sts")
        for wrong in ({}, {"ExternalId": "yy"}):
            with self.assertRaises(botocore.exceptions.ClientError) as caught:
                sts.assume_role(RoleArn="arn:aws:iam::444455556666:role/tocsin", RoleSessionName="me", **wrong)
            self.assertIn("not authorized to perform: sts:AssumeRole", str(caught.exception))

    def test_denied_account_names_the_action(self):
        answer = self.get(key="AKIADENIED", secret="s")
        self.assertEqual(answer.code, "AccessDeniedException")
        self.assertIn("is not authorized to perform: cloudwatch:GetMetricData", answer.json["message"])


class Requests(Metrics):
    def test_members(self):
        table = [
            (b"", "SerializationException"), (b"[", "SerializationException"), (b"[]", "SerializationException"),
            (b'{"a":1,"a":2}', "SerializationException"), (b"{}", "ValidationException"),
            (request(Stranger=1), "SerializationException"),
            (request(NextToken=None), "SerializationException"),
            ({**request(), "StartTime": "2026-01-01T00:00:00Z"}, "SerializationException"),
            (request(ScanBy="Upwards"), "SerializationException"),
            (request({**query(), "Id": "M0"}), "ValidationException"),
            (request(query(), query()), "ValidationException"),
            (request({"Id": "m0"}), "ValidationException"),
            (request(query(period=15)), "ValidationException"), (request(query(period=90)), "ValidationException"),
            (request(query(stat="p101")), "ValidationException"), (request(query(stat="Mean")), "ValidationException"),
            (request(query(Unit="Things")), "SerializationException"),
            (request(start=0, end=0), "ValidationException"),
            (request(*[query(qid=f"m{number}") for number in range(501)]), "ValidationException"),
            (request(MaxDatapoints=100801), "ValidationException"),
            (request(NextToken="nobody's"), "InvalidNextToken"),
        ]
        for body, code in table:
            with self.subTest(str(body)[:80]):
                self.refused(body, code)

    def test_other_operation(self):
        answer = self.get(target="GraniteServiceVersion20100801.PutMetricAlarm")
        self.assertEqual((answer.code, answer.status), ("UnknownOperationException", 404))

    def test_values_and_alignment(self):
        results = self.get(request(query(), query(stat="Sum", qid="m1"), query(stat="SampleCount", qid="m2"),
                                   query("Nothing", qid="m3"), query(qid="m4", Unit="Seconds"))).json["MetricDataResults"]
        self.assertEqual([result["Timestamps"] for result in results[:3]], [[minute(at) for at in range(-5, 0)]] * 3)
        self.assertEqual([result["Values"] for result in results], [[3.0] * 5, [18.0] * 5, [6.0] * 5, [], []])
        self.assertEqual({result["StatusCode"] for result in results}, {"Complete"})

    def test_start_is_rounded_down_and_buckets_follow_it(self):
        body = {**request(query(period=300)), "StartTime": minute(-7) + 31}
        stamps = self.get(body).json["MetricDataResults"][0]["Timestamps"]
        self.assertEqual(stamps, [minute(-7), minute(-2)])

    def test_high_resolution(self):
        body = {**request(query(period=10)), "StartTime": minute(-1), "EndTime": minute(0)}
        self.assertEqual(len(self.get(body).json["MetricDataResults"][0]["Values"]), 6)
        old = {**body, "StartTime": minute(-300), "EndTime": minute(-299)}
        self.assertEqual(self.get(old).json["MetricDataResults"][0]["Values"], [])

    def test_newest_first_by_default(self):
        body = request()
        del body["ScanBy"]
        stamps = self.get(body).json["MetricDataResults"][0]["Timestamps"]
        self.assertEqual(stamps, sorted(stamps, reverse=True))

    def test_late_data(self):
        late = self.get(request(query("Late"), start=-20)).json["MetricDataResults"][0]["Timestamps"]
        self.assertLessEqual(late[-1], minute(-10))

    def test_points_pushed(self):
        admin(self.port, "POST", "points", {"namespace": "Demo", "name": "Points", "points": [[minute(-2), 5], [minute(-2), 7]]})
        result = self.get(request(query("Points"), query("Points", stat="Maximum", qid="m1"))).json["MetricDataResults"]
        self.assertEqual([(entry["Timestamps"], entry["Values"]) for entry in result],
                         [([minute(-2)], [6.0]), ([minute(-2)], [7.0])])

    def test_too_many_datapoints_a_second(self):
        self.refused(request(*[query(qid=f"m{number}") for number in range(500)], start=-1000), "ThrottlingException")

    def test_500_queries_are_quick(self):
        body = request(*[query("Noise", qid=f"m{number}", stat="p99") for number in range(500)], start=-15)
        began = time.monotonic()
        self.assertEqual(len(self.get(body).json["MetricDataResults"]), 500)
        print(f"500 queries of 15 minutes: {time.monotonic() - began:.3f} s", file=sys.stderr)

    def test_statistics(self):
        values = [float(number) for number in range(1, 11)]
        table = {"Sum": 55, "Average": 5.5, "Minimum": 1, "Maximum": 10, "SampleCount": 10, "p50": 5, "p90": 9, "p99": 10,
                 "p100": 10, "tm90": 5, "tc90": 9, "ts90": 45, "wm90": 5.4, "TM(10%:90%)": 5.5, "IQM": 5.5,
                 "PR(:5)": 50, "PR(5:8)": 30, "TC(2:5)": 3, "TS(:3)": 6}
        for stat, expected in table.items():
            self.assertAlmostEqual(stats.parse(stat)(values), expected, msg=stat)
        for wrong in ("", "p", "p1000", "P(1:2)", "PR(1%:2%)", "TM(:)", "average", "TM(a:b)"):
            self.assertIsNone(stats.parse(wrong), wrong)


class Expressions(Metrics):
    SCENARIO = SCENARIO + """
  - {namespace: Demo, name: CPU, dimensions: {Host: a, Role: web}, every: 10s, series: 90}
  - {namespace: Demo, name: CPU, dimensions: {Host: b, Role: web}, every: 10s, series: 10}
"""

    def evaluated(self, expression, *inputs, **more):
        answer = self.get(request(*inputs, {"Id": "e", "Expression": expression, "Period": 60, **more}))
        self.assertEqual(answer.status, 200, answer.body)
        return [(result["Label"], result["Values"][:1]) for result in answer.json["MetricDataResults"]]

    def test_math(self):
        constant = query(stat="Sum") | {"ReturnData": False}
        points = query("Points", qid="m1") | {"ReturnData": False}
        for expression, value in (("m0 * 2", [36.0]), ("-(m0 - 8) / 2", [-5.0]), ("m0 + m1", [18.0]), ("m0 / m1", []),
                                  ("FILL(m1, 7)", [7.0]), ("IF(m0 > 17, 1, 0)", [1.0]), ("SUM([m0, m0])", [36.0]),
                                  ("SUM(METRICS(\"m0\"))", [18.0])):
            self.assertEqual(self.evaluated(expression, constant, points), [("e", value)], expression)

    def test_queries_and_searches(self):
        grouped = "SELECT MAX(CPU) FROM SCHEMA(\"Demo\", Host, Role) GROUP BY Host"
        self.assertEqual(self.evaluated(grouped), [("a", [90.0]), ("b", [10.0])])
        self.assertEqual(self.evaluated("SELECT MAX(CPU) FROM SCHEMA(\"Demo\", Host, Role) WHERE Host = 'b'"), [("e", [10.0])])
        self.assertEqual(self.evaluated("SEARCH('{Demo,Host,Role} MetricName=\"CPU\"', 'Average')",
                                        Label="${PROP('Dim.Host')}/${PROP('Dim.Role')}"), [("a/web", [90.0]), ("b/web", [10.0])])

    def test_refusals(self):
        select = {"Expression": "SELECT MAX(x) FROM \"y\""}
        for queries in ([{"Id": "e", "Expression": "NO(m0)"}], [{"Id": "e", "Expression": "m9"}], [{"Id": "e", "Expression": ""}],
                        [{"Id": "e", "Expression": "1 + 1"}], [{"Id": "e", "Expression": "e"}], [{"Id": "e", "Expression": "m0 +"}],
                        [{"Id": "e", "Expression": "SELECT x"}], [{"Id": "e", **select}, {"Id": "f", **select}]):
            self.refused(request(query(), *queries), "ValidationException")


class Paging(Metrics):
    OPTIONS = ("--page-datapoints", "7")

    def test_pages_join_to_the_whole(self):
        body, joined, states = request(query(), query(stat="Sum", qid="m1"), query("Nothing", qid="m2"), start=-10), {}, {}
        for _ in range(10):
            answer = self.get(body).json
            for result in answer["MetricDataResults"]:
                joined.setdefault(result["Id"], []).extend(result["Values"])
                states.setdefault(result["Id"], []).append(result["StatusCode"])
            if "NextToken" not in answer:
                break
            body["NextToken"] = answer["NextToken"]
        self.assertEqual({name: len(values) for name, values in joined.items()}, {"m0": 10, "m1": 10, "m2": 0})
        self.assertEqual(states["m0"], ["PartialData", "Complete"])
        self.refused({**body, "ScanBy": "TimestampDescending"}, "InvalidNextToken")


class Calls(Metrics):
    OPTIONS = ("--calls-per-second", "3")

    def test_throttled_above_the_limit(self):
        codes = [self.get().code for _ in range(8)]
        self.assertEqual(codes[0], None)
        self.assertIn("ThrottlingException", codes)


class Faults(Metrics):
    def test_nth_and_count(self):
        self.fault("throttle", operation="GetMetricData", nth=2, count=2)
        self.assertEqual([self.get().code for _ in range(4)], [None, "ThrottlingException", "ThrottlingException", None])

    def test_other_calls_are_left_alone(self):
        self.fault("throttle", service="sns")
        self.assertEqual(self.get().status, 200)

    def test_kinds(self):
        table = [
            ({"error": {"code": "InternalFailure", "status": 500, "message": None}}, 500, b'InternalFailure"}'),
            ({"status": 503, "retry_after": 2}, 503, b"<html>"), ("denied", 400, b"perform: cloudwatch:GetMetricData"),
            ("expired", 403, b"ExpiredToken"), ({"garbage": 99}, 200, b""), ({"delay_ms": 1}, 200, b"MetricDataResults"),
            ({"messages": [{"Code": "c", "Value": "left out"}]}, 200, b"left out"),
            ({"repeat_token": True}, 200, b"NextToken"),
        ]
        for do, status, text in table:
            admin(self.port, "DELETE", "faults")
            self.fault(do, count=1)
            with self.subTest(str(do)):
                answer = self.get()
                self.assertEqual(answer.status, status)
                self.assertIn(text, answer.body)
                self.assertEqual(self.get().status, 200, "the fault was meant for one call")

    def test_results_forbidden(self):
        self.fault({"results": [{"status": "Forbidden", "metric": "Constant"}]})
        result = self.get(request(query(), query("Noise", qid="m1"))).json["MetricDataResults"]
        self.assertEqual([entry["StatusCode"] for entry in result], ["Forbidden", "Complete"])

    def test_skew_moves_the_date_too(self):
        self.fault({"skew": 1200})
        answer = self.get()
        self.assertEqual(answer.code, "InvalidSignatureException")
        shift = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()
        self.assertTrue(1190 < shift < 1210, shift)

    def test_broken_answers(self):
        for do, expected in (({"truncate": 20}, http.client.IncompleteRead), ({"close": True}, http.client.RemoteDisconnected),
                             ({"reset": True}, ConnectionResetError)):
            admin(self.port, "DELETE", "faults")
            self.fault(do)
            with self.subTest(str(do)), self.assertRaises(expected):
                self.get()
        admin(self.port, "DELETE", "faults")
        self.fault({"huge": 3_000_000})
        self.assertGreaterEqual(len(self.get().body), 3_000_000)

    def test_shortened_answers_look_whole(self):
        self.fault({"shorten": -1})
        answer = self.get()
        self.assertFalse(answer.body.endswith(b"}"), answer.body)
        self.assertEqual(int(answer.headers["Content-Length"]), len(answer.body))

    def test_unknown_words_are_refused(self):
        with self.assertRaises(urllib.error.HTTPError):
            self.fault("explode")


class Topics(Metrics):
    ARN = "arn:aws:sns:eu-west-1:111122223333:oncall"

    def test_publish_and_read_back(self):
        sns = self.client("sns")
        sns.publish(TopicArn=self.ARN, Subject="[FIRING] x", Message='{"default": "d", "sms": "s"}', MessageStructure="json",
                    MessageAttributes={"severity": {"DataType": "String", "StringValue": "critical"}})
        message = admin(self.port, "GET", "published")["messages"][-1]
        self.assertEqual((message["Subject"], message["MessageAttributes"]["severity"]["StringValue"]), ("[FIRING] x", "critical"))
        self.assertEqual(sns.get_topic_attributes(TopicArn=self.ARN)["Attributes"]["SubscriptionsConfirmed"], "1")

    def test_refused(self):
        sns = self.client("sns")
        good = {"TopicArn": self.ARN, "Message": "m"}
        table = [
            ({**good, "Message": ""}, "InvalidParameter"), ({**good, "Subject": "x" * 100}, "InvalidParameter"),
            ({**good, "Subject": "a\nb"}, "InvalidParameter"), ({**good, "Message": "x" * 262145}, "InvalidParameter"),
            ({**good, "Message": "{}", "MessageStructure": "json"}, "InvalidParameter"),
            ({**good, "MessageGroupId": "g"}, "InvalidParameter"), ({**good, "PhoneNumber": "+441"}, "InvalidParameter"),
            ({"PhoneNumber": "0123", "Message": "m"}, "InvalidParameter"),
            ({**good, "TopicArn": self.ARN + "x"}, "NotFound"),
            ({**good, "TopicArn": self.ARN.replace("eu-west-1", "us-east-1")}, "InvalidParameter"),
            ({**good, "TopicArn": "arn:aws:sns:eu-west-1:111122223333:ordered.fifo"}, "InvalidParameter"),
        ]
        for arguments, code in table:
            with self.subTest(str(arguments)[:80]), self.assertRaises(botocore.exceptions.ClientError) as caught:
                sns.publish(**arguments)
            self.assertEqual(caught.exception.response["Error"]["Code"], code, str(arguments)[:80])

    def test_fifo_says_the_same_twice_and_delivers_once(self):
        sns = self.client("sns")
        send = {"TopicArn": "arn:aws:sns:eu-west-1:111122223333:ordered.fifo", "Message": "m", "MessageGroupId": "g",
                "MessageDeduplicationId": "one"}
        first, second = sns.publish(**send), sns.publish(**send)
        self.assertEqual(first["MessageId"], second["MessageId"])
        messages = [entry for entry in admin(self.port, "GET", "published")["messages"] if entry.get("MessageGroupId")]
        self.assertEqual([entry["duplicate"] for entry in messages], [False, True])

    def test_bad_signature_in_xml(self):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.client("sns", secret="wrong").publish(TopicArn=self.ARN, Message="m")
        self.assertEqual(caught.exception.response["Error"]["Code"], "SignatureDoesNotMatch")

    def test_denied_in_sns_words(self):
        admin(self.port, "POST", "faults", [{"match": {"service": "sns"}, "do": "denied"}])
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.client("sns").publish(TopicArn=self.ARN, Message="m")
        self.assertEqual(caught.exception.response["Error"]["Code"], "AuthorizationError")
        self.assertIn("sns:Publish", str(caught.exception))


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # botocore leaves sockets to the garbage collector
