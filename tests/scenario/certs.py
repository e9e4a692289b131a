"""A certificate authority for an afternoon: what the catchers' TLS is signed by, and one that nobody trusts."""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def _pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Authority:
    """Files in `folder`: NAME-ca.pem, and a certificate with its key for each host asked for."""

    def __init__(self, folder, name="tocsin-test"):
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(_name(name), self.key, x509.BasicConstraints(ca=True, path_length=0), [])
        self.ca_file = _write(os.path.join(folder, f"{name}-ca.pem"),
                              self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject, key, constraints, names, days=1):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(_name(self.name))
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=2)).not_valid_after(now + datetime.timedelta(days=days))
                   .add_extension(constraints, critical=True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, host="127.0.0.1", days=1):
        """(certificate file, key file) for `host`; days < 0 makes one that has ended."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            alternative = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        certificate = self._sign(_name(host), key, x509.BasicConstraints(ca=False, path_length=None),
                                 [alternative, x509.DNSName("localhost")], days)
        base = os.path.join(self.folder, f"{self.name}-{host}{days}")
        _write(f"{base}.pem", certificate.public_bytes(serialization.Encoding.PEM))
        return f"{base}.pem", _write(f"{base}.key", _pem(key))
