"""The HTTP server: finds the service that a request is for, checks who asks, and sends the answer, bent as told."""

import gzip
import hashlib
import http.server
import json
import os
import socket
import socketserver
import struct
import threading
import time
import urllib.parse
import uuid
from email.utils import formatdate

from . import faults as fault_kinds
from . import metadata, model, signature
from .admin import ADMIN
from .cloudtrail import CloudTrail
from .cloudwatch import CloudWatch
from .errors import CONTENT_TYPES, JSON, QUERY, REST, AwsError
from .faults import Faults
from .sns import Sns
from .sts import UNSIGNED, Sts
from .when import duration, mixed_times
from .xray import XRay

BODY_MAX = 8 << 20
CHUNK = 1 << 16
CALL_PARAMS_MAX = 20_000  # characters of a request kept in the log


class Simulator:
    """The world, its services and the injected faults. All handlers share one."""

    def __init__(self, world, options):
        self.world, self.options = world, options
        self.faults = Faults(world.seed)
        self.faults.add(world.faults_at_start)
        cloudwatch = CloudWatch(world, options.page_datapoints, options.page_results, options.datapoint_rate)
        self.json = {service.target: service for service in (cloudwatch, CloudTrail(world))}
        self.rest = XRay(world)
        self.query = {service.version: service for service in (Sns(world), Sts(world))}
        self.recent, self.lock = {}, threading.Lock()

    def throttle(self, key, service, region, now):
        """AWS's own limit of calls a second, when the command line sets one."""
        limit = self.options.calls_per_second
        if not limit:
            return
        with self.lock:
            calls = self.recent.setdefault((key.account, service.signing_name, region), [])
            calls[:] = [at for at in calls if at > now - 1]
            if len(calls) >= limit:
                raise AwsError("throttle", "Rate exceeded")
            calls.append(now)

    def named(self, headers):
        """The JSON service that X-Amz-Target names, None when it names none."""
        return self.json.get(headers.get("X-Amz-Target", "").rpartition(".")[0])

    def protocol(self, headers, path):
        """How to answer, even to what no service takes."""
        if headers.get("X-Amz-Target") is not None:
            service = self.named(headers)
            return service.protocol if service else JSON
        return QUERY if path == "/" else REST

    def read(self, headers, body, method, path):
        """-> (service, operation, request); AwsError when no service takes it."""
        if headers.get("X-Amz-Target") is not None:
            service = self.named(headers)
            if service is None or headers.get_content_type() != CONTENT_TYPES[service.protocol]:
                raise AwsError("no_such_operation", None)
            return service, headers["X-Amz-Target"].rpartition(".")[2], _read_json(body)
        if path != "/":
            operation = self.rest.paths.get((method, path))
            if operation is None:
                raise AwsError("no_such_operation", None)
            if headers.get_content_type() != CONTENT_TYPES[REST]:
                raise AwsError("serialization", f"Content-Type {headers.get_content_type()} is not {CONTENT_TYPES[REST]}")
            return self.rest, operation, _read_json(body)
        return self._read_query(headers, body)

    def _read_query(self, headers, body):
        if headers.get_content_type() != "application/x-www-form-urlencoded":
            raise AwsError("no_such_operation", f"Content-Type {headers.get_content_type()} names no protocol")
        try:
            _, action, version = model.read_query(body, None)
        except (ValueError, UnicodeDecodeError):
            raise AwsError("serialization", "the body is no query string") from None
        service = self.query.get(version)
        if service is None or action not in service.operations:
            raise AwsError("no_such_operation", f"Could not find operation {action} for version {version}")
        request, _, _ = model.read_query(body, service.model.operation(action).input_shape)
        return service, action, request


def _is_unsigned(headers, body):
    return headers.get("Authorization") is None and body.startswith(f"Action={UNSIGNED}&".encode())


def _read_json(body):
    try:
        return json.loads(body, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except ValueError as error:
        raise AwsError("serialization", f"the body is no JSON: {error}") from None


def _no_duplicates(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a member stands twice")
    return dict(pairs)


def _no_constant(text):
    raise ValueError(f"{text} is no JSON")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "tocsin-aws-simulator", ""
    disable_nagle_algorithm = True
    timeout = 300

    def log_message(self, *_args):
        """The log of calls is at /_sim/calls."""

    def _body(self):
        """The request's body, or None after having refused it."""
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not length.isdigit() or int(length) > BODY_MAX:
            self.close_connection = True
            self._send(413, {}, b"")
            return None
        return self.rfile.read(int(length))

    def _send(self, status, headers, body, date=None):
        """One write: head and body in one packet where they fit."""
        lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, '')}"]
        headers = {"Date": formatdate(date, usegmt=True), "Content-Length": str(len(body)), **headers}
        if self.close_connection:
            headers["Connection"] = "close"
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def do_GET(self):
        self._route()

    def do_POST(self):
        self._route()

    def do_PUT(self):
        self._route()

    def do_DELETE(self):
        self._route()

    def _route(self):
        body = self._body()
        if body is None:
            return
        try:
            if self.path.startswith("/_sim/"):
                self._admin(body)
            elif self.path.startswith(metadata.PREFIXES):
                self._local()
            else:
                self._aws(body)
        except (BrokenPipeError, ConnectionResetError, socket.timeout):
            self.close_connection = True

    # What answers on an instance or in a container alone

    def _local(self):
        sim = self.server.simulator
        service, operation = metadata.Metadata.operation(self.command, self.path)
        call = {"time": time.time(), "service": service, "operation": operation, "account": None, "region": None,
                "status": None, "code": None, "params": None, "method": self.command,
                "user_agent": self.headers.get("User-Agent"), "oddities": [], "address": self.client_address[1]}
        twist = sim.faults.pick(call)
        if twist.get("expire_credentials"):
            sim.world.expire_sessions()
        status, text = sim.world.metadata.answer(self.command, self.path, self.headers)
        call["status"] = twist.get("status", status)
        sim.world.calls.append(call)
        self._deliver(twist, status, {"Content-Type": "text/plain"}, text.encode(), sim.world.clock.now())

    # The side of AWS

    def _aws(self, body):
        sim = self.server.simulator
        call = {"time": time.time(), "service": None, "operation": None, "account": None, "region": None, "status": None,
                "code": None, "params": None, "method": self.command, "user_agent": self.headers.get("User-Agent"),
                "oddities": _oddities(self.headers, body), "address": self.client_address[1]}
        protocol = sim.protocol(self.headers, self.path)
        twist, now, request_id = {}, sim.world.clock.now(), str(uuid.uuid4())
        try:
            now, twist, answer = self._answer(sim, call, body, protocol)
            status, headers, text = 200, {"x-amzn-RequestId": request_id}, answer
            headers["Content-Type"] = CONTENT_TYPES[protocol]
        except AwsError as error:
            twist, now = call.pop("_twist", twist), call.pop("_now", now)
            status, headers, text = error.render(protocol, call["service"] or "monitoring", request_id,
                                                 self.headers.get("x-amzn-query-mode") == "true")
            call["code"] = error.code or error.kind
            call["message"] = error.message
        call.pop("_twist", None), call.pop("_now", None)
        call["status"] = twist.get("status", status)
        sim.world.calls.append(call)
        self._deliver(twist, status, headers, text, now)

    def _answer(self, sim, call, body, protocol):
        if _is_unsigned(self.headers, body):
            return self._answer_unsigned(sim, call, body)
        scope = signature.read_scope(self.headers)
        known = sim.world.keys.get(scope.key_id)
        call.update({"service": scope.service, "region": scope.region, "account": known.account if known else None})
        service, operation, request = sim.read(self.headers, body, self.command, self.path)
        call.update({"service": service.signing_name, "operation": operation, "params": _short(request)})
        twist = sim.faults.pick(call)
        now = sim.world.clock.now() + float(twist.get("skew", 0))
        call["_twist"], call["_now"] = twist, now
        if twist.get("expire_credentials"):
            sim.world.expire_sessions()
        if scope.service != service.signing_name:
            raise AwsError("signature", f"Credential should be scoped to correct service: '{service.signing_name}'.")
        scheme = "https" if self.server.secure else "http"
        url = f"{scheme}://{self.headers.get('Host', '')}{self.path}"
        key = signature.verify(sim.world, scope, self.command, url, self.headers, body, now)
        action = f"{service.action_prefix}:{operation}"
        fault_kinds.refuse(twist, action, key.arn)
        if sim.world.denies(key, action):
            fault_kinds.refuse({"denied": True}, action, key.arn)
        sim.throttle(key, service, scope.region, now)
        answer = service.call(operation, request, key, scope.region, now, twist)
        if protocol != QUERY:
            text = json.dumps(answer, separators=(",", ":"))
            return now, twist, (text if protocol == JSON else mixed_times(text)).encode()
        return now, twist, self._query_answer(service, operation, answer)

    def _answer_unsigned(self, sim, call, body):
        """AssumeRoleWithWebIdentity: the token in it is all that says who asks."""
        service, operation, request = sim.read(self.headers, body, self.command, self.path)
        call.update({"service": service.signing_name, "operation": operation, "params": _short(request)})
        twist, now = sim.faults.pick(call), sim.world.clock.now()
        call["_twist"], call["_now"] = twist, now
        fault_kinds.refuse(twist, f"{service.action_prefix}:{operation}", "anonymous")
        return now, twist, self._query_answer(service, operation, service.call(operation, request, None, None, now, twist))

    @staticmethod
    def _query_answer(service, operation, answer):
        return (
            f'<{operation}Response xmlns="https://{service.signing_name}.amazonaws.com/doc/{service.version}/">\n'
            f"  <{operation}Result>{answer}</{operation}Result>\n  <ResponseMetadata>\n    <RequestId>{uuid.uuid4()}</RequestId>\n"
            f"  </ResponseMetadata>\n</{operation}Response>\n").encode()

    def _deliver(self, twist, status, headers, text, now):
        """Sends the answer, bent as the fault says."""
        if "delay_ms" in twist:
            time.sleep(float(twist["delay_ms"]) / 1000)
        if "hang" in twist:
            self.server.stopping.wait(duration(twist["hang"]))
            self.close_connection = True
        elif twist.get("close") or twist.get("reset"):
            if twist.get("reset"):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            self.close_connection = True
        elif "truncate" in twist:
            self.close_connection = True
            length = str(len(text))
            self._send(status, {**headers, "Content-Length": length}, text[:int(twist["truncate"])], now)
        elif "shorten" in twist:
            self._send(status, headers, text[:int(twist["shorten"])], now)
        elif "huge" in twist:
            self._send_huge(int(twist["huge"]), now)
        elif "gzip_bomb" in twist:
            bomb = gzip.compress(b"0" * int(twist["gzip_bomb"]), 6)
            self._send(200, {**headers, "Content-Encoding": "gzip"}, bomb, now)
        elif "garbage" in twist:
            self._send(200, headers, _garbage(int(twist["garbage"]), self.server.simulator.world.seed), now)
        elif "status" in twist:
            more = {"Retry-After": str(twist["retry_after"])} if "retry_after" in twist else {}
            body = str(twist.get("body", f"<html><body><h1>{twist['status']}</h1></body></html>")).encode()
            self._send(int(twist["status"]), {"Content-Type": "text/html", **more}, body, now)
        else:
            self._send(status, headers, text, now)

    def _send_huge(self, size, now):
        self.close_connection = True
        head = (f"HTTP/1.1 200 OK\r\nDate: {formatdate(now, usegmt=True)}\r\nContent-Type: application/x-amz-json-1.0\r\n"
                "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        self.wfile.write(head.encode())
        first, unit = b'{"Messages":[],"MetricDataResults":[', b'{"Id":"m0","Label":"x","StatusCode":"Complete","Values":[]},'
        sent, piece = 0, first + unit * (CHUNK // len(unit))
        while sent < size:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            sent, piece = sent + len(piece), unit * (CHUNK // len(unit))
        self.wfile.write(b"0\r\n\r\n")

    # The side of the tests

    def _admin(self, body):
        sim, parsed = self.server.simulator, urllib.parse.urlsplit(self.path)
        name, query = parsed.path[len("/_sim/"):], dict(urllib.parse.parse_qsl(parsed.query))
        handler = ADMIN.get((self.command, name))
        if handler is None:
            return self._json(404, {"error": "no such call", "known": sorted(f"{m} /_sim/{n}" for m, n in ADMIN)})
        try:
            document = json.loads(body) if body else None
            return self._json(200, handler(sim, query, document))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return self._json(400, {"error": f"{type(error).__name__}: {error}"})

    def _json(self, status, document):
        self._send(status, {"Content-Type": "application/json"}, json.dumps(document).encode() + b"\n")


def _oddities(headers, body):
    """What AWS lets pass, but a well-made client does not send."""
    found = []
    if headers.get("Expect"):
        found.append("Expect header")
    if headers.get("Date"):
        found.append("Date beside X-Amz-Date")
    if headers.get("X-Amz-Target") is not None and not body:
        found.append("JSON call without a body")
    return found


def _short(request):
    text = json.dumps(request)
    return request if len(text) <= CALL_PARAMS_MAX else text[:CALL_PARAMS_MAX]


def _garbage(size, seed):
    block, out = hashlib.sha256(str(seed).encode()).digest(), bytearray()
    while len(out) < size:
        out += block
        block = hashlib.sha256(block).digest()
    return bytes(out[:size])


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, simulator, context=None):
        self.simulator, self.stopping, self.secure, self.context = simulator, threading.Event(), context is not None, context
        super().__init__(address, Handler)

    def server_bind(self):
        """Without the look-up of the own name that http.server does: it may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def finish_request(self, request, client_address):
        if self.context:
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        """A client that goes away is no error; everything else is shown."""
        import sys
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def write_port(path, port):
    """The port in a file, whole or not at all."""
    half = f"{path}.new"
    with open(half, "w", encoding="ascii") as file:
        file.write(f"{port}\n")
    os.replace(half, path)
