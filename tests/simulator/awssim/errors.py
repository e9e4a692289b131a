"""How the services say no: one table of kinds, because each protocol has a word of its own for the same thing."""

import json
from xml.sax.saxutils import escape

JSON, QUERY = "json", "query"

# kind -> (code and status for JSON services, code and status for query services)
KINDS = {
    "signature": ("InvalidSignatureException", 403, "SignatureDoesNotMatch", 403),
    "bad_key": ("UnrecognizedClientException", 403, "InvalidClientTokenId", 403),
    "expired": ("ExpiredTokenException", 403, "ExpiredToken", 403),
    "unsigned": ("MissingAuthenticationTokenException", 403, "MissingAuthenticationToken", 403),
    "incomplete": ("IncompleteSignatureException", 400, "IncompleteSignature", 400),
    "throttle": ("ThrottlingException", 400, "Throttling", 400),
    "denied": ("AccessDeniedException", 400, "AccessDenied", 403),
    "no_such_operation": ("UnknownOperationException", 404, "InvalidAction", 400),
    "serialization": ("SerializationException", 400, "MalformedQueryString", 404),
    "validation": ("ValidationException", 400, "ValidationError", 400),
    "invalid_parameter": ("InvalidParameterValueException", 400, "InvalidParameter", 400),
    "invalid_combination": ("InvalidParameterCombinationException", 400, "InvalidParameterCombination", 400),
    "bad_token": ("InvalidNextToken", 400, "InvalidNextToken", 400),
    "not_found": ("ResourceNotFound", 404, "NotFound", 404),
    "internal": ("InternalServiceFault", 500, "InternalFailure", 500),
}
# Where the JSON form of CloudWatch puts the name of the error: modelled ones under its own prefix.
PREFIX = {
    "validation": "com.amazon.coral.validate#",
    "throttle": "com.amazon.coral.availability#",
    "invalid_parameter": "com.amazonaws.cloudwatch.v2010_08_01#",
    "invalid_combination": "com.amazonaws.cloudwatch.v2010_08_01#",
    "bad_token": "com.amazonaws.cloudwatch.v2010_08_01#",
}
DEFAULT_PREFIX = "com.amazon.coral.service#"
# SNS names one refusal differently from every other query service.
SERVICE_CODES = {("sns", "denied"): ("AuthorizationError", 403)}


class AwsError(Exception):
    """A refusal by kind, or by an explicit code and status when a test wants a certain one."""

    def __init__(self, kind, message, code=None, status=None, headers=None):
        super().__init__(message)
        self.kind, self.message, self.code, self.status = kind, message, code, status
        self.headers = dict(headers or {})

    def render(self, protocol, service, request_id, query_mode):
        """-> (status, headers, body), as `protocol` words it."""
        json_code, json_status, query_code, query_status = KINDS.get(self.kind, (None, 500, None, 500))
        query_code, query_status = SERVICE_CODES.get((service, self.kind), (query_code, query_status))
        headers = {"x-amzn-RequestId": request_id, **self.headers}
        if protocol == JSON:
            code = self.code or json_code
            prefix = "" if self.code and "#" in self.code else PREFIX.get(self.kind, DEFAULT_PREFIX)
            body = {"__type": prefix + code}
            if self.message is not None:
                body["message"] = self.message
            headers["Content-Type"] = "application/x-amz-json-1.0"
            if query_mode and query_code:
                headers["x-amzn-query-error"] = f"{self.code or query_code};Sender"
            return self.status or json_status, headers, json.dumps(body).encode()
        status = self.status or query_status
        side = "Sender" if status < 500 else "Receiver"
        text = (
            f'<ErrorResponse xmlns="https://{service}.amazonaws.com/doc/">\n  <Error>\n    <Type>{side}</Type>\n'
            f"    <Code>{escape(self.code or query_code)}</Code>\n    <Message>{escape(self.message or '')}</Message>\n"
            f"  </Error>\n  <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
        )
        headers["Content-Type"] = "text/xml"
        return status, headers, text.encode()
