"""TLS as a health checker speaks it: any version, any certificate.

As on AWS the certificate is looked at in one case only: if the endpoint was told a name and shows a certificate that is
for others, the handshake is tried once more without the name.
"""

import ssl
from functools import cache

from cryptography import x509
from cryptography.x509.oid import NameOID

_ALERT = "ALERT_"


@cache
def context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    made.set_ciphers("ALL:@SECLEVEL=0")  # OpenSSL allows TLS 1.0 and 1.1 with nothing less
    return made


def is_for(certificate: bytes | None, name: str) -> bool:
    """Whether a certificate (DER) names this host. One that cannot be read is not held against anybody."""
    if certificate is None:
        return True
    try:
        read = x509.load_der_x509_certificate(certificate)
        named = _names(read)
    except ValueError:
        return True
    return any(_covers(one.lower(), name.lower().rstrip(".")) for one in named)


def alert(error: ssl.SSLError) -> str:
    """The endpoint's alert in TLS's own word: `handshake_failure`; empty if it sent none."""
    words = (error.reason or "").upper()
    return words.partition(_ALERT)[2].lower()


def _names(certificate: x509.Certificate) -> list[str]:
    names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        more = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return names
    return [*names, *more.get_values_for_type(x509.DNSName)]


def _covers(pattern: str, name: str) -> bool:
    if pattern.startswith("*."):
        return name.partition(".")[2] == pattern[2:]
    return pattern == name
