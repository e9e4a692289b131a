"""STS by the query protocol: AssumeRole with external id, AssumeRoleWithWebIdentity (unsigned), GetCallerIdentity."""

import re

from .errors import AwsError
from .model import Model
from .when import iso

VERSION = "2011-06-15"
UNSIGNED = "AssumeRoleWithWebIdentity"
DEFAULT_SESSION_S = 3600


class Sts:
    signing_name, action_prefix, version = "sts", "sts", VERSION

    def __init__(self, world):
        self.world, self.model = world, Model("sts")
        self.operations = {"AssumeRole": self._assume, UNSIGNED: self._assume_by_web, "GetCallerIdentity": self._identity}

    def call(self, operation, request, key, region, _now, _twist):
        self.model.check(self.model.operation(operation).input_shape, request)
        return self.operations[operation](request, key)

    def _assume(self, request, key):
        arn = request["RoleArn"]
        seconds = self._seconds(request)
        if key.expires is not None and seconds > 3600:
            raise AwsError("validation", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
                           "role chaining.")
        role = self.world.roles.get(arn)
        trusted = role is not None and (role.trust is None or key.id in role.trust)
        if not trusted or role.external_id != request.get("ExternalId"):
            # The service says the same of a wrong external id, a missing Allow and a role that does not exist.
            raise AwsError("denied", f"User: {key.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}")
        return self._hand_out(role, request["RoleSessionName"], seconds)

    def _assume_by_web(self, request, _key):
        arn, seconds = request["RoleArn"], self._seconds(request)
        role = self.world.roles.get(arn)
        if role is None or not role.web_tokens:
            raise AwsError("denied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        if request["WebIdentityToken"] not in role.web_tokens:
            raise AwsError("validation", "No OpenIDConnect provider found in your account for https://oidc.example.org",
                           "InvalidIdentityToken", 400)
        return self._hand_out(role, request["RoleSessionName"], seconds)

    @staticmethod
    def _seconds(request):
        """How long the session is to last; AwsError where that, or its name, is none."""
        name, seconds = request["RoleSessionName"], request.get("DurationSeconds", DEFAULT_SESSION_S)
        if not re.fullmatch(r"[\w+=,.@-]{2,64}", name, re.ASCII):
            raise AwsError("validation", f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy "
                           "constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*")
        if not 900 <= seconds <= 43200:
            raise AwsError("validation", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        return seconds

    def _hand_out(self, role, name, seconds):
        session = self.world.hand_out(role, name, role.session_s or seconds)
        return (f"<Credentials><AccessKeyId>{session.id}</AccessKeyId><SecretAccessKey>{session.secret}</SecretAccessKey>"
                f"<SessionToken>{session.token}</SessionToken><Expiration>{iso(session.expires)}</Expiration></Credentials>"
                f"<AssumedRoleUser><AssumedRoleId>AROASIMULATOR:{name}</AssumedRoleId><Arn>{session.arn}</Arn>"
                "</AssumedRoleUser>")

    @staticmethod
    def _identity(_request, key):
        return f"<Arn>{key.arn}</Arn><UserId>{key.id}</UserId><Account>{key.account}</Account>"
