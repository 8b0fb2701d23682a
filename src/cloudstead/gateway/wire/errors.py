"""Errors on the wire. Every protocol has its own place for code, message, request id and further members.

A code is looked up in the model: the shape it belongs to says the HTTP status, the other name it goes by (a
query service's code and a JSON service's type differ), and how its further members are written.
"""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.errors import ServiceError
from cloudstead.gateway.wire.message import WireResponse
from cloudstead.gateway.wire.model import Dialect, Match, ServiceModel
from cloudstead.gateway.wire.schema import Shape
from cloudstead.gateway.wire.serialize import envelope
from cloudstead.gateway.wire.serialize.fragments import fragments
from cloudstead.gateway.wire.serialize.rest import header_writers
from cloudstead.gateway.wire.serialize.text import xml_text
from cloudstead.gateway.wire.serialize.tree import TreeWriters, cbor_bytes, json_bytes
from cloudstead.gateway.wire.serialize.xml import XmlWriters, written

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def serialize_error(where: Match | Dialect, error: ServiceError, request_id: str) -> WireResponse:
    """The response that says this error in the request's dialect. Needs no matched operation."""
    dialect = where.dialect if isinstance(where, Match) else where
    said = _Said(dialect.model, error)
    response = _written(dialect, said, request_id)
    if said.status == 304 or (isinstance(where, Match) and where.operation.http.method == "HEAD"):
        response.body = b""
    return response


class _Said:
    """An error with what the model knows of it."""

    def __init__(self, model: ServiceModel, error: ServiceError) -> None:
        self.model = model
        self.message = error.message
        self.shape: Shape | None = model.errors.get(error.code)
        trait = self.shape.error if self.shape else None
        self.code = (trait and trait.code) or error.code
        self.type = self.shape.name if self.shape else error.code
        self.status = self._status(error)
        self.fault = "Receiver" if self.status >= 500 else "Sender"
        self.fields = dict(error.fields)
        self.headers = list(error.headers.items())
        self._complete()

    def _status(self, error: ServiceError) -> int:
        """The service's word, unless it left the default and the model knows better."""
        modelled = self.shape.error.http_status_code if self.shape and self.shape.error else None
        return modelled if modelled and error.status == ServiceError.status else error.status

    def _complete(self) -> None:
        """EFS repeats the code as a member of the error."""
        if self.shape is not None and "ErrorCode" in self.shape.members:
            self.fields.setdefault("ErrorCode", self.code)

    @property
    def message_name(self) -> str:
        members = self.shape.members if self.shape else {}
        return next((name for name in members if name.lower() in ("message", "errormessage")), "message")

    def modelled(self) -> dict[str, object]:
        """The further members that the error's shape has."""
        members = self.shape.members if self.shape else {}
        return {
            name: value
            for name, value in self.fields.items()
            if name in members and name != self.message_name
        }

    def unmodelled(self) -> dict[str, object]:
        members = self.shape.members if self.shape else {}
        return {name: value for name, value in self.fields.items() if name not in members}


def _written(dialect: Dialect, said: _Said, request_id: str) -> WireResponse:
    match dialect.protocol:
        case "ec2":
            return _ec2(said, request_id)
        case "query":
            return _query(dialect, said, request_id)
        case "rest-xml":
            return (
                _s3(said, request_id) if dialect.model.name == "s3" else _rest_xml(dialect, said, request_id)
            )
        case "json":
            return _json(said, request_id)
        case "rest-json":
            return _rest_json(said, request_id)
        case "smithy-rpc-v2-cbor":
            return _cbor(said, request_id)


def _ec2(said: _Said, request_id: str) -> WireResponse:
    body = (
        f"{_DECLARATION}<Response><Errors><Error><Code>{xml_text(said.code)}</Code>"
        f"<Message>{xml_text(said.message)}</Message>{_xml_fields(said)}</Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    )
    headers = [("Content-Type", "text/xml;charset=UTF-8"), ("x-amzn-RequestId", request_id)]
    return WireResponse(said.status, headers, body.encode())


def _error_element(said: _Said) -> str:
    return (
        f"<Error><Type>{said.fault}</Type><Code>{xml_text(said.code)}</Code>"
        f"<Message>{xml_text(said.message)}</Message>{_xml_fields(said)}</Error>"
    )


def _query(dialect: Dialect, said: _Said, request_id: str) -> WireResponse:
    body = (
        f'<ErrorResponse xmlns="{dialect.model.namespace(dialect.api_version)}">'
        f"{_error_element(said)}<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return WireResponse(
        said.status, [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)], body.encode()
    )


def _rest_xml(dialect: Dialect, said: _Said, request_id: str) -> WireResponse:
    body = (
        f'{_DECLARATION}<ErrorResponse xmlns="{dialect.model.namespace(dialect.api_version)}">'
        f"{_error_element(said)}<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return envelope.rest(
        dialect.model, said.status, _headers(said), request_id, body=body.encode(), content_type="text/xml"
    )


def _s3(said: _Said, request_id: str) -> WireResponse:
    body = (
        f"{_DECLARATION}<Error><Code>{xml_text(said.code)}</Code><Message>{xml_text(said.message)}</Message>"
        f"{_xml_fields(said)}<RequestId>{request_id}</RequestId>"
        f"<HostId>{envelope.host_id(request_id)}</HostId></Error>"
    )
    return envelope.rest(
        said.model,
        said.status,
        _headers(said),
        request_id,
        body=body.encode(),
        content_type="application/xml",
    )


def _xml_fields(said: _Said) -> str:
    """Further members: as the shape says where it has them, else as plain elements."""
    plain = "".join(
        f"<{name}>{xml_text(str(value))}</{name}>"
        for name, value in said.unmodelled().items()
        if value is not None
    )
    modelled = said.modelled()
    if not modelled or said.shape is None:
        return plain
    return written(_xml_writers(said.model).content(said.shape), modelled) + plain


def _headers(said: _Said) -> list[tuple[str, str]]:
    """Members that the error's shape puts into headers, and what the service says there besides."""
    modelled = said.modelled()
    of_shape = header_writers(said.model, said.shape)(modelled)[1] if modelled and said.shape else []
    return of_shape + said.headers


def _xml_writers(model: ServiceModel) -> XmlWriters:
    writers = model.compiled.setdefault(
        "error writers", XmlWriters(model, "query", fragments, lambda _name, _missing: None)
    )
    assert isinstance(writers, XmlWriters)
    return writers


def _tree(said: _Said, encoding: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    modelled = said.modelled()
    if modelled and said.shape is not None:
        writers = said.model.compiled.setdefault(
            ("error trees", encoding),
            TreeWriters(
                said.model, "cbor" if encoding == "cbor" else "json", fragments, lambda _name, _missing: None
            ),
        )
        assert isinstance(writers, TreeWriters)
        tree = writers.of(said.shape)(modelled)
    return {said.message_name: said.message, **tree, **_scalars(said.unmodelled())}


def _scalars(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if isinstance(value, str | int | float | bool)}


def _query_error(said: _Said) -> list[tuple[str, str]]:
    """For clients of a service that once spoke query: the code they knew."""
    return [("x-amzn-query-error", f"{said.code};{said.fault}")] if said.model.query_compatible else []


def _json(said: _Said, request_id: str) -> WireResponse:
    body = json_bytes({"__type": said.type, **_tree(said, "json")})
    headers = [
        ("Content-Type", f"application/x-amz-json-{said.model.metadata.json_version}"),
        ("x-amzn-RequestId", request_id),
        ("x-amzn-ErrorType", said.type),
        *_query_error(said),
    ]
    return WireResponse(said.status, headers, body)


def _rest_json(said: _Said, request_id: str) -> WireResponse:
    headers = [("x-amzn-ErrorType", said.type), *_headers(said)]
    return envelope.rest(
        said.model,
        said.status,
        headers,
        request_id,
        body=json_bytes(_tree(said, "json")),
        content_type="application/json",
    )


def _cbor(said: _Said, request_id: str) -> WireResponse:
    body = cbor_bytes({"__type": said.type, **_tree(said, "cbor")})
    response = envelope.cbor(request_id, body, said.status)
    response.headers += _query_error(said)
    return response
