#!/usr/bin/python3
"""The harness itself: catchers keep what they get and answer what they are told, over each kind of TLS."""

import http.client
import logging
import smtplib
import ssl
import tempfile
import unittest

from catchers import HookCatcher, MailCatcher
from certs import Authority

logging.getLogger("mail.log").setLevel(logging.CRITICAL)
TEXT = "Subject: hello\r\n\r\nbody\r\n"


class Catchers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.authority = Authority(cls.folder.name)
        cls.certificate = cls.authority.issue()
        cls.context = ssl.create_default_context(cafile=cls.authority.ca_file)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def catcher(self, kind, **options):
        made = kind(**options)
        self.addCleanup(made.close)
        return made

    def test_plain_mail(self):
        catcher = self.catcher(MailCatcher)
        with smtplib.SMTP("127.0.0.1", catcher.port, timeout=10) as client:
            client.sendmail("a@example.org", ["b@example.org"], TEXT)
        self.assertEqual((catcher.mails[0].subject, catcher.mails[0].recipients), ("hello", ["b@example.org"]))
        self.assertFalse(catcher.mails[0].tls)

    def test_starttls_and_login(self):
        catcher = self.catcher(MailCatcher, tls="starttls", certificate=self.certificate, login=("u", "p"))
        with smtplib.SMTP("127.0.0.1", catcher.port, timeout=10) as client:
            with self.assertRaises(smtplib.SMTPException):
                client.sendmail("a@example.org", ["b@example.org"], TEXT)
            client.starttls(context=self.context)
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                client.login("u", "wrong")
            client.login("u", "p")
            client.sendmail("a@example.org", ["b@example.org"], TEXT)
        self.assertEqual((catcher.mails[0].tls, catcher.mails[0].user), (True, "u"))

    def test_implicit_tls(self):
        catcher = self.catcher(MailCatcher, tls="implicit", certificate=self.certificate, login=("u", "p"))
        with smtplib.SMTP_SSL("127.0.0.1", catcher.port, timeout=10, context=self.context) as client:
            client.login("u", "p")
            client.sendmail("a@example.org", ["b@example.org"], TEXT)
        self.assertTrue(catcher.mails[0].tls)

    def test_scripted_replies(self):
        catcher = self.catcher(MailCatcher)
        for verb, error in (("RCPT", smtplib.SMTPRecipientsRefused), ("MAIL", smtplib.SMTPSenderRefused),
                            ("DATA", smtplib.SMTPDataError)):
            catcher.reply(verb, "451 later", count=1)
            with self.subTest(verb), smtplib.SMTP("127.0.0.1", catcher.port, timeout=10) as client:
                with self.assertRaises(error):
                    client.sendmail("a@example.org", ["b@example.org"], TEXT)
                client.sendmail("a@example.org", ["b@example.org"], TEXT)
        self.assertEqual(len(catcher.mails), 3)

    def post(self, catcher, path, context=None):
        kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
        connection = kind("127.0.0.1", catcher.port, timeout=10, **({"context": context} if context else {}))
        self.addCleanup(connection.close)
        connection.request("POST", path, b'{"a":1}', {"X-Test": "1"})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def test_hooks(self):
        catcher = self.catcher(HookCatcher)
        catcher.answer("/a", status=503, headers={"Retry-After": "2"}, body="busy", count=1)
        self.assertEqual([self.post(catcher, "/a")[0] for _ in range(2)], [503, 200])
        self.assertEqual((catcher.hooks[0].json, catcher.hooks[0].headers["X-Test"]), ({"a": 1}, "1"))
        catcher.answer("/cut", cut=True)
        with self.assertRaises(http.client.IncompleteRead):
            self.post(catcher, "/cut")

    def test_hooks_over_tls(self):
        catcher = self.catcher(HookCatcher, certificate=self.certificate)
        self.assertEqual(self.post(catcher, "/", self.context)[0], 200)
        with self.assertRaises(ssl.SSLError):
            self.post(catcher, "/", ssl.create_default_context())
        ended = self.catcher(HookCatcher, certificate=self.authority.issue(days=-1))
        with self.assertRaises(ssl.SSLError):
            self.post(ended, "/", self.context)


if __name__ == "__main__":
    unittest.main(warnings="ignore")
