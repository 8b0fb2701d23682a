"""IMDSv1 and IMDSv2 over HTTP, one handler per network: who asks is told by the address the question comes from.

Rules and status codes: EC2 user guide, "Use the Instance Metadata Service to access instance metadata".
"""

from http import HTTPStatus
from urllib.parse import unquote

from cloudstead.core.clock import Clock
from cloudstead.dataplane.http.message import HttpRequest, HttpResponse
from cloudstead.dataplane.http.server import Handler
from cloudstead.dataplane.metadata.driver import FindGuest, Guest
from cloudstead.dataplane.metadata.tokens import TTL_S_MAX, Tokens

#: Versions a path may begin with; the answers are today's for all, as on AWS where nothing was ever taken away.
VERSIONS = (
    "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01",
    "2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19",
    "2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03",
    "2021-03-23", "2021-07-15", "2022-07-09", "2022-09-24", "2024-04-11", "latest",
)  # fmt: skip

_TOKEN_PATH = "/latest/api/token"  # noqa: S105 - a path
_TOKEN = "x-aws-ec2-metadata-token"  # noqa: S105 - a header's name
_TTL = "x-aws-ec2-metadata-token-ttl-seconds"


class MetadataService:
    def __init__(self, find: FindGuest, tokens: Tokens, clock: Clock) -> None:
        self._find = find
        self._tokens = tokens
        self._clock = clock

    def handler(self, network: str) -> Handler:
        """The HTTP handler for guests of this network."""

        def handle(request: HttpRequest) -> HttpResponse:
            guest = self._find(network, request.peer)
            if guest is None or not guest.enabled:
                return _refusal(HTTPStatus.FORBIDDEN)
            if request.method == "PUT":
                return self._issue(guest, request)
            if request.method not in ("GET", "HEAD"):
                return _refusal(HTTPStatus.METHOD_NOT_ALLOWED)
            return self._read(guest, request)

        return handle

    def _issue(self, guest: Guest, request: HttpRequest) -> HttpResponse:
        if request.path.rstrip("/") != _TOKEN_PATH:
            return _refusal(HTTPStatus.NOT_FOUND)
        if "x-forwarded-for" in request.headers:
            # A proxy that was tricked into forwarding must not get a token.
            return _refusal(HTTPStatus.FORBIDDEN)
        ttl = request.headers.get(_TTL, "")
        if not (ttl.isascii() and ttl.isdecimal() and len(ttl) <= 5 and 1 <= int(ttl) <= TTL_S_MAX):
            return _refusal(HTTPStatus.BAD_REQUEST)
        token = self._tokens.issue(guest.id, self._clock.now(), int(ttl))
        return HttpResponse(
            200, [("content-type", "text/plain"), (_TTL, ttl)], token.encode(), hop_limit=guest.hop_limit
        )

    def _read(self, guest: Guest, request: HttpRequest) -> HttpResponse:
        token = request.headers.get(_TOKEN)
        if token is None:
            if guest.tokens == "required":
                return _refusal(HTTPStatus.UNAUTHORIZED)
        elif not self._tokens.valid(token, guest.id, self._clock.now()):
            return _refusal(HTTPStatus.UNAUTHORIZED)
        path = unquote(request.path).strip("/")
        if not path:
            return _text("\n".join(VERSIONS).encode())
        version, _, rest = path.partition("/")
        if version not in VERSIONS:
            return _refusal(HTTPStatus.NOT_FOUND)
        if not rest:
            top = ["dynamic", "meta-data"] + (["user-data"] if guest.read("user-data") is not None else [])
            return _text("\n".join(top).encode())
        found = guest.read(rest)
        return _refusal(HTTPStatus.NOT_FOUND) if found is None else _text(found)


def _text(body: bytes) -> HttpResponse:
    return HttpResponse(200, [("content-type", "text/plain"), ("accept-ranges", "none")], body)


def _refusal(status: HTTPStatus) -> HttpResponse:
    page = (
        '<?xml version="1.0" encoding="iso-8859-1"?>\n<html><head>'
        f"<title>{status.value} - {status.phrase}</title></head><body><h1>{status.value} - {status.phrase}</h1></body></html>\n"
    )
    return HttpResponse(status.value, [("content-type", "text/html")], page.encode())
