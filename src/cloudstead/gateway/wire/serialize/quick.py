"""The head of an answer that has all it says in headers, written in one go: for S3's operations on objects.

It says, byte for byte, what `serialize` and the HTTP server say together; a test holds them against each other.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudstead.core.streams import Outgoing
from cloudstead.dataplane.http import HttpResponse
from cloudstead.gateway.wire.load import load
from cloudstead.gateway.wire.serialize.envelope import host_id
from cloudstead.gateway.wire.serialize.mismatch import ResultMismatch
from cloudstead.gateway.wire.serialize.rest import header_text, one_line


class HeadWriter:
    """Of one operation whose answer is headers and at most a blob."""

    def __init__(self, service: str, operation: str) -> None:
        model = load(service)
        found = model.operation(operation)
        assert found is not None
        assert found.output is not None
        shape = found.output.shape
        members = model.members(shape)
        self._name = shape.name
        self._payload = shape.payload
        self._members: dict[str, tuple[str, Callable[[Any], str]]] = {}
        self._maps: dict[str, str] = {}
        for name, member in members.items():
            if member.location == "headers":
                self._maps[name] = member.location_name or ""
            elif member.location == "header":
                self._members[name] = f"{member.wire_name}: ", header_text(model, member)

    def response(self, status: int, result: Mapping[str, Any], request_id: str) -> HttpResponse:
        """Raises ResultMismatch for a member that the answer cannot have."""
        text = f"x-amz-request-id: {request_id}\r\nx-amz-id-2: {host_id(request_id)}\r\n"
        body: bytes | Outgoing = b""
        if self._payload:
            body = result.get(self._payload, b"")
            if "ContentType" not in result:
                text += "Content-Type: application/octet-stream\r\n"
        last = ""
        members = self._members
        for name, value in result.items():
            found = members.get(name)
            if found is None:
                if name in self._maps:
                    last = _mapped(self._maps[name], value)
                elif name != self._payload:
                    raise ResultMismatch(f"{self._name} has no member {name}")
            elif value is not None:
                said = value if type(value) is str else found[1](value)
                text += f"{found[0]}{said if said.isprintable() else one_line(said)}\r\n"
        text += last
        if isinstance(body, Outgoing):
            return HttpResponse(_told(status, result), lines=_encoded(text), stream=body.chunks)
        if "ContentLength" not in result and status != 204:
            text += f"content-length: {len(body)}\r\n"
        return HttpResponse(_told(status, result), body=body, lines=_encoded(text))


def _mapped(prefix: str, values: Mapping[str, str] | None) -> str:
    return "".join([f"{prefix}{name}: {one_line(value)}\r\n" for name, value in (values or {}).items()])


def _told(status: int, result: Mapping[str, Any]) -> int:
    return 206 if "ContentRange" in result else status


def _encoded(lines: str) -> bytes:
    return lines.encode("latin-1")
