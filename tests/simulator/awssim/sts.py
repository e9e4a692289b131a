"""STS by the query protocol: AssumeRole with external id, GetCallerIdentity."""

import re

from .errors import AwsError
from .model import Model
from .when import iso

VERSION = "2011-06-15"
DEFAULT_SESSION_S = 3600


class Sts:
    signing_name, action_prefix, version = "sts", "sts", VERSION

    def __init__(self, world):
        self.world, self.model = world, Model("sts")
        self.operations = {"AssumeRole": self._assume, "GetCallerIdentity": self._identity}

    def call(self, operation, request, key, region, _now, _twist):
        self.model.check(self.model.operation(operation).input_shape, request)
        return self.operations[operation](request, key)

    def _assume(self, request, key):
        arn, name = request["RoleArn"], request["RoleSessionName"]
        if not re.fullmatch(r"[\w+=,.@-]{2,64}", name, re.ASCII):
            raise AwsError("validation", f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy "
                           "constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*")
        seconds = request.get("DurationSeconds", DEFAULT_SESSION_S)
        if not 900 <= seconds <= 43200:
            raise AwsError("validation", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        if key.expires is not None and seconds > 3600:
            raise AwsError("validation", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
                           "role chaining.")
        role = self.world.roles.get(arn)
        trusted = role is not None and (role.trust is None or key.id in role.trust)
        if not trusted or role.external_id != request.get("ExternalId"):
            # The service says the same of a wrong external id, a missing Allow and a role that does not exist.
            raise AwsError("denied", f"User: {key.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}")
        session = self.world.hand_out(role, name, role.session_s or seconds)
        return (f"<Credentials><AccessKeyId>{session.id}</AccessKeyId><SecretAccessKey>{session.secret}</SecretAccessKey>"
                f"<SessionToken>{session.token}</SessionToken><Expiration>{iso(session.expires)}</Expiration></Credentials>"
                f"<AssumedRoleUser><AssumedRoleId>AROASIMULATOR:{name}</AssumedRoleId><Arn>{session.arn}</Arn>"
                "</AssumedRoleUser>")

    @staticmethod
    def _identity(_request, key):
        return f"<Arn>{key.arn}</Arn><UserId>{key.id}</UserId><Account>{key.account}</Account>"
