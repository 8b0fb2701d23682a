"""The canonical form of a request: the same text on both sides, whatever proxies and libraries did to it.

Text is latin-1, one character per byte on the wire. S3 encodes a path once and takes it as it is; all other
services normalise it and encode what was already encoded.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote_to_bytes

_UNRESERVED = "-_.~"
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.~-]*")
_TO_NORMALIZE = re.compile(r"//|/\.\.?(?:/|$)")
_BLANKS = re.compile(r"[ \t]+")


def canonical_request(  # noqa: PLR0917 - its lines, in their order
    method: str, path: str, query: str, headers: Mapping[str, str], signed_headers: str, payload_sha256: str
) -> str:
    """`path` and `query` in canonical form already; `signed_headers` as the signer lists them: `host;x-amz-date`."""
    lines = [f"{name}:{header_value(headers.get(name, ''))}\n" for name in signed_headers.split(";")]
    return f"{method}\n{path}\n{query}\n{''.join(lines)}\n{signed_headers}\n{payload_sha256}"


def header_value(value: str) -> str:
    """Trimmed, and inner runs of blanks folded to one space."""
    if "  " in value or "\t" in value or value[:1] == " " or value[-1:] == " ":
        return _fold(value)
    return value


def _fold(value: str) -> str:
    return _BLANKS.sub(" ", value).strip(" ")


def canonical_path(path: str, *, s3: bool) -> str:
    if s3:
        # Segment by segment: a slash that was sent encoded stays so.
        return (
            path if _PLAIN_PATH.fullmatch(path) else "/".join([_component(part) for part in path.split("/")])
        )
    path = normalized_path(path)
    if _PLAIN_PATH.fullmatch(path):
        return path
    return quote(path.encode("latin-1"), safe="/" + _UNRESERVED)


def normalized_path(path: str) -> str:
    """Without empty and dot segments; a slash at the end stays."""
    if not _TO_NORMALIZE.search(path):
        return path or "/"
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    last = "/" if kept and path.endswith("/") else ""
    return f"/{'/'.join(kept)}{last}"


def canonical_query(query: str, *, without: str = "") -> str:
    """Each name and value encoded alike, sorted by both; the parameter `without` left out."""
    if not query:
        return ""
    pairs = [part.partition("=") for part in query.split("&") if part]
    encoded = sorted((_parameter(name), _parameter(value)) for name, _, value in pairs if name != without)
    return "&".join([f"{name}={value}" for name, value in encoded])


def _parameter(text: str) -> str:
    return _component(text.replace("+", " "))


def _component(text: str) -> str:
    """Percent-encoded in the one way, however it was encoded before."""
    if _PLAIN.fullmatch(text):
        return text
    return quote(unquote_to_bytes(text.encode("latin-1")), safe=_UNRESERVED)
