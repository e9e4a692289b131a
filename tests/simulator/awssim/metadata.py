"""What hands keys to those who run there: EC2's instance metadata (version 2 alone), and the agents of ECS and EKS.

Both give the same keys again until a third of their life is left, as AWS's do until shortly before their end.
"""

import json
import re
import secrets

from .keys import known
from .when import duration, iso

PREFIXES = ("/latest/", "/v1/credentials", "/v2/credentials")
ROLES = "/latest/meta-data/iam/security-credentials/"
TOKEN_TTL_MAX_S = 21600
DEFAULT_SESSION_S = 6 * 3600


class Handout:
    """Keys of one role, renewed ahead of their end."""

    def __init__(self, world, entry, what):
        known(entry, {"role", "session", "token"}, what)
        self.world, self.arn, self.token = world, entry["role"], entry.get("token")
        self.session_s = duration(entry["session"]) if "session" in entry else DEFAULT_SESSION_S
        self.key = None

    def name(self):
        return self.arn.rsplit("/", 1)[-1]

    def keys(self, session_name):
        now = self.world.clock.now()
        if self.key is None or self.key.expires - now < self.session_s / 3:
            self.key = self.world.hand_out(self.world.role_for(self.arn), session_name, self.session_s)
        return {"AccessKeyId": self.key.id, "SecretAccessKey": self.key.secret, "Token": self.key.token,
                "Expiration": iso(self.key.expires)}


class Metadata:
    def __init__(self, world, document):
        self.world, self.tokens = world, {}
        self.instance = Handout(world, document["metadata"], "metadata") if "metadata" in document else None
        self.container = Handout(world, document["container"], "container") if "container" in document else None

    @staticmethod
    def operation(method, path):
        """(service, operation) for the log of calls and for faults."""
        if not path.startswith("/latest/"):
            return "container", "GetKeys"
        if method == "PUT":
            return "metadata", "PutToken"
        return "metadata", "GetRole" if path == ROLES else "GetKeys"

    def answer(self, method, path, headers):
        """(status, text)."""
        if path.startswith("/latest/"):
            return self._instance(method, path, headers)
        if self.container is None or method != "GET":
            return 404, "no container is simulated"
        if self.container.token is not None and headers.get("Authorization") != self.container.token:
            return 401, json.dumps({"code": "Unauthorized", "message": f"not {headers.get('Authorization')}"})
        return 200, json.dumps({**self.container.keys("container"), "RoleArn": self.container.arn})

    def _instance(self, method, path, headers):
        now = self.world.clock.now()
        if self.instance is None:
            return 404, ""
        if method == "PUT" and path == "/latest/api/token":
            ttl = headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
            if headers.get("X-Forwarded-For"):
                return 403, ""
            if not re.fullmatch(r"\d{1,5}", ttl) or not 1 <= int(ttl) <= TOKEN_TTL_MAX_S:
                return 400, ""
            token = secrets.token_urlsafe(40) + "=="
            self.tokens[token] = now + int(ttl)
            return 200, token
        if method != "GET":
            return 405, ""
        if self.tokens.get(headers.get("X-aws-ec2-metadata-token"), 0) <= now:
            return 401, ""  # version 1 is off
        if path == ROLES:
            return 200, self.instance.name()
        if path == ROLES + self.instance.name():
            keys = self.instance.keys("i-0123456789abcdef0")
            return 200, json.dumps({"Code": "Success", "LastUpdated": iso(now), "Type": "AWS-HMAC", **keys})
        return 404, ""

    def forget_tokens(self):
        self.tokens.clear()
