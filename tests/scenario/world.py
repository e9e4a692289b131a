"""The world of one scenario: the simulated AWS, receivers on loopback, and the real daemon between them.

A scenario is a script with one function that takes a World; `run(function)` makes the world, calls it, and takes down
all that was started. The build folder is the first argument, or TOCSIN_BUILD. Exit 0 passed, 1 failed, 77 skipped.
"""

import contextlib
import http.client
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

import yaml

from catchers import HookCatcher, MailCatcher
from certs import Authority

HERE = os.path.dirname(os.path.abspath(__file__))
SIMULATOR = os.path.join(HERE, "..", "simulator", "tocsin-aws-simulator")
REGION = "eu-west-1"
ACCOUNT = "111122223333"
READY_S = 30  # a start under a sanitizer and a busy machine
STOP_S = 20
SANITIZERS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer")
LOG_SHOWN = 120  # lines of the daemon's log that a failure prints
AWS_KEY = ("AKIASIMULATOR0000001", "simulated/secret+key/0000000000000000000")


class Skip(Exception):
    """What the scenario needs is not on this machine."""


class Failed(AssertionError):
    """A promise was not kept."""


def expect(condition, what):
    if not condition:
        raise Failed(what)


def wait_for(function, deadline_s, what):
    """The first truthy answer of `function`; Failed after the deadline, with the last answer."""
    end, last = time.monotonic() + deadline_s, None
    while time.monotonic() < end:
        last = function()
        if last:
            return last
        time.sleep(0.05)
    raise Failed(f"not within {deadline_s} s: {what} (last: {str(last)[:300]})")


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("tocsin", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class World:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        for program in ("tocsind", "tocsinctl"):
            if not os.path.exists(self.program(program)):
                raise Skip(f"{self.program(program)} is not built")
        self.stack = contextlib.ExitStack()
        self.dir = tempfile.mkdtemp(prefix="tocsin-scenario-")
        self.state_dir = os.path.join(self.dir, "state")
        self.socket = os.path.join(self.dir, "tocsin.sock")
        self.config_file = os.path.join(self.dir, "tocsin.yaml")
        self.log_file = os.path.join(self.dir, "tocsind.log")
        self.secret_files = set()
        self.daemon, self.sim_port, self.authority = None, None, None
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.dir, "LANG": "C.UTF-8",
            "AWS_ACCESS_KEY_ID": AWS_KEY[0], "AWS_SECRET_ACCESS_KEY": AWS_KEY[1], "AWS_EC2_METADATA_DISABLED": "true",
            "TOCSIN_PLUGIN_DIR": os.path.join(self.build, "plugins"),
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def program(self, name):
        return os.path.join(self.build, "daemon", name)

    def let_others_in(self):
        """Copies of the programs that every user may run: the build may lie where its owner alone may look."""
        place = os.path.join(self.dir, "installed")
        for folder, names in (("daemon", ("tocsind", "tocsinctl")),
                              ("plugins", [name for name in os.listdir(os.path.join(self.build, "plugins")) if name.endswith(".so")])):
            os.makedirs(os.path.join(place, folder))
            for name in names:
                shutil.copy(os.path.join(self.build, folder, name), os.path.join(place, folder))
                os.chmod(os.path.join(place, folder, name), 0o755)
            os.chmod(os.path.join(place, folder), 0o755)
        for folder in (place, self.dir):
            os.chmod(folder, 0o755)
        self.build = place
        self.env["TOCSIN_PLUGIN_DIR"] = os.path.join(place, "plugins")

    # Who stands around the daemon

    def simulator(self, scenario=None, *options):
        """Starts the simulated AWS with `scenario` (a dictionary or YAML text); its port is sim_port."""
        document = yaml.safe_load(scenario) if isinstance(scenario, str) else dict(scenario or {})
        path, port_file = os.path.join(self.dir, "scenario.yaml"), os.path.join(self.dir, "simulator.port")
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(document, file)
        with open(os.path.join(self.dir, "simulator.log"), "wb") as log:
            process = subprocess.Popen([SIMULATOR, "--scenario", path, "--port-file", port_file, *options],
                                       stdout=log, stderr=log)
        self.stack.callback(_stop, process)
        wait_for(lambda: os.path.exists(port_file) or process.poll() is not None, 20, "the simulator's port")
        if process.poll() is not None:
            with open(os.path.join(self.dir, "simulator.log"), encoding="utf-8") as log:
                raise Failed(f"the simulator did not start: {log.read()}")
        with open(port_file, encoding="ascii") as file:
            self.sim_port = int(file.read())

    def mail(self, **options):
        catcher = MailCatcher(**options)
        self.stack.callback(catcher.close)
        return catcher

    def hook(self, **options):
        catcher = HookCatcher(**options)
        self.stack.callback(catcher.close)
        return catcher

    def ca(self):
        """The authority whose certificates the receivers may show; made on first use."""
        self.authority = self.authority or Authority(self.dir)
        return self.authority

    def secret(self, name, value):
        """A secret's file beside the configuration, which the check for leaks leaves out."""
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
            file.write(value + "\n")
        self.secret_files.add(path)
        return name

    # The simulator's side for tests

    def sim(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.sim_port}/_sim/{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def fault(self, do, **match):
        return self.sim("POST", "faults", [{"match": match, "do": do}])["ids"][0]

    def heal(self):
        self.sim("DELETE", "faults")

    def push(self, value, minute=-2, count=1, name="Load", namespace="Test", **more):
        """`count` samples into the finished minute that lies `minute` back. The window is read anew at each poll."""
        at = (int(time.time()) // 60 + minute) * 60
        self.sim("POST", "points", {"namespace": namespace, "name": name, "points": [[at, value]] * count, **more})
        return at

    def calls(self, **match):
        query = "&".join(f"{name}={value}" for name, value in match.items())
        return self.sim("GET", f"calls?limit=100000&{query}")["calls"]

    # Configuration

    def configure(self, text, path=None, **base):
        """Writes tocsin.yaml: `text` after what each scenario needs (aws, state, control, log), unless it says that itself."""
        sections = {
            "aws": {"region": REGION, "endpoint_url": f"http://127.0.0.1:{self.sim_port}"},
            "poll": {"cloudwatch": {"every": "1s"}},
            "state": {"directory": self.state_dir},
            "control": {"socket": self.socket},
            "log": {"level": "debug", "format": "text"},
            **base,
        }
        given = yaml.safe_load(text) or {}
        lines = [yaml.safe_dump({name: value}, default_flow_style=None, width=10_000)
                 for name, value in sections.items() if name not in given and value is not None]
        with open(path or self.config_file, "w", encoding="utf-8") as file:
            file.write("".join(lines) + text)

    def raw_config(self, text):
        with open(self.config_file, "w", encoding="utf-8") as file:
            file.write(text)

    def check(self, path=None):
        return self.run_program([self.program("tocsind"), "--check", "-c", path or self.config_file])

    def once(self):
        return self.run_program([self.program("tocsind"), "--once", "-c", self.config_file], 120)

    def run_program(self, command, timeout=60):
        return subprocess.run(command, env=self.env, cwd=self.dir, timeout=timeout, capture_output=True, text=True,
                              errors="replace", stdin=subprocess.DEVNULL, check=False)

    # The daemon

    def start(self, ready=True, wrapper=()):
        """Starts tocsind, in a session of its own so that whatever it leaves behind is found."""
        self.log_start = os.path.getsize(self.log_file) if os.path.exists(self.log_file) else 0
        with open(self.log_file, "ab") as log:
            self.daemon = subprocess.Popen([*wrapper, self.program("tocsind"), "-c", self.config_file], env=self.env,
                                           cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           start_new_session=True)
        if ready:
            wait_for(self._ready, READY_S, "the daemon is ready")
        return self.daemon

    def _ready(self):
        if self.daemon.poll() is not None:
            raise Failed(f"the daemon ended with {self.daemon.returncode}")
        try:
            return self.api("/readyz", timeout=5)[0] == 200
        except OSError:
            return False

    def stop(self, number=signal.SIGTERM, status=0):
        """Stops the daemon cleanly and looks at its status and at what it left."""
        self.daemon.send_signal(number)
        try:
            got = self.daemon.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            raise Failed(f"the daemon did not stop within {STOP_S} s of signal {number}") from None
        session, self.daemon = self.daemon.pid, None
        expect(got == status, f"the daemon ended with {got}, not {status}")
        left = wait_gone(session)
        expect(not left, f"the daemon left processes behind: {left}")

    def kill(self):
        """kill -9: no chance to write anything down."""
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None

    def restart(self):
        self.stop()
        return self.start()

    def reload(self):
        """SIGHUP; returns when the daemon has said whether it took the new file."""
        before = self.get("/v1/status")["config"]["last_reload"]
        self.daemon.send_signal(signal.SIGHUP)
        return wait_for(lambda: (lambda now: now if now != before else None)(
            self.get("/v1/status")["config"]["last_reload"]), 20, "the reload's result")

    # Its socket

    def api(self, path, method="GET", body=None, timeout=30):
        """(status, decoded answer) of one call."""
        connection = self.ask(path, method, body, timeout)
        try:
            return self.answer(connection)
        finally:
            connection.close()

    def ask(self, path, method="GET", body=None, timeout=30):
        """The first half of a call: the connection, for `answer`. The caller closes it."""
        connection = _SocketConnection(self.socket, timeout)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
        except OSError:
            connection.close()
            raise
        return connection

    @staticmethod
    def answer(connection):
        answer = connection.getresponse()
        text = answer.read().decode()
        is_json = (answer.headers.get_content_type() == "application/json")
        return answer.status, json.loads(text) if is_json and text else text

    def get(self, path):
        status, answer = self.api(path)
        expect(status == 200, f"GET {path} gave {status}: {answer}")
        return answer

    def ctl(self, *arguments, **more):
        return self.run_program([self.program("tocsinctl"), "--socket", self.socket, *arguments], **more)

    def instances(self, name=None):
        return [entry for entry in self.get("/v1/alarms")["alarms"] if name in (None, entry["name"])]

    def state(self, name):
        found = self.instances(name)
        return found[0]["state"] if found else None

    def wait_state(self, name, state, deadline_s=40):
        wait_for(lambda: self.state(name) == state, deadline_s, f"{name} is {state}")
        return self.instances(name)[0]

    def notifications(self, state=None):
        found = self.get("/v1/notifications")["notifications"]
        return [entry for entry in found if state in (None, entry["state"])]

    def log(self):
        with open(self.log_file, encoding="utf-8", errors="replace") as file:
            return file.read()

    # What must hold at the end of each scenario

    def expect_no_secret(self, *secrets):
        """None of the planted secrets stands in a file that the daemon wrote, or in an answer of its socket."""
        artefacts = {}
        for folder, _, names in os.walk(self.dir):
            for name in names:
                path = os.path.join(folder, name)
                if path not in self.secret_files and not path.startswith(os.path.join(self.dir, "scenario.yaml")):
                    with contextlib.suppress(OSError), open(path, "rb") as file:
                        artefacts[path] = file.read()
        if self.daemon:
            for path in ("/v1/status", "/v1/alarms", "/v1/history", "/v1/sources", "/v1/notifications", "/metrics"):
                artefacts[path] = json.dumps(self.api(path)[1]).encode()
            with contextlib.suppress(OSError), open(f"/proc/{self.daemon.pid}/cmdline", "rb") as file:
                artefacts["cmdline"] = file.read()
        for secret in secrets:
            for where, content in artefacts.items():
                expect(secret.encode() not in content, f"the secret {secret[:6]}… stands in {where}")

    def close(self, failed):
        """Takes everything down; a daemon that is still there must stop cleanly."""
        try:
            if self.daemon and self.daemon.poll() is not None:
                raise Failed(f"the daemon had ended by itself with {self.daemon.returncode}")
            if self.daemon:
                self.stop()
            log = self.log() if os.path.exists(self.log_file) else ""
            for word in SANITIZERS:
                expect(word not in log, f"{word} in the daemon's log")
        except Failed:
            failed = True
            raise
        finally:
            if self.daemon and self.daemon.poll() is None:
                self.daemon.kill()
                self.daemon.wait()
            self.stack.close()
            if failed and os.path.exists(self.log_file):
                lines = self.log().splitlines()
                print(f"--- the last {LOG_SHOWN} of {len(lines)} lines of the daemon's log", file=sys.stderr)
                print("\n".join(lines[-LOG_SHOWN:]), file=sys.stderr)
            if os.environ.get("TOCSIN_KEEP"):
                print(f"kept: {self.dir}", file=sys.stderr)
            else:
                shutil.rmtree(self.dir, ignore_errors=True)


def wait_gone(session):
    """Processes of that session that are still there after a moment."""
    end = time.monotonic() + 5
    while True:
        left = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
                if int(fields[3]) == session and fields[0] != "Z":
                    left.append(int(entry))
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)


def _stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run(scenario):
    """Runs one scenario against the build folder given, and exits."""
    build = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("TOCSIN_BUILD", os.path.join(HERE, "..", "..", "build"))
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns of its own next version
    world, failed = None, True
    try:
        world = World(build)
        scenario(world)
        failed = False
    except Skip as reason:
        print(f"skipped: {reason}")
        if world:
            world.close(False)
        sys.exit(77)
    except (Exception, KeyboardInterrupt):  # the world must come down whatever went wrong
        traceback.print_exc()
    try:
        if world:
            world.close(failed)
    except Failed:
        failed = True
        traceback.print_exc()
    sys.exit(1 if failed else 0)
