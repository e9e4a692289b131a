"""Faults on demand: which calls they hit, and what they do to them."""

import random
import threading

from .errors import AwsError

MATCH_KEYS = {"service", "operation", "account", "region", "nth", "count", "probability"}
DO_KEYS = {
    "throttle": "true: the service's throttling error (with retry_after: seconds)",
    "retry_after": "the Retry-After header of a throttle, error or status",
    "error": "{code, status, message}: that error in the service's own form; message null leaves it out",
    "denied": "true, or a resource: access denied, naming the IAM action as AWS does",
    "expired": "true: the expired-token error",
    "expire_credentials": "true: ends all sessions that STS handed out so far, then goes on",
    "status": "an HTTP status with `body` (default: a short HTML page)",
    "body": "see status",
    "delay_ms": "waits before anything else",
    "truncate": "sends so many bytes of the true answer, then closes",
    "shorten": "sends so many bytes of the true answer as if they were all; below 0: all but so many. Likewise truncate",
    "garbage": "so many random bytes as a 200",
    "huge": "so many bytes of a growing JSON answer, chunked",
    "gzip_bomb": "so many bytes of zeros, gzip coded",
    "close": "true: closes without an answer",
    "reset": "true: resets the connection",
    "hang": "says nothing for so many seconds",
    "skew": "the service's clock is off by so many seconds, Date header included",
    "results": "[{status: Forbidden|InternalError, metric, id, message}]: GetMetricData results that fail",
    "messages": "[{Code, Value}]: the Messages list of GetMetricData's answer",
    "repeat_token": "true: NextToken never ends",
}


class Fault:
    """One entry: counted and applied on its own."""

    def __init__(self, entry, number, seed):
        if not isinstance(entry, dict) or set(entry) - {"match", "do", "id"}:
            raise ValueError("a fault has the keys match and do")
        self.match, do = entry.get("match") or {}, entry.get("do")
        self.do = {do: True} if isinstance(do, str) else do
        if not isinstance(self.do, dict) or not self.do:
            raise ValueError("a fault's do is missing")
        for given, known in ((self.match, MATCH_KEYS), (self.do, set(DO_KEYS))):
            if set(given) - known:
                raise ValueError(f"unknown key `{sorted(set(given) - known)[0]}` in a fault (known: {', '.join(sorted(known))})")
        self.number, self.seen, self.applied = number, 0, 0
        self.random = random.Random(f"{seed}:{number}")

    def hits(self, call):
        for name in ("service", "operation", "account", "region"):
            if name in self.match and str(self.match[name]) != str(call[name]):
                return False
        self.seen += 1
        if self.seen < int(self.match.get("nth", 1)):
            return False
        if self.applied >= int(self.match.get("count", 1 << 60)):
            return False
        if self.random.random() >= float(self.match.get("probability", 1)):
            return False
        self.applied += 1
        return True

    def show(self):
        return {"id": self.number, "match": self.match, "do": self.do, "seen": self.seen, "applied": self.applied}


class Faults:
    def __init__(self, seed):
        self.seed, self.entries, self.next, self.lock = seed, [], 1, threading.Lock()

    def add(self, entries):
        with self.lock:
            fresh = [Fault(entry, self.next + offset, self.seed) for offset, entry in enumerate(entries)]
            self.next += len(fresh)
            self.entries += fresh
        return [fault.number for fault in fresh]

    def clear(self, number=None):
        with self.lock:
            before = len(self.entries)
            self.entries = [fault for fault in self.entries if number is not None and fault.number != number]
            return before - len(self.entries)

    def show(self):
        with self.lock:
            return [fault.show() for fault in self.entries]

    def pick(self, call):
        """What all faults that hit this call do, the first one winning where two speak of the same thing."""
        twist = {}
        with self.lock:
            for fault in self.entries:
                if fault.hits(call):
                    twist = {**fault.do, **twist}
        return twist


def refuse(twist, action, arn):
    """Raises the AwsError that a fault asks for, if it asks for one."""
    headers = {"Retry-After": str(twist["retry_after"])} if "retry_after" in twist else {}
    if twist.get("throttle"):
        raise AwsError("throttle", "Rate exceeded", headers=headers)
    if twist.get("denied"):
        resource = f" on resource: {twist['denied']}" if isinstance(twist["denied"], str) else ""
        raise AwsError("denied", f"User: {arn} is not authorized to perform: {action}{resource} because no identity-based "
                       f"policy allows the {action} action")
    if twist.get("expired"):
        raise AwsError("expired", "The security token included in the request is expired")
    if "error" in twist:
        error = twist["error"]
        raise AwsError("internal", error.get("message", "injected"), error["code"], int(error.get("status", 400)), headers)
