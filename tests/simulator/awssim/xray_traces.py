"""Traces: so many a minute, each second's always the same, as summaries and as segment documents."""

import hashlib
import json
import math
import re

from .keys import known
from .series import figure

KEYS = {"filter", "per_minute", "ids", "fault", "error", "throttle", "response_time", "service", "type", "http", "exception",
        "invalid", "unprocessed", "delay", "account", "region"}
PER_SECOND_MAX = 1000
TRACE_ID = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")


class Traces:
    """One entry of `traces:`. Its ids depend on nothing but seed, prefix and second."""

    def __init__(self, entry, origin, seed, delay):
        known(entry, KEYS, "a trace")
        self.filter, self.invalid, self.delay = entry.get("filter"), bool(entry.get("invalid")), delay
        self.per_minute = figure(entry.get("per_minute", 0), origin, seed)
        self.prefix, self.seed, self.unprocessed = str(entry.get("ids", "")), seed, bool(entry.get("unprocessed"))
        self.marks = {name: bool(entry.get(name)) for name in ("fault", "error", "throttle")}
        self.seconds = float(entry.get("response_time", 0.084))
        self.service, self.type = entry.get("service", "simulated"), entry.get("type", "AWS::EC2::Instance")
        self.exception, self.http = entry.get("exception"), self._http(entry.get("http") or {})

    def _http(self, given):
        status = 500 if self.marks["fault"] else 429 if self.marks["throttle"] else 400 if self.marks["error"] else 200
        return {"HttpURL": "http://example.org/", "HttpStatus": status, "HttpMethod": "GET", "UserAgent": "simulated",
                "ClientIp": "192.0.2.7", **given}

    def of_second(self, second):
        """[(id, start)]; the counts of a minute's seconds add up to what the figure says."""
        rate, place = max(0.0, self.per_minute(second + 0.5)), second % 60
        count = math.floor((place + 1) * rate / 60 + 1e-9) - math.floor(place * rate / 60 + 1e-9)
        count = min(count, PER_SECOND_MAX)
        return [(self._id(second, number), round(second + number / count, 3)) for number in range(count)]

    def _id(self, second, number):
        """The prefix is the id's own where it is made of hex digits, and mixed in where it is not."""
        text = hashlib.sha256(f"{self.seed}:{self.prefix}:{second}:{number}".encode()).hexdigest()
        own = self.prefix.lower() if re.fullmatch(r"[0-9a-f]{0,16}", self.prefix, re.I) else ""
        return f"1-{second:08x}-{(own + text)[:24]}"

    def between(self, start, end, now, by_end):
        """[(time, id, start)] of the traces in [start, end), by their start or by their end."""
        shift = self.seconds if by_end else 0.0
        return [(at + shift, name, at) for second in range(math.floor(start - shift), math.ceil(end))
                for name, at in self.of_second(second)
                if start <= at + shift < end and at + self.seconds + self.delay <= now]

    def find(self, name, now):
        """The start of the trace of that id, None when there is none."""
        second = int(TRACE_ID.fullmatch(name).group(1), 16)
        return next((at for other, at in self.of_second(second)
                     if other == name and at + self.seconds + self.delay <= now), None)

    def summary(self, name, at, account):
        service = {"Name": self.service, "Names": [self.service], "AccountId": account, "Type": self.type}
        causes = [{"ClientImpacting": True, "Services": [{**service, "Inferred": False, "EntityPath": [
            {"Name": self.service, "Remote": False, "Exceptions": [{"Name": self.exception, "Message": "simulated"}]}]}]}]
        return {"Id": name, "StartTime": at, "Duration": self.seconds, "ResponseTime": self.seconds,
                "HasFault": self.marks["fault"], "HasError": self.marks["error"] or self.marks["throttle"],
                "HasThrottle": self.marks["throttle"], "IsPartial": False, "Http": self.http, "Annotations": {}, "Users": [],
                "ServiceIds": [service], "EntryPoint": service, "Revision": 1,
                "FaultRootCauses": causes if self.exception and self.marks["fault"] else [],
                "ErrorRootCauses": causes if self.exception and self.marks["error"] else []}

    def trace(self, name, at):
        segment = hashlib.sha256(name.encode()).hexdigest()[:16]
        document = {"id": segment, "name": self.service, "trace_id": name, "origin": self.type, "start_time": "START",
                    "end_time": "END", **{mark: True for mark, is_set in self.marks.items() if is_set},
                    "http": {"request": {"url": self.http["HttpURL"], "method": self.http["HttpMethod"]},
                             "response": {"status": self.http["HttpStatus"]}}}
        if self.exception:
            document["cause"] = {"exceptions": [{"id": segment[::-1], "type": self.exception, "message": "simulated"}]}
        text = json.dumps(document, separators=(",", ":"))
        text = text.replace('"START"', _exponent(at)).replace('"END"', _exponent(at + self.seconds))
        return {"Id": name, "Duration": self.seconds, "LimitExceeded": False, "Segments": [{"Id": segment, "Document": text}]}


def _exponent(seconds):
    """As segment documents write times: 1.499473411677E9."""
    digits = f"{seconds:.3f}".replace(".", "")
    return f"{digits[0]}.{digits[1:]}E{len(digits) - 4}"
