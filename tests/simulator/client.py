"""A small signed client for the simulator's own tests and for the scenarios' look at its side."""

import http.client
import json
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The error's name without prefix and link, None on success."""
        named = self.headers.get("x-amzn-ErrorType") or (self.json.get("__type", "") if self.body else "")
        return named.split(":", 1)[0].rsplit("#", 1)[-1] or None


def admin(port, method, path, body=None):
    """One call of the tests' side; the decoded answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/_sim/{path}", method=method,
                                     data=None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def signed(port, body, key, secret, token=None, region="eu-west-1", service="monitoring",
           target="GraniteServiceVersion20100801.GetMetricData", spoil=None, path="/",
           content_type="application/x-amz-json-1.0"):
    """A JSON call signed by botocore, without a target for rest-json; `spoil` may change the finished request."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": content_type, **({"X-Amz-Target": target} if target else {})}
    request = AWSRequest("POST", f"http://127.0.0.1:{port}{path}", headers=headers, data=data)
    SigV4Auth(Credentials(key, secret, token), service, region).add_auth(request)
    request.headers["User-Agent"] = "tocsin/test"
    if spoil:
        spoil(request)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, request.data, dict(request.headers.items()))
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()
