"""HTTPS on the machine itself: a certificate authority of our own and the endpoint's certificate.

Both are made once and kept under `<data>/tls`. Users add the authority to what they trust (`cloudstead ca`,
AWS_CA_BUNDLE); the certificate is renewed under it without them noticing. A crash while making them leaves
nothing that is used: what is whole is told by `made.json`, which is written last.
"""

import datetime as dt
import fcntl
import ipaddress
import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cloudstead.core.clock import Clock

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

_CA_LIFE = dt.timedelta(days=3650)
_LEAF_LIFE = dt.timedelta(days=397)  # more is refused by Apple's and Chromium's verifiers
_RENEW_BEFORE = dt.timedelta(days=30)
_BACKDATED = dt.timedelta(days=1)  # clocks in guests may be behind

_LOCAL_NAMES = ("localhost", "*.localhost", "s3.localhost", "*.s3.localhost")
_AWS_NAMES = ("*.amazonaws.com", "*.s3.amazonaws.com", "*.api.aws")
_LOOPBACK = ("127.0.0.1", "::1")
# A wildcard stands for one label, so each region's `ec2.us-east-1.amazonaws.com` needs its own.
_REGIONS = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
]


class _Made(msgspec.Struct):
    """What the certificate says, so that looking needs no X.509 parser at start-up."""

    names: list[str]
    renew_at: dt.datetime


def server_context(folder: Path, clock: Clock, *, extra_names: Sequence[str] = ()) -> ssl.SSLContext:
    """The context to serve HTTPS with. Makes or renews what is needed; safe to call from many processes.

    `extra_names` are further DNS names and IP addresses under which the endpoint is reached.
    """
    names = _names(extra_names)
    with _locked(folder):
        if not _is_good(folder, names, clock.now()):
            _make(folder, names, clock.now())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(folder / "endpoint.pem", folder / "endpoint.key")
    return context


def ca_pem(folder: Path, clock: Clock) -> str:
    """The authority's certificate, for `cloudstead ca`. Makes it if there is none yet."""
    with _locked(folder):
        if not (folder / "ca.pem").exists():
            _make(folder, _names(()), clock.now())
        return (folder / "ca.pem").read_text()


def _names(extra: Sequence[str]) -> list[str]:
    regional = [
        pattern.format(region)
        for region in _REGIONS
        for pattern in ("*.{}.amazonaws.com", "*.s3.{}.amazonaws.com", "*.{}.api.aws", "*.{}.localhost")
    ]
    return sorted({*_LOCAL_NAMES, *_AWS_NAMES, *regional, *_LOOPBACK, *extra})


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # held by another for as long as making two keys takes
        yield


def _is_good(folder: Path, names: list[str], now: dt.datetime) -> bool:
    try:
        made = msgspec.json.decode((folder / "made.json").read_bytes(), type=_Made)
    except (OSError, msgspec.DecodeError):
        return False
    whole = all((folder / name).exists() for name in ("ca.pem", "ca.key", "endpoint.pem", "endpoint.key"))
    return whole and set(names) <= set(made.names) and now < made.renew_at


def _make(folder: Path, names: list[str], now: dt.datetime) -> None:
    # Half a megabyte of modules that a second start does without.
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    (folder / "made.json").unlink(missing_ok=True)
    authority, authority_key = _authority(folder, now)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _endpoint_certificate(authority, authority_key, key, names, now)
    _write(folder / "endpoint.key", _key_pem(key), 0o600)
    _write(folder / "endpoint.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    made = _Made(names, min(now + _LEAF_LIFE, authority.not_valid_after_utc) - _RENEW_BEFORE)
    _write(folder / "made.json", msgspec.json.encode(made), 0o644)


def _authority(folder: Path, now: dt.datetime) -> "tuple[x509.Certificate, ec.EllipticCurvePrivateKey]":
    """The one that is there, as long as it lives: users have told their machines to trust it."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    if (folder / "ca.pem").exists() and (folder / "ca.key").exists():
        found = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        if found.not_valid_after_utc - _RENEW_BEFORE > now and found.public_key() == key.public_key():
            return found, key
    key = ec.generate_private_key(ec.SECP256R1())
    made = _authority_certificate(key, now)
    _write(folder / "ca.key", _key_pem(key), 0o600)
    _write(folder / "ca.pem", made.public_bytes(serialization.Encoding.PEM), 0o644)
    return made, key


def _authority_certificate(key: "ec.EllipticCurvePrivateKey", now: dt.datetime) -> "x509.Certificate":
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Cloudstead local CA {now:%Y-%m-%d}")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _endpoint_certificate(
    authority: "x509.Certificate",
    authority_key: "ec.EllipticCurvePrivateKey",
    key: "ec.EllipticCurvePrivateKey",
    names: list[str],
    now: dt.datetime,
) -> "x509.Certificate":
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(min(now + _LEAF_LIFE, authority.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(issued_by, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _general_name(name: str) -> "x509.GeneralName":
    from cryptography import x509  # noqa: PLC0415

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> "x509.KeyUsage":
    from cryptography import x509  # noqa: PLC0415

    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: "ec.EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by others for a moment."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
