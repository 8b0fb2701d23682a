"""What a request says about its signature: read, not yet believed."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Protocol
from urllib.parse import parse_qsl

from cloudstead.gateway.refusals import Refused

ALGORITHM = "AWS4-HMAC-SHA256"

_EXPIRES_S_MAX = 604_800
# The form that all SDKs write; anything else takes the slow path, which knows what is wrong with it.
USUAL_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^ ,/]+)/(\d{8})/([^ ,/]+)/([^ ,/]+)/aws4_request,"
    r" ?SignedHeaders=([^ ,=]+), ?Signature=([0-9a-f]{64})"
)
SIGNED_AT = re.compile(r"\d{8}T\d{6}Z")
_QUERY_PARAMETERS = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
)


class Signed(Protocol):
    """A request as far as a signature covers it. `dataplane.http.HttpRequest` is one."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


@dataclass(slots=True)
class Claim:
    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: str
    signature: str
    signed_at: str  # YYYYMMDDTHHMMSSZ
    token: str | None = None
    presigned: bool = False
    expires_s: int | None = None  # presigned only; S3 insists on it
    version: int = 4  # 2 is read by sigv2; the `signed_at` of such a URL is the second when it ends

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read_claim(request: Signed) -> Claim | None:
    """The claim of a request, None if it makes none. Raises Refused if it cannot be understood."""
    authorization = request.headers.get("authorization", "").strip()
    if authorization:
        return _of_header(authorization, request.headers)
    if "X-Amz-Signature=" in request.query or "X-Amz-Algorithm=" in request.query:
        return _of_query(dict(parse_qsl(request.query, keep_blank_values=True, encoding="latin-1")))
    return None


def _of_header(authorization: str, headers: Mapping[str, str]) -> Claim:
    usual = USUAL_HEADER.fullmatch(authorization)
    if usual is not None:
        key, date, region, service, signed_headers, signature = usual.groups()
    else:
        key, date, region, service, signed_headers, signature = _unusual_header(authorization)
    signed_at = headers.get("x-amz-date") or iso_basic(headers.get("date", ""))
    if not SIGNED_AT.fullmatch(signed_at):
        raise Refused(
            "date",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            + _hidden(authorization),
        )
    token = headers.get("x-amz-security-token")
    return Claim(key, date, region, service, signed_headers, signature, signed_at, token)


def iso_basic(http_date: str) -> str:
    """A date as a claim has it; "" if it is none."""
    if SIGNED_AT.fullmatch(http_date):
        return http_date
    try:
        return parsedate_to_datetime(http_date).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    except (ValueError, OverflowError):
        return ""


def _hidden(authorization: str) -> str:
    """AWS shows what it got without showing it."""
    digest = b64encode(sha256(authorization.encode("latin-1")).digest()).decode()
    return f"(Hashed with SHA-256 and encoded with Base64) Authorization={digest}"


def _unusual_header(authorization: str) -> tuple[str, str, str, str, str, str]:
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != ALGORITHM:
        raise Refused("mechanism", ArgumentName="Authorization", ArgumentValue=authorization)
    parts: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals:
            raise Refused(
                "incomplete",
                f"'{name}' not a valid key=value pair (missing equal-sign) in Authorization header. "
                + _hidden(authorization),
            )
        parts[name] = value.strip()
    lacking = [name for name in ("Credential", "SignedHeaders", "Signature") if not parts.get(name)]
    if lacking:
        complaints = [f"Authorization header requires '{name}' parameter." for name in lacking]
        raise Refused("incomplete", " ".join([*complaints, _hidden(authorization)]))
    return (*_credential(parts["Credential"]), parts["SignedHeaders"], parts["Signature"])


def _credential(text: str) -> tuple[str, str, str, str]:
    elements = text.split("/")
    if len(elements) != 5:
        raise Refused(
            "incomplete",
            "Credential must have exactly 5 slash-delimited elements, "
            f"e.g. keyid/date/region/service/term, got '{text}'",
        )
    key, date, region, service, terminator = elements
    if terminator != "aws4_request":
        raise Refused(
            "scope",
            f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'.",
        )
    return key, date, region, service


def _of_query(parameters: Mapping[str, str]) -> Claim:
    if parameters.get("X-Amz-Algorithm") != ALGORITHM:
        raise Refused("parameters", f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    # Services other than S3 do without X-Amz-Expires.
    if any(not parameters.get(name) for name in _QUERY_PARAMETERS[:-1]):
        names = ", ".join(_QUERY_PARAMETERS[:-1])
        raise Refused(
            "parameters",
            f"Query-string authentication version 4 requires the {names}, and {_QUERY_PARAMETERS[-1]} parameters.",
        )
    if not SIGNED_AT.fullmatch(parameters["X-Amz-Date"]):
        raise Refused("parameters", "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    key, date, region, service = _credential(parameters["X-Amz-Credential"])
    return Claim(
        key,
        date,
        region,
        service,
        parameters["X-Amz-SignedHeaders"],
        parameters["X-Amz-Signature"],
        parameters["X-Amz-Date"],
        parameters.get("X-Amz-Security-Token"),
        presigned=True,
        expires_s=_expires_s(parameters.get("X-Amz-Expires"), s3=service in ("s3", "s3express")),
    )


def _expires_s(text: str | None, *, s3: bool) -> int | None:
    if text is None and not s3:
        return None
    if text is None or not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise Refused("parameters", "X-Amz-Expires should be a number")
    seconds = int(text)
    if seconds < 0:
        raise Refused("parameters", "X-Amz-Expires must be non-negative")
    if seconds > _EXPIRES_S_MAX:
        raise Refused(
            "parameters",
            "X-Amz-Expires must be less than a week (in seconds); that is, "
            f"the given X-Amz-Expires must be less than {_EXPIRES_S_MAX} seconds",
        )
    return seconds
