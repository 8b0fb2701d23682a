"""Requests as a client writes them, short."""

import msgspec

from cloudstead.gateway.wire import Match, WireRequest, load, parse


def form(service: str, body: str, path: str = "/") -> tuple[Match, WireRequest]:
    request = WireRequest("POST", path, body=body.encode())
    return load(service).match(request), request


def json(service: str, operation: str, params: object) -> tuple[Match, WireRequest]:
    model = load(service)
    headers = {"x-amz-target": f"{model.metadata.target_prefix}.{operation}"}
    body = params if isinstance(params, bytes) else msgspec.json.encode(params)
    request = WireRequest("POST", "/", headers=headers, body=body)
    return model.match(request), request


def rest(
    service: str, method: str, uri: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[Match, WireRequest]:
    path, _, query = uri.partition("?")
    request = WireRequest(method, path, query, headers or {}, body)
    return load(service).match(request), request


def parsed(asked: tuple[Match, WireRequest]) -> dict[str, object]:
    return parse(*asked)


def numbered(table: list[tuple[object, ...]]) -> list[str]:
    """Ids for rows that hold a lambda each."""
    return [str(number) for number, _ in enumerate(table)]
