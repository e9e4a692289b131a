"""What the simulated AWS consists of: accounts, keys, roles, topics, metrics, and its clock. Read from a scenario file."""

import collections
import os
import secrets
import threading
import time

import yaml

from .cloudtrail import Trail
from .metadata import Metadata
from .series import Book, metric_from
from .when import duration, instant
from .xray_world import xray_from

DEFAULT_ACCOUNT = "111122223333"
DEFAULT_KEY = {"access_key_id": "AKIASIMULATOR0000001", "secret_access_key": "simulated/secret+key/0000000000000000000"}
CALLS_MAX = 200_000  # calls remembered; the oldest go first

TOP_KEYS = {"start", "seed", "accounts", "roles", "topics", "metrics", "faults", "xray", "cloudtrail", "metadata", "container"}


class ScenarioError(Exception):
    """The scenario file is wrong; the text says where."""


class Key:
    """A pair of keys, and whose they are. Sessions have a token and an end."""

    def __init__(self, key_id, secret, account, arn, token=None, expires=None):
        self.id, self.secret, self.account, self.arn = key_id, secret, account, arn
        self.token, self.expires = token, expires


class Account:
    def __init__(self, number, deny):
        self.id, self.deny = number, deny


class Role:
    def __init__(self, entry):
        self.arn = entry["arn"]
        self.account = self.arn.split(":")[4]
        self.external_id = entry.get("external_id")
        self.trust = entry.get("trust")  # key ids that may assume it; absent: all
        self.web_tokens = entry.get("web_tokens", [])  # who may assume it by AssumeRoleWithWebIdentity
        self.session_s = duration(entry["session"]) if "session" in entry else None


class Topic:
    def __init__(self, entry):
        self.arn = entry["arn"]
        self.region, self.account, self.name = self.arn.split(":")[3:6]
        self.fifo = self.name.endswith(".fifo")
        self.subscriptions = int(entry.get("subscriptions", 1))
        self.publishers = [str(number) for number in entry.get("publishers", [self.account])]
        self.content_dedup = bool(entry.get("content_based_deduplication"))
        self.seen = {}  # deduplication id -> (time, message id, sequence number)
        self.sequence = 10_000_000_000_000_000_000


class Clock:
    """The simulator's wall clock: the machine's, moved by what a test asks for."""

    def __init__(self):
        self.offset = 0.0

    def now(self):
        return time.time() + self.offset


class World:
    def __init__(self, path=None, seed=None):
        self.clock = Clock()
        self.lock = threading.Lock()
        self.calls = collections.deque(maxlen=CALLS_MAX)
        self.published = []
        self.accounts, self.keys, self.roles, self.topics = {}, {}, {}, {}
        self.book = Book()
        self.faults_at_start = []
        document, self.folder = self._read(path)
        unknown = set(document) - TOP_KEYS
        if unknown:
            raise ScenarioError(f"{path}: unknown keys {', '.join(sorted(unknown))} (known: {', '.join(sorted(TOP_KEYS))})")
        self.seed = int(document.get("seed", 1) if seed is None else seed)
        self.start = instant(document.get("start", self.clock.now()), self.clock.now())
        try:
            self._build(document, self.folder)
        except (KeyError, TypeError, ValueError, OSError, IndexError, AttributeError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else error
            raise ScenarioError(f"{path or 'scenario'}: {what}") from error

    @staticmethod
    def _read(path):
        if path is None:
            return {}, "."
        try:
            with open(path, encoding="utf-8") as file:
                document = yaml.safe_load(file) or {}
        except (OSError, yaml.YAMLError) as error:
            raise ScenarioError(f"{path}: {error}") from error
        if not isinstance(document, dict):
            raise ScenarioError(f"{path}: the top must be keys and values")
        return document, os.path.dirname(os.path.abspath(path))

    def _build(self, document, folder):
        for entry in document.get("accounts") or [{"id": DEFAULT_ACCOUNT, "keys": [DEFAULT_KEY]}]:
            number = str(entry["id"])
            self.accounts[number] = Account(number, set(entry.get("deny", [])))
            for keys in entry.get("keys", []):
                arn = keys.get("arn", f"arn:aws:iam::{number}:user/simulated")
                key = Key(keys["access_key_id"], keys["secret_access_key"], number, arn, keys.get("session_token"))
                self.keys[key.id] = key
        for entry in document.get("roles", []):
            role = Role(entry)
            self.roles[role.arn] = role
            self.accounts.setdefault(role.account, Account(role.account, set()))
        for entry in document.get("topics", []):
            topic = Topic(entry)
            self.topics[topic.arn] = topic
        for entry in document.get("metrics", []):
            self.book.add(*metric_from(entry, folder, self.start, self.seed))
        self.faults_at_start = document.get("faults", [])
        self.metadata = Metadata(self, document)
        self.xray = xray_from(document.get("xray") or {}, folder, self.start, self.seed)
        self.trail = Trail(document.get("cloudtrail") or {}, folder, self.start, self.seed, next(iter(self.accounts)))

    def hand_out(self, role, session_name, seconds):
        """New session keys for `role`, as STS would."""
        key = Key(
            "ASIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30), role.account,
            f"arn:aws:sts::{role.account}:assumed-role/{role.arn.rsplit('/', 1)[-1]}/{session_name}",
            token="FwoGZXIvYXdzSIM" + secrets.token_urlsafe(300) + "//+==", expires=self.clock.now() + seconds)
        with self.lock:
            self.keys[key.id] = key
        return key

    def role_for(self, arn):
        """The role of that name; one that the scenario does not list has no external id and trusts nobody."""
        return self.roles.get(arn) or Role({"arn": arn, "trust": []})

    def expire_sessions(self):
        """Ends all sessions handed out until now, and the metadata service's tokens; returns how many sessions."""
        ended = 0
        self.metadata.forget_tokens()
        with self.lock:
            for key in self.keys.values():
                if key.expires is not None and key.expires > 0:
                    key.expires, ended = 0.0, ended + 1
        return ended

    def denies(self, key, action):
        account = self.accounts.get(key.account)
        return account is not None and action in account.deny
