"""CloudTrail as JSON 1.1: LookupEvents over events that come late, twice and out of order, at two calls a second."""

import bisect
import collections
import hashlib
import itertools
import json
import random
import threading
import uuid

from .cloudtrail_records import EVENT_KEYS, HOME, category, envelope, feed_from, filled, time_of
from .errors import JSON11, AwsError
from .keys import known
from .model import Model
from .pages import Pages
from .when import duration, instant, iso

KEYS = {"events", "delay", "repeat", "reorder", "log_calls", "calls_per_second"}
CALLS_PER_SECOND = 2
PAGE_MAX = 50
KEPT_S = 90 * 86400
EVENTS_MAX = 500_000  # an account and region; the oldest go first
VALUE_MAX = 2000
AGAIN_S = 60  # how much later, at most, an event is seen for the second time


class Seen:
    """One event as LookupEvents shows it, from `visible` on."""

    __slots__ = ("time", "visible", "kind", "envelope", "text")

    def __init__(self, time, visible, kind, around, text):
        self.time, self.visible, self.kind, self.envelope, self.text = time, visible, kind, around, text

    def show(self):
        return {**self.envelope, "CloudTrailEvent": self.text}


class Trail:
    """All events of the simulated accounts. One object for all threads."""

    def __init__(self, document, folder, start, seed, account):
        known(document, KEYS, "cloudtrail")
        self.seed, self.account, self.lock = seed, account, threading.Lock()
        self.delay, self.repeat = document.get("delay", 0), float(document.get("repeat", 0))
        self.reorder, self.log_calls = bool(document.get("reorder")), bool(document.get("log_calls"))
        self.calls_per_second = int(document.get("calls_per_second", CALLS_PER_SECOND))
        self._wait(self.delay, "")
        self.feeds = [feed_from(entry, folder, start) for entry in document.get("events") or []]
        self.books = collections.defaultdict(list)  # (account, region) -> events, oldest first
        self.names = set()

    def _chance(self, name, what):
        """From 0 to 1, the same for the same event in every run."""
        digest = hashlib.sha256(f"{self.seed}:{what}:{name}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / (1 << 48)

    def _wait(self, delay, name):
        """Seconds from an event to its being seen: a duration, or {min, max}."""
        if not isinstance(delay, dict):
            return duration(delay)
        low, high = (duration(known(delay, {"min", "max"}, "delay")[key]) for key in ("min", "max"))
        return low + (high - low) * self._chance(name, "delay")

    def _fresh(self, *what):
        """An id that is the same in every run, and nobody else's."""
        for number in itertools.count():
            name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.seed}:{number}:{what!r}"))
            if name not in self.names:
                return name

    def _add(self, at, record, entry, now, keep_name=False):
        """Files one record; its id, which is a new one when it has none or, unless `keep_name`, another one has it."""
        account = str(entry.get("account", self.account))
        region = entry.get("region", record["awsRegion"] if isinstance(record.get("awsRegion"), str) else HOME)
        fresh = self._fresh(at, account, region, record)
        if "event" in entry and not entry.get("bare"):
            record = filled(record, account, region, fresh)
        name = record.get("eventID")
        if not isinstance(name, str) or (name in self.names and not keep_name):
            name = fresh
            record = {**record, "eventID": name} if "eventID" in record else record
        self.names.add(name)
        visible = at + self._wait(entry.get("delay", self.delay), name)
        if "visible_at" in entry:
            visible = instant(entry["visible_at"], now)
        text = json.dumps(record, separators=(",", ":"))
        event = Seen(at, visible, category(record), envelope(record, at, name), text)
        self._file(account, region, event)
        if self._chance(name, "repeat") < self.repeat:
            again = event.visible + AGAIN_S * self._chance(name, "again")
            self._file(account, region, Seen(at, again, event.kind, event.envelope, text))
        return name

    def _file(self, account, region, event):
        book = self.books[account, region]
        bisect.insort(book, event, key=lambda other: other.time)
        if len(book) > EVENTS_MAX:
            del book[0]

    def _catch_up(self, now):
        for feed in self.feeds:
            for at, record in feed.due(now):
                self._add(at, record, feed.entry, now)

    def post(self, body, now):
        """Events that a test hands over: records, or entries {event: record, …}; their ids."""
        entries = [entry if isinstance(entry.get("event"), dict) else {"event": entry, "bare": True}
                   for entry in (body if isinstance(body, list) else [body])]
        names = []
        with self.lock:
            for entry in entries:
                record, named = known(entry, EVENT_KEYS - {"every", "count"}, "an event")["event"], time_of(entry["event"])
                at = int(instant(entry["at"], now)) if "at" in entry else int(now) if named is None else named
                names.append(self._add(at, record if named == at else {**record, "eventTime": iso(at)}, entry, now, True))
        return names

    def log(self, request, key, region, now):
        """A call of LookupEvents is an event, too."""
        if self.log_calls:
            record = _call_record(request, key, region, now)
            with self.lock:
                self._add(int(now), record, {"event": record, "account": key.account, "region": region}, now)

    def forget(self):
        with self.lock:
            count = sum(len(book) for book in self.books.values())
            self.feeds = []
            self.books.clear()
        return count

    def count(self, now):
        with self.lock:
            self._catch_up(now)
            return [{"account": account, "region": region, "events": len(book),
                     "visible": sum(1 for event in book if event.visible <= now)}
                    for (account, region), book in self.books.items()]

    def find(self, account, region, start, end, kind, now):
        """What is to be seen of [start, end], newest first."""
        with self.lock:
            self._catch_up(now)
            book = self.books[account, region]
            low = bisect.bisect_left(book, max(start, now - KEPT_S), key=lambda event: event.time)
            high = bisect.bisect_right(book, end, key=lambda event: event.time)
            return [event for event in reversed(book[low:high]) if event.visible <= now and event.kind == kind]


def _call_record(request, key, region, now):
    """A call of LookupEvents as CloudTrail writes it down."""
    session = ":assumed-role/" in key.arn
    who = {"sessionContext": {}} if session else {"userName": key.arn.rsplit("/", 1)[-1]}
    parameters = {name[0].lower() + name[1:]: iso(value) if name in ("StartTime", "EndTime") else value
                  for name, value in request.items()}
    return {"userIdentity": {"type": "AssumedRole" if session else "IAMUser", "principalId": "AIDASIMULATED", "arn": key.arn,
                             "accountId": key.account, "accessKeyId": key.id, **who},
            "eventTime": iso(now), "eventSource": "cloudtrail.amazonaws.com", "eventName": "LookupEvents",
            "awsRegion": region, "sourceIPAddress": "127.0.0.1", "userAgent": "tocsin", "readOnly": True,
            "requestParameters": parameters, "recipientAccountId": key.account}


class CloudTrail:
    signing_name, action_prefix = "cloudtrail", "cloudtrail"
    target, protocol = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", JSON11

    def __init__(self, world):
        self.world, self.model, self.pages = world, Model("cloudtrail"), Pages()
        self.asked = collections.defaultdict(collections.deque)  # (account, region) -> times of the calls
        self.lock, self.answers = threading.Lock(), 0

    def call(self, operation, request, key, region, now, twist):
        if operation != "LookupEvents":
            raise AwsError("no_such_operation", None)
        self._limit(key.account, region, now)
        _check(request)
        self.model.check(self.model.operation(operation).input_shape, request)
        offset = self._offset(request)
        start, end = int(request.get("StartTime", 0)), int(request.get("EndTime", now))
        if start > end:
            raise _refused("InvalidTimeRangeException", "Start time must be less than or equal to end time.")
        wanted = {entry["AttributeKey"]: entry["AttributeValue"] for entry in request.get("LookupAttributes", [])}
        kind = request.get("EventCategory", "management")
        found = [event for event in self.world.trail.find(key.account, region, start, end, kind, now)
                 if _has(event.envelope, wanted)]
        after = offset + request.get("MaxResults", PAGE_MAX)
        answer = {"Events": self._page(found[offset:after])}
        if len(found) > after:
            answer["NextToken"] = self.pages.keep(request, after)
        if twist.get("repeat_token"):
            answer["NextToken"] = self.pages.keep(request, offset, request.get("NextToken"))
        self.world.trail.log(request, key, region, now)
        return answer

    def _limit(self, account, region, now):
        with self.lock:
            recent, limit = self.asked[account, region], self.world.trail.calls_per_second
            while recent and (recent[0] <= now - 1 or recent[0] > now):
                recent.popleft()
            if limit and len(recent) >= limit:
                raise AwsError("throttle", "Rate exceeded")
            recent.append(now)

    def _offset(self, request):
        """How far the answer was read. Events that came in since then move the rest: some are then seen twice."""
        if "NextToken" not in request:
            return 0
        offset = self.pages.find(request)
        if offset is None:
            raise AwsError("bad_token", "Invalid next token provided.")
        return offset

    def _page(self, events):
        if self.world.trail.reorder:
            self.answers += 1
            random.Random(f"{self.world.seed}:{self.answers}").shuffle(events)
        return [event.show() for event in events]


def _check(request):
    """What CloudTrail has errors of its own for; the rest is the service model's."""
    if not isinstance(request, dict):
        return
    most = request.get("MaxResults", PAGE_MAX)
    if isinstance(most, int) and not 1 <= most <= PAGE_MAX:
        raise _refused("InvalidMaxResultsException", f"MaxResults must be between 1 and {PAGE_MAX}.")
    if request.get("EventCategory", "insight") != "insight":
        raise _refused("InvalidEventCategoryException", "EventCategory can be insight only.")
    attributes = request.get("LookupAttributes", [])
    if not isinstance(attributes, list) or len(attributes) > 1:
        raise _refused("InvalidLookupAttributesException", "You can specify only one LookupAttribute.")
    for entry in attributes:
        if not _lookup_is_good(entry):
            raise _refused("InvalidLookupAttributesException", "The lookup attribute is not valid.")


def _lookup_is_good(entry):
    value = entry.get("AttributeValue") if isinstance(entry, dict) else None
    return (isinstance(value, str) and 1 <= len(value) <= VALUE_MAX
            and entry.get("AttributeKey") in ("EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName",
                                              "EventSource", "AccessKeyId"))


def _has(around, wanted):
    return all(any(resource.get(name) == value for resource in around["Resources"]) if name.startswith("Resource")
               else around.get(name) == value for name, value in wanted.items())


def _refused(code, text):
    return AwsError("validation", text, code=code)
