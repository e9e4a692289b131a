"""How the services say no: one table of kinds, because each protocol has a word of its own for the same thing."""

import json
from xml.sax.saxutils import escape

JSON, JSON11, QUERY, REST = "json", "json 1.1", "query", "rest-json"
CONTENT_TYPES = {JSON: "application/x-amz-json-1.0", JSON11: "application/x-amz-json-1.1", QUERY: "text/xml",
                 REST: "application/json"}

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
# Services that word a refusal differently from the others of their protocol.
SERVICE_CODES = {
    ("sns", "denied"): ("AuthorizationError", 403),
    ("xray", "throttle"): ("ThrottledException", 429),
    ("xray", "denied"): ("AccessDeniedException", 403),
    ("xray", "validation"): ("InvalidRequestException", 400),
    ("xray", "bad_token"): ("InvalidRequestException", 400),
    ("cloudtrail", "bad_token"): ("InvalidNextTokenException", 400),
}
INTERNAL_LINK = ":http://internal.amazon.com/coral/com.amazonaws.xray/"  # as it leaks into x-amzn-ErrorType


class AwsError(Exception):
    """A refusal by kind, or by an explicit code and status when a test wants a certain one."""

    def __init__(self, kind, message, code=None, status=None, headers=None):
        super().__init__(message)
        self.kind, self.message, self.code, self.status = kind, message, code, status
        self.headers = dict(headers or {})

    def render(self, protocol, service, request_id, query_mode):
        """-> (status, headers, body), as `protocol` words it."""
        json_code, json_status, query_code, query_status = KINDS.get(self.kind, (None, 500, None, 500))
        usual = (query_code, query_status) if protocol == QUERY else (json_code, json_status)
        code, status = SERVICE_CODES.get((service, self.kind), usual)
        code, status = self.code or code, self.status or status
        headers = {"x-amzn-RequestId": request_id, **self.headers, "Content-Type": CONTENT_TYPES[protocol]}
        if protocol == REST:
            return self._render_rest(code, status, headers)
        if protocol != QUERY:
            if query_mode and query_code:
                headers["x-amzn-query-error"] = f"{self.code or query_code};Sender"
            plain = protocol == JSON11 or "#" in code
            return self._render_json(code if plain else PREFIX.get(self.kind, DEFAULT_PREFIX) + code, status, headers)
        side = "Sender" if status < 500 else "Receiver"
        text = (
            f'<ErrorResponse xmlns="https://{service}.amazonaws.com/doc/">\n  <Error>\n    <Type>{side}</Type>\n'
            f"    <Code>{escape(code)}</Code>\n    <Message>{escape(self.message or '')}</Message>\n"
            f"  </Error>\n  <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
        )
        return status, headers, text.encode()

    def _render_json(self, code, status, headers):
        body = {"__type": code}
        if self.message is not None:
            body["message"] = self.message
        return status, headers, json.dumps(body).encode()

    def _render_rest(self, code, status, headers):
        """The code is in a header alone; modelled errors say `Message` and drag a link along, the others `message`."""
        modelled = code in ("InvalidRequestException", "ThrottledException")
        headers["x-amzn-ErrorType"] = code + (INTERNAL_LINK if modelled else "")
        body = {} if self.message is None else {"Message" if modelled else "message": self.message}
        return status, headers, json.dumps(body).encode()
