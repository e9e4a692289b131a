"""CloudTrail records: where a scenario gets them from, and what LookupEvents says around one."""

import json
import os
import uuid

from .keys import known
from .when import duration, instant, iso

FILE_KEYS = {"file", "account", "region", "begin", "speed", "shift", "delay"}
EVENT_KEYS = {"event", "at", "every", "count", "account", "region", "delay", "visible_at", "bare"}
HOME = "us-east-1"
READING = ("Get", "List", "Describe", "Lookup", "Head", "BatchGet")
# request parameter -> type of the resource that it names
NAMED = {"bucketName": "AWS::S3::Bucket", "userName": "AWS::IAM::User", "roleName": "AWS::IAM::Role",
         "instanceId": "AWS::EC2::Instance", "groupId": "AWS::EC2::SecurityGroup", "keyId": "AWS::KMS::Key"}


class Filed:
    """The records of a file: JSON lines, or one document with Records. Times as they are, or moved to the start."""

    def __init__(self, entry, folder, start):
        known(entry, FILE_KEYS, "events from a file")
        if entry.get("shift", "now") != "now":
            raise ValueError(f"shift can be `now`, not `{entry['shift']}`")
        self.entry, self.path = entry, os.path.join(folder, os.path.expandvars(entry["file"]))
        with open(self.path, encoding="utf-8") as file:
            records = [record for line in _documents(file.read()) for record in unwrapped(line)]
        if not records:
            raise ValueError(f"{self.path}: no CloudTrail records")
        self.rows = self._placed(records, start)  # (time, record), in the file's order

    def _placed(self, records, start):
        times = _times(records, start)
        if not {"begin", "speed", "shift"} & set(self.entry):
            return list(zip(times, records))
        first = max(times) if "shift" in self.entry else min(times)
        begin, speed = instant(self.entry.get("begin", first), first), float(self.entry.get("speed", 1))
        moved = [int(start + (at - begin) / speed) for at in times]
        return [(at, {**record, "eventTime": iso(at)}) for at, record in zip(moved, records)]

    def due(self, _now):
        """What was not handed out yet and is to be known at `now`; the trail itself hides what is not visible yet."""
        rows, self.rows = self.rows, []
        return rows


class Described:
    """One event of the scenario, once or every so often."""

    def __init__(self, entry, start):
        known(entry, EVENT_KEYS, "an event")
        known(entry["event"], entry["event"], "an event's record")
        self.entry, self.done = entry, 0
        self.at = instant(entry.get("at", 0), start)
        self.every = duration(entry["every"]) if "every" in entry else None
        if self.every is not None and self.every <= 0:
            raise ValueError("every must be above 0")
        self.count = int(entry.get("count", 1 << 60 if self.every else 1))

    def due(self, now):
        rows = []
        while self.done < self.count and self.at + self.done * (self.every or 0) <= now:
            at = int(self.at + self.done * (self.every or 0))
            rows.append((at, {**self.entry["event"], "eventTime": iso(at)}))
            self.done += 1
        return rows


def feed_from(entry, folder, start):
    if not isinstance(entry, dict) or ("file" in entry) == ("event" in entry):
        raise ValueError("an entry of cloudtrail's events has either `file` or `event`")
    return Filed(entry, folder, start) if "file" in entry else Described(entry, start)


def _documents(text):
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def unwrapped(document):
    """The records in a line: a log file's Records, EventBridge's detail, LookupEvents' answer, or the record itself."""
    if not isinstance(document, dict):
        return []
    if isinstance(document.get("Records"), list):
        return [record for inner in document["Records"] for record in unwrapped(inner)]
    if isinstance(document.get("detail"), dict):
        return unwrapped(document["detail"])
    if isinstance(document.get("response"), dict):
        return [json.loads(event["CloudTrailEvent"]) for event in document["response"].get("Events", [])]
    return [document] if {"eventName", "eventSource", "eventVersion", "insightDetails"} & set(document) else []


def _times(records, start):
    """Whole seconds; a record without a time has that of the one before it, and the first ones that of the first that has one."""
    found = [time_of(record) for record in records]
    last = next((at for at in found if at is not None), int(start))
    for number, at in enumerate(found):
        last = found[number] = last if at is None else at
    return found


def time_of(record):
    try:
        return int(instant(record["eventTime"], 0)) if isinstance(record.get("eventTime"), str) else None
    except ValueError:
        return None


def filled(record, account, region, name):
    """`record` with what every record has and this one leaves out."""
    always = {"eventID": name, "awsRegion": region, "recipientAccountId": account}
    if record.get("eventType") == "AwsCloudTrailInsight":
        return {"eventVersion": "1.07", "eventCategory": "Insight", **always, **record}
    identity = {"type": "IAMUser", "principalId": "AIDASIMULATED", "arn": f"arn:aws:iam::{account}:user/simulated",
                "accountId": account, "accessKeyId": "AKIASIMULATED", "userName": "simulated"}
    return {"eventVersion": "1.08", "userIdentity": identity, "eventSource": "ec2.amazonaws.com", "eventName": "Simulated",
            "sourceIPAddress": "192.0.2.7", "userAgent": "simulated", "requestParameters": None, "responseElements": None,
            "requestID": str(uuid.uuid5(uuid.NAMESPACE_OID, name)), "readOnly": _reads(record), "eventType": "AwsApiCall",
            "managementEvent": True, "eventCategory": "Management", **always, **record}


def envelope(record, at, name):
    """LookupEvents' own members around a record, each derived from it, left out where it says nothing of the kind."""
    identity = record["userIdentity"] if isinstance(record.get("userIdentity"), dict) else {}
    read_only = record.get("readOnly", _reads(record))
    members = {"EventName": record.get("eventName"), "EventSource": record.get("eventSource"),
               "Username": _user(identity), "AccessKeyId": identity.get("accessKeyId")}
    return {"EventId": name, "EventTime": at, "ReadOnly": str(read_only).lower(),
            **{key: value for key, value in members.items() if isinstance(value, str) and value},
            "Resources": list(_resources(record))}


def _reads(record):
    return str(record.get("eventName", "")).startswith(READING)


def _user(identity):
    """Root and users by name, a role by its session's name."""
    if identity.get("type") == "Root":
        return "root"
    arn = identity.get("arn")
    if identity.get("type") == "AssumedRole" and isinstance(arn, str):
        return arn.rsplit("/", 1)[-1]
    return identity.get("userName")


def _resources(record):
    listed = record["resources"] if isinstance(record.get("resources"), list) else []
    for entry in listed:
        if isinstance(entry, dict):
            given = {"ResourceType": entry.get("type"), "ResourceName": entry.get("ARN")}
            yield {key: value for key, value in given.items() if isinstance(value, str)}
    parameters = record["requestParameters"] if isinstance(record.get("requestParameters"), dict) else {}
    for key, kind in NAMED.items():
        if isinstance(parameters.get(key), str):
            yield {"ResourceType": kind, "ResourceName": parameters[key]}


def category(record):
    """insight, management, or what LookupEvents never shows."""
    kind = record.get("eventCategory")
    if kind == "Insight" or record.get("eventType") == "AwsCloudTrailInsight":
        return "insight"
    return "management" if kind in (None, "Management") and record.get("managementEvent") is not False else "other"
