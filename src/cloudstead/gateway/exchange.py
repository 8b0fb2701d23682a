"""One request on its way through the gateway's steps, and what the steps are made of."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from cloudstead.core.caller import Caller
from cloudstead.core.streams import Incoming
from cloudstead.dataplane.http import BodyStream, HttpRequest, HttpResponse
from cloudstead.gateway import wire
from cloudstead.gateway.buckets import Served
from cloudstead.gateway.claim import Claim
from cloudstead.gateway.route import Route
from cloudstead.gateway.sigv4 import Proof

Result = Mapping[str, Any] | None
Operation = Callable[[Caller, dict[str, Any]], Result | Coroutine[Any, Any, Result]]
#: By botocore's name of the service, then by the operation's: `{"ec2": {"RunInstances": ec2.run_instances}}`.
Operations = Mapping[str, Mapping[str, Operation]]
#: Answered already, or to be awaited.
Response = HttpResponse | Awaitable[HttpResponse]


@dataclass(slots=True)
class Exchange:
    """One request on its way through the steps, with what each has found out."""

    http: HttpRequest
    request_id: str
    claim: Claim | None = None
    proof: Proof | None = None
    route: Route = field(init=False)
    dialect: wire.Dialect | None = None
    match: wire.Match = field(init=False)
    caller: Caller = field(init=False)
    operation: Operation = field(init=False)
    request: dict[str, Any] = field(init=False)
    error_code: str = ""
    #: The body, where it is still to be read.
    stream: BodyStream | None = None
    content: Incoming | None = None


def served(exchange: Exchange, response: HttpResponse) -> Served:
    """What the bucket's access log tells of it."""
    http = exchange.http
    length = dict(response.headers).get("content-length") if response.stream is not None else None
    return Served(
        caller=exchange.caller,
        operation=exchange.match.operation.name,
        method=http.method,
        target=f"{http.path}?{http.query}" if http.query else http.path,
        key=unquote(exchange.route.wire.path.removeprefix("/").partition("/")[2]),
        status=response.status,
        error_code=exchange.error_code,
        bytes_sent=len(response.body) if response.stream is None else int(length) if length else None,
        headers=http.headers,
        presigned=exchange.claim is not None and exchange.claim.presigned,
    )
