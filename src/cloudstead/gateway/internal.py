"""Paths of our own, under `/_cloudstead/`: not AWS, and never needed by an AWS client."""

from collections.abc import Callable, Mapping

import msgspec

from cloudstead.dataplane.http import HttpRequest, HttpResponse


class Internal:
    """`health` says how we are. `reset` forgets everything; without one, resetting is switched off.

    `more` are further handlers, by the first word of their paths.
    """

    PREFIX = "/_cloudstead/"

    def __init__(
        self,
        health: Callable[[], Mapping[str, object]] | None = None,
        reset: Callable[[], None] | None = None,
        more: Mapping[str, Callable[[HttpRequest], HttpResponse]] | None = None,
    ) -> None:
        self._health = health or (lambda: {"status": "running"})
        self._reset = reset
        self._more = more or {}

    def answer(self, request: HttpRequest) -> HttpResponse:
        match request.path.removeprefix(self.PREFIX):
            case "health":
                return self._answer_health(request)
            case "reset":
                return self._answer_reset(request)
            case other if (handle := self._more.get(other.partition("/")[0])) is not None:
                return handle(request)
        return _json(404, {"message": f"There is no {request.path} here."})

    def _answer_health(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return _not_allowed("GET")
        return _json(200, self._health())

    def _answer_reset(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return _not_allowed("POST")
        if self._reset is None:
            return _json(
                403, {"message": "Resetting is switched off: start with --allow-reset to switch it on."}
            )
        self._reset()
        return _json(200, {"status": "reset"})


def _json(status: int, body: Mapping[str, object]) -> HttpResponse:
    return HttpResponse(status, [("content-type", "application/json")], msgspec.json.encode(body))


def _not_allowed(method: str) -> HttpResponse:
    response = _json(405, {"message": f"Only {method} is allowed here."})
    response.headers.append(("allow", method))
    return response
