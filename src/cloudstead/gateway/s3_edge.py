"""What S3 has at its edge and no other service: ids, statuses and headers of its own."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from cloudstead.core.errors import ServiceError
from cloudstead.core.streams import HttpFacts
from cloudstead.dataplane.http import HttpRequest
from cloudstead.gateway.claim import Claim

_OF_THE_SIGNATURE = frozenset(
    {
        "x-amz-algorithm",
        "x-amz-content-sha256",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    }
)
_CAPITAL = re.compile(r"(?<!^)([A-Z])")
_LATIN_1_LAST = "\xff"


def request_id(uuid: str) -> str:
    """`4442587FB7D0A2F9`'s kind, from the id that requests of other services have."""
    return uuid.replace("-", "")[16:].upper()


def facts(request: HttpRequest, claim: Claim | None, now: datetime) -> HttpFacts:
    return HttpFacts(
        method=request.method,
        host=request.headers.get("host", ""),
        headers=request.headers,
        peer=request.peer,
        secure=request.scheme == "https",
        presigned=claim is not None and claim.presigned,
        at=now,
        signature_version=claim.version if claim is not None else 4,
    )


def check_path(path: str) -> None:
    """Raise InvalidURI where it is not UTF-8: two keys must never be taken for one."""
    if "%" not in path:
        return
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        raise ServiceError("Couldn't parse the specified URI.", code="InvalidURI") from None


def check_overrides(request: Mapping[str, Any], *, signed: bool) -> None:
    """Only who signed may say which headers the answer has: else any link to an object could make it a page."""
    overrides = {name: said for name, said in request.items() if name.startswith("Response")}
    if overrides and not signed:
        text = "Request specific response headers cannot be used for anonymous GET requests."
        raise ServiceError(text, code="InvalidRequest")
    for name, said in overrides.items():
        if isinstance(said, str) and not said.isascii() and max(said) > _LATIN_1_LAST:
            text = "Header value cannot be represented using ISO-8859-1."
            fields = {"ArgumentName": _CAPITAL.sub(r"-\1", name).lower(), "ArgumentValue": said}
            raise ServiceError(text, code="InvalidArgument", fields=fields)


def with_hoisted(headers: Mapping[str, str], query: str) -> Mapping[str, str]:
    """The headers, and those that a presigned URL carries in its query instead: SDKs put them there to be signed."""
    hoisted = {
        name.lower(): value
        for name, value in parse_qsl(query, keep_blank_values=True, encoding="latin-1")
        if name.lower().startswith("x-amz-") and name.lower() not in _OF_THE_SIGNATURE
    }
    return {**hoisted, **headers}
