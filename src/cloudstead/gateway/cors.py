"""Calls from web pages.

A signature proves that a page was given a key, so with signatures checked any origin may call, as at AWS. In
`open` mode nothing is proven: any web page in the user's browser could reach this port, so only pages served
from this machine, or allowed by name, are answered. A bucket has rules of its own, which speak for it alone.
"""

from urllib.parse import urlsplit

from cloudstead.dataplane.http import HttpRequest, HttpResponse
from cloudstead.gateway.settings import Settings

_MAX_AGE_S = 172_800
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_EXPOSED = (
    "x-amzn-RequestId, x-amzn-ErrorType, x-amzn-ErrorMessage, x-amzn-query-error, x-amz-request-id, x-amz-id-2, "
    "x-amz-version-id, x-amz-delete-marker, x-amz-error-code, x-amz-error-message, ETag, Date, Content-Range, Location"
)


def is_preflight(request: HttpRequest) -> bool:
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


class Policy:
    def __init__(self, settings: Settings) -> None:
        self._any_origin = settings.auth == "verify"
        self._allowed = settings.allowed_origins

    def check(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to a page that may not call; None lets the request through."""
        if self._may_call(request):
            return None
        text = b"With --auth=open only web pages of this machine may call; see --allow-origin.\n"
        return HttpResponse(403, [("content-type", "text/plain")], text)

    def preflight(self, request: HttpRequest) -> HttpResponse:
        asked = request.headers.get("access-control-request-headers")
        headers = [("access-control-allow-methods", _METHODS), ("access-control-max-age", str(_MAX_AGE_S))]
        if asked:
            headers.append(("access-control-allow-headers", asked))
        return HttpResponse(200, headers)

    def expose(self, request: HttpRequest, response: HttpResponse) -> None:
        """Let the page read the answer."""
        if self._may_call(request):
            response.headers += [
                ("access-control-allow-origin", "*" if self._any_origin else request.headers["origin"]),
                ("access-control-expose-headers", _EXPOSED),
                ("vary", "Origin"),
            ]

    def _may_call(self, request: HttpRequest) -> bool:
        internal = request.path.startswith("/_cloudstead/")
        if self._any_origin and not internal:
            return True
        origin = request.headers["origin"]
        return origin in self._allowed or _is_local(origin)


def _is_local(origin: str) -> bool:
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return False
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
