"""A certificate authority for tests, and servers that it vouches for."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_A_DAY = timedelta(days=1)


class Authority:
    """Writes its files into `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = _name("tests")
        basics = x509.BasicConstraints(ca=True, path_length=0)
        self._certificate = _certificate(name, name, self._key, self._key, [(basics, True)])

    def trusted(self) -> ssl.SSLContext:
        """What a client has that trusts this authority and no other."""
        return ssl.create_default_context(cadata=self._pem.decode())

    def bundle(self) -> Path:
        """A file with its certificate, as AWS_CA_BUNDLE names one."""
        path = self._folder / "authority.pem"
        path.write_bytes(self._pem)
        return path

    @property
    def _pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def server(self, name: str, *, expired: bool = False) -> ssl.SSLContext:
        """What a server has that is `name`, a host or an IPv4 address."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(
            _name(name), self._certificate.subject, key, self._key, [(_names(name), False)], expired=expired
        )
        path = self._folder / f"{name}-{expired}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _names(host: str) -> x509.SubjectAlternativeName:
    try:
        return x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
    except ValueError:
        return x509.SubjectAlternativeName([x509.DNSName(host)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extensions: list[tuple[x509.ExtensionType, bool]],
    *,
    expired: bool = False,
) -> x509.Certificate:
    ends = datetime.now(UTC) - _A_DAY if expired else datetime.now(UTC) + _A_DAY
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(ends - 10 * _A_DAY).not_valid_after(ends)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())
