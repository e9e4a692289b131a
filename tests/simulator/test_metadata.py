#!/usr/bin/python3
"""The endpoints that hand keys out, as botocore itself finds them: what it takes, Tocsin must take, too."""

import os
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

import botocore.exceptions
import yaml
from botocore import UNSIGNED
from botocore.config import Config
from botocore.session import Session
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataFetcher
from client import admin

HERE = os.path.dirname(os.path.abspath(__file__))
BOX, TASK, WEB = (f"arn:aws:iam::111122223333:role/{name}" for name in ("box", "task", "web"))


class MetadataTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path, port_file = os.path.join(cls.folder.name, "s.yaml"), os.path.join(cls.folder.name, "port")
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump({"roles": [{"arn": WEB, "web_tokens": ["good"]}], "metadata": {"role": BOX, "session": "1h"},
                            "container": {"role": TASK, "token": "authorized"}}, file)
        cls.process = subprocess.Popen([os.path.join(HERE, "tocsin-aws-simulator"), "--scenario", path, "--port-file", port_file],
                                       stdout=subprocess.PIPE)
        cls.url = cls.process.stdout.readline().decode().strip()
        cls.port = int(cls.url.rpartition(":")[2])

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.communicate(timeout=20)
        cls.folder.cleanup()

    def tearDown(self):
        admin(self.port, "DELETE", "faults")

    def status(self, method, path, **headers):
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def instance(self):
        return InstanceMetadataFetcher(base_url=self.url + "/", config={
            "ec2_metadata_service_endpoint": self.url + "/"}).retrieve_iam_role_credentials()

    def test_instance_by_version_2_alone(self):
        found = self.instance()
        self.assertEqual(found["role_name"], "box")
        self.assertTrue(found["access_key"].startswith("ASIA"))
        self.assertEqual(self.instance()["access_key"], found["access_key"])  # the same until its end is near
        roles = "/latest/meta-data/iam/security-credentials/"
        self.assertEqual(self.status("GET", roles), 401)
        self.assertEqual(self.status("PUT", "/latest/api/token"), 400)
        self.assertEqual(self.status("PUT", "/latest/api/token", **{
            "X-aws-ec2-metadata-token-ttl-seconds": "21600", "X-Forwarded-For": "10.0.0.1"}), 403)

    def test_expired_token_and_faults(self):
        admin(self.port, "POST", "faults", [{"match": {"operation": "GetRole"}, "do": {"expire_credentials": True}}])
        self.assertEqual(self.instance(), {})

    def test_container(self):
        fetcher = ContainerMetadataFetcher()
        found = fetcher.retrieve_full_uri(self.url + "/v2/credentials/x", headers={"Authorization": "authorized"})
        self.assertEqual(found["RoleArn"], TASK)
        self.assertEqual(self.status("GET", "/v1/credentials", Authorization="another"), 401)

    def test_web_identity_is_not_signed(self):
        sts = Session().create_client("sts", region_name="eu-west-1", endpoint_url=self.url,
                                      config=Config(signature_version=UNSIGNED, retries={"max_attempts": 0}))
        ask = {"RoleArn": WEB, "RoleSessionName": "me", "WebIdentityToken": "good"}
        keys = sts.assume_role_with_web_identity(**ask)["Credentials"]
        who = Session().create_client("sts", region_name="eu-west-1", endpoint_url=self.url, aws_access_key_id=keys["AccessKeyId"],
                                      aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
        self.assertEqual(who.get_caller_identity()["Arn"], "arn:aws:sts::111122223333:assumed-role/web/me")
        for change, code in (({"WebIdentityToken": "evil"}, "InvalidIdentityToken"), ({"RoleArn": BOX}, "AccessDenied"),
                             ({"DurationSeconds": 43201}, "ValidationError")):
            with self.subTest(code), self.assertRaises(botocore.exceptions.ClientError) as caught:
                sts.assume_role_with_web_identity(**{**ask, **change})
            self.assertEqual(caught.exception.response["Error"]["Code"], code)


if __name__ == "__main__":
    unittest.main(warnings="ignore")
