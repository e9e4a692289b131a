"""Is this request signed as AWS wants it? Recomputed with botocore's own signer and compared."""

import hmac
import re
from hashlib import sha256

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from .errors import AwsError
from .when import compact, parse_compact

WINDOW_S = 300  # how far X-Amz-Date may be from AWS's clock
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request,\s*"
    r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})")


class _Verifier(SigV4Auth):
    """Signs exactly the headers that the client says it signed, whatever botocore itself would pick."""

    def __init__(self, key, service, region, names):
        super().__init__(Credentials(key.id, key.secret, key.token), service, region)
        self._names = names

    def headers_to_sign(self, request):
        chosen = HTTPHeaders()
        for name in self._names:
            for value in request.headers.get_all(name, []):
                chosen.add_header(name, value)
        return chosen


class Scope:
    """Who signed, for where and what."""

    def __init__(self, key_id, date, region, service, names, signature):
        self.key_id, self.date, self.region, self.service = key_id, date, region, service
        self.names, self.signature = names, signature


def read_scope(headers):
    """The parts of the Authorization header; AwsError when it is absent or not of that form."""
    text = headers.get("Authorization")
    if not text:
        raise AwsError("unsigned", "Missing Authentication Token")
    match = AUTHORIZATION.fullmatch(text.strip())
    if not match:
        raise AwsError("incomplete", f"Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' "
                       f"parameters. Authorization={text.split(' ')[0]}")
    key_id, date, region, service, names, signature = match.groups()
    return Scope(key_id, date, region, service, names.split(";"), signature)


def verify(world, scope, method, url, headers, body, now):
    """The key that signed the request; AwsError as the service would word it."""
    key = world.keys.get(scope.key_id)
    if key is None:
        raise AwsError("bad_key", "The security token included in the request is invalid.")
    stamp = headers.get("X-Amz-Date", "")
    try:
        signed_at = parse_compact(stamp)
    except ValueError:
        raise AwsError("incomplete", "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
                       "header.") from None
    _check_time(stamp, signed_at, now)
    if stamp[:8] != scope.date:
        raise AwsError("signature", f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                       f"from HTTP: '{scope.date}' != '{stamp[:8]}', from '{stamp}'.")
    _check_token(key, headers.get("X-Amz-Security-Token"), now)
    _check_signed_names(scope, headers)
    given = headers.get("X-Amz-Content-SHA256")
    if given and given != sha256(body).hexdigest():
        raise AwsError("signature", "The provided 'x-amz-content-sha256' header does not match what was computed.")
    if not hmac.compare_digest(_signature(key, scope, stamp, method, url, headers, body), scope.signature):
        raise AwsError("signature", "The request signature we calculated does not match the signature you provided. "
                       "Check your AWS Secret Access Key and signing method. Consult the service documentation for "
                       "details.")
    return key


def _check_time(stamp, signed_at, now):
    if signed_at < now - WINDOW_S:
        raise AwsError("signature", f"Signature expired: {stamp} is now earlier than {compact(now - WINDOW_S)} "
                       f"({compact(now)} - 5 min.)")
    if signed_at > now + WINDOW_S:
        raise AwsError("signature", f"Signature not yet current: {stamp} is still later than {compact(now + WINDOW_S)} "
                       f"({compact(now)} + 5 min.)")


def _check_token(key, token, now):
    if key.token is None and token is None:
        return
    if key.token != token:
        raise AwsError("bad_key", "The security token included in the request is invalid.")
    if key.expires is not None and key.expires <= now:
        raise AwsError("expired", "The security token included in the request is expired")


def _check_signed_names(scope, headers):
    if scope.names != sorted(scope.names) or any(name != name.lower() for name in scope.names):
        raise AwsError("signature", "SignedHeaders must be lower case and sorted.")
    must = {"host"} | {name.lower() for name in headers.keys() if name.lower().startswith("x-amz-")}
    missing = sorted(must - set(scope.names))
    if missing:
        raise AwsError("signature", "There were headers present in the request which were not signed: "
                       + ", ".join(missing))


def _signature(key, scope, stamp, method, url, headers, body):
    request = AWSRequest(method=method, url=url, data=body)
    for name in scope.names:
        for value in headers.get_all(name, []):
            request.headers.add_header(name, value)
    request.context["timestamp"] = stamp
    signer = _Verifier(key, scope.service, scope.region, scope.names)
    return signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
