"""A running stand-in, and what its own tests do with it."""

import contextlib
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest

import botocore.config
import botocore.session

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from awssim.world import DEFAULT_KEY  # noqa: E402
from client import admin, signed  # noqa: E402

KEY, SECRET = DEFAULT_KEY["access_key_id"], DEFAULT_KEY["secret_access_key"]


@contextlib.contextmanager
def simulator(text, *options):
    """The port of a stand-in with that scenario."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = os.path.join(folder, "scenario.yaml")
        with open(scenario, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))
        process = subprocess.Popen([os.path.join(HERE, "tocsin-aws-simulator"), "--scenario", scenario, *options],
                                   stdout=subprocess.PIPE, text=True)
        try:
            address = process.stdout.readline()
            if not address:
                raise RuntimeError("the simulator did not start")
            yield int(address.rsplit(":", 1)[1])
        finally:
            process.terminate()
            process.wait(10)
            process.stdout.close()


class Served(unittest.TestCase):
    SCENARIO, OPTIONS = "", ()

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.port = cls.stack.enter_context(simulator(cls.SCENARIO, *cls.OPTIONS))

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def setUp(self):
        admin(self.port, "DELETE", "faults")
        admin(self.port, "POST", "clock", {"offset": 0})

    def signed(self, body, key=KEY, secret=SECRET, **more):
        return signed(self.port, body, key, secret, **more)

    def fault(self, do, **match):
        admin(self.port, "POST", "faults", [{"match": match, "do": do}])

    def client(self, service, key=KEY, secret=SECRET):
        return botocore.session.get_session().create_client(
            service, "eu-west-1", endpoint_url=f"http://127.0.0.1:{self.port}", aws_access_key_id=key,
            aws_secret_access_key=secret, config=botocore.config.Config(retries={"max_attempts": 0}))

    def pages(self, ask, body, most=100):
        """The decoded answers to `body` until one has no token."""
        found, body = [], dict(body)
        for _ in range(most):
            answer = ask(body)
            self.assertEqual(answer.status, 200, answer.body)
            found.append(answer.json)
            if "NextToken" not in found[-1]:
                break
            body["NextToken"] = found[-1]["NextToken"]
        return found
