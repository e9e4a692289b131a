"""Servers on loopback that break each connection in one certain way, and one that passes it on unbroken."""

import contextlib
import functools
import gzip
import http.client
import io
import itertools
import socket
import ssl
import struct
import threading

ZEROS = 100_000_000  # bytes in a bomb, decoded
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Hostile:
    """A server whose every connection is handed to `act(server, connection)`; `act` may be changed at any time."""

    def __init__(self, act):
        self.act, self.closing, self.connections = act, threading.Event(), 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def url(self, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}"

    def close(self):
        self.closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException), connection:
            self.act(self, connection)


def _read_request(connection):
    """The whole request, as it came."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("no request")
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# What can go wrong


def silent(server, _connection):
    """Takes the connection and never says a word: over TLS, a handshake that stalls."""
    server.closing.wait()


def stall(server, connection):
    _read_request(connection)
    connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{\"half\":")
    server.closing.wait()


def reset_midway(_server, connection):
    _read_request(connection)
    connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{\"half\":")
    _reset(connection)


def refuse_and_reset(_server, connection):
    """A whole answer, and a reset right behind it: what a server does that closes before it has read all."""
    _read_request(connection)
    connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large")
    _reset(connection)


def hang_up(_server, connection):
    _read_request(connection)


@functools.cache
def _bomb():
    return gzip.compress(b"0" * ZEROS, 1)


def gzip_bomb(_server, connection):
    _read_request(connection)
    body = _bomb()
    connection.sendall(HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def chunked_bomb(server, connection):
    _read_request(connection)
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while not server.closing.is_set():
        connection.sendall(b"10000\r\n" + b"0" * 65536 + b"\r\n")


def endless_head(server, connection):
    _read_request(connection)
    connection.sendall(HEAD)
    for number in itertools.count():
        connection.sendall(b"".join(b"X-%d-%d: y\r\n" % (number, i) for i in range(1000)))
        if server.closing.is_set():
            return


def endless_hints(server, connection):
    """Answers before the answer, for ever."""
    _read_request(connection)
    while not server.closing.is_set():
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1000)


def no_http(_server, connection):
    _read_request(connection)
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 3)


def plain_text(_server, connection):
    """HTTP where a TLS handshake was begun."""
    connection.recv(1)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def over_tls(certificate, act=hang_up):
    """`act` behind a handshake with that (certificate file, key file)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def handshake(server, connection):
        with context.wrap_socket(connection, server_side=True) as inside:
            act(server, inside)
    return handshake


def relay_to(port):
    """Nothing goes wrong: one request a connection is passed on to `port`, and its answer back."""
    def relay(_server, connection):
        request = _read_request(connection)
        with socket.create_connection(("127.0.0.1", port)) as other:
            other.sendall(request)
            answer = http.client.HTTPResponse(other)
            answer.begin()
            body = answer.read()
        out = io.BytesIO()
        out.write(f"HTTP/1.1 {answer.status} {answer.reason}\r\n".encode())
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                out.write(f"{name}: {value}\r\n".encode())
        out.write(f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        connection.sendall(out.getvalue())
    return relay


def full_backlog():
    """(sockets, port) where a connection is never taken, since so many wait already. The caller closes the sockets."""
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    deaf.listen(0)
    waiting = []
    for _ in range(8):
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(deaf.getsockname())
    return [deaf, *waiting], deaf.getsockname()[1]
