"""Receivers on loopback that keep what they get, and answer what a test tells them to."""

import asyncio
import email
import email.policy
import http.server
import json
import socket
import ssl
import threading
import time

from aiosmtpd.smtp import SMTP, AuthResult


def _server_context(certificate):
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


class Mail:
    """One caught mail: who it was for, and the message parsed."""

    def __init__(self, envelope, peer_used_tls, user):
        self.time = time.time()
        self.sender, self.recipients, self.raw = envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content
        self.tls, self.user = peer_used_tls, user
        self.message = email.message_from_bytes(self.raw, policy=email.policy.default)

    def body(self, kind="plain"):
        part = self.message.get_body(preferencelist=(kind,))
        return part.get_content() if part else None

    @property
    def subject(self):
        return str(self.message["Subject"])


class MailCatcher:
    """An SMTP server. tls: None, "starttls" or "implicit"; login: (user, password) that it insists on.

    reply(verb, text, count) makes it answer MAIL, RCPT, DATA or EHLO so; hang(verb) makes it say nothing there.
    """

    def __init__(self, tls=None, certificate=None, login=None):
        self.mails, self.logins, self.connections = [], [], 0
        self._scripts, self._lock = {}, threading.Lock()
        self._tls, self._login, self._context = tls, login, _server_context(certificate)
        self._loop = asyncio.new_event_loop()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        self.port = self._socket.getsockname()[1]
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait(10)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def reply(self, verb, text, count=1 << 30):
        with self._lock:
            self._scripts.setdefault(verb, []).append([text, count])

    def hang(self, verb):
        self.reply(verb, None)

    def heal(self):
        with self._lock:
            self._scripts.clear()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._socket.close()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        implicit = self._context if self._tls == "implicit" else None
        self._loop.run_until_complete(self._loop.create_server(self._session, sock=self._socket, ssl=implicit))
        self._started.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    def _session(self):
        self.connections += 1
        options = {"hostname": "catcher.test", "loop": self._loop, "enable_SMTPUTF8": False}
        if self._tls == "starttls":
            options.update(tls_context=self._context, require_starttls=True)
        if self._login:
            options.update(authenticator=self._check_login, auth_required=True, auth_require_tls=self._tls == "starttls")
        return SMTP(self, **options)

    def _check_login(self, _server, _session, _envelope, _mechanism, data):
        given = (data.login.decode(errors="replace"), data.password.decode(errors="replace"))
        self.logins.append(given)
        return AuthResult(success=given == self._login, handled=False, auth_data=given[0])

    async def _scripted(self, verb):
        """The reply that a test wants at this verb, or None for the usual one."""
        with self._lock:
            for script in self._scripts.get(verb, []):
                if script[1] > 0:
                    script[1] -= 1
                    text = script[0]
                    break
            else:
                return None
        if text is None:
            await asyncio.sleep(3600)
        return text

    async def handle_EHLO(self, _server, session, _envelope, hostname, responses):
        session.host_name = hostname
        scripted = await self._scripted("EHLO")
        return [scripted] if scripted else responses

    async def handle_MAIL(self, _server, _session, envelope, address, options):
        scripted = await self._scripted("MAIL")
        if scripted:
            return scripted
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _server, _session, envelope, address, options):
        scripted = await self._scripted("RCPT")
        if scripted:
            return scripted
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):
        scripted = await self._scripted("DATA")
        if scripted:
            return scripted
        user = session.auth_data if getattr(session, "authenticated", False) else None
        self.mails.append(Mail(envelope, bool(session.ssl) or self._tls == "implicit", user))
        return f"250 2.0.0 queued as {len(self.mails)}"


class Hook:
    """One caught request."""

    def __init__(self, method, path, headers, body):
        self.time, self.method, self.path, self.headers, self.body = time.time(), method, path, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class HookCatcher:
    """A webhook's other end. answer(path, …) scripts what a path gets; the default is 200 `ok`.

    Script keys: status, headers, body, delay_s, hang (no answer until closed), cut (closes after the head), count.
    """

    def __init__(self, certificate=None):
        self.hooks, self._scripts, self._lock = [], {}, threading.Lock()
        self._stopping = threading.Event()
        catcher, context = self, _server_context(certificate)

        class Handler(_HookHandler):
            owner = catcher

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 128

            def finish_request(self, request, client_address):
                if context:
                    request = context.wrap_socket(request, server_side=True)
                super().finish_request(request, client_address)

            def handle_error(self, request, client_address):
                """A client that refuses our certificate is what some tests want."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def answer(self, path="/", count=1 << 30, **script):
        with self._lock:
            self._scripts.setdefault(path, []).append([script, count])

    def heal(self, path=None):
        with self._lock:
            if path is None:
                self._scripts.clear()
            else:
                self._scripts.pop(path, None)

    def at(self, path):
        return [hook for hook in list(self.hooks) if hook.path == path]

    def close(self):
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def script(self, path):
        with self._lock:
            for entry in self._scripts.get(path, []):
                if entry[1] > 0:
                    entry[1] -= 1
                    return entry[0]
        return {}

    def decide(self, hook):
        """What this request gets; for those who look at more of it than its path."""
        return self.script(hook.path)

    def wait(self, seconds):
        self._stopping.wait(seconds)


class _HookHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None

    def log_message(self, *_args):
        """What came is kept in `hooks`."""

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hook = Hook(self.command, self.path, dict(self.headers.items()), body)
        self.owner.hooks.append(hook)
        script = self.owner.decide(hook)
        if script.get("hang"):
            self.owner.wait(3600)
            self.close_connection = True
            return
        self.owner.wait(script.get("delay_s", 0))
        text = str(script.get("body", "ok")).encode()
        self.send_response(script.get("status", 200))
        for name, value in script.get("headers", {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if script.get("cut"):
            self.close_connection = True
        elif self.command != "HEAD":
            self.wfile.write(text)

    do_POST = do_GET = do_PUT = do_HEAD = _serve


def free_port():
    """A port that was free a moment ago, for what must know its port before it starts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def silent_port():
    """(socket, port) that accepts connections and never says a word; the caller closes the socket."""
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    deaf.listen(64)
    return deaf, deaf.getsockname()[1]
