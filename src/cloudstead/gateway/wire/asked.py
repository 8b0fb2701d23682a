"""What a request asks for: protocol, API version, the operation's name. Knows requests, not services."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from cloudstead.core.errors import ServiceError
from cloudstead.gateway.wire import form
from cloudstead.gateway.wire.message import WireRequest
from cloudstead.gateway.wire.routes import Routes

Protocol = Literal["ec2", "query", "json", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"]

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")
_RPC_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)/?")
_VERSION_PATH = re.compile(r"/(\d{4}-\d{2}-\d{2})(?:/|$)")


@dataclass(slots=True)
class Asked:
    """An operation by name, and what was read on the way to it."""

    name: str
    #: Labels of a REST path, decoded.
    uri: Mapping[str, str] = field(default_factory=dict)
    #: Parameters of a query-protocol request.
    form: Mapping[str, str] = field(default_factory=dict)
    #: A REST request's query string, values by name.
    query: Mapping[str, list[str]] = field(default_factory=dict)
    #: Whether all is there that the operation requires in query and headers.
    complete: bool = True


def protocol_of(spoken: Sequence[str], request: WireRequest) -> Protocol:
    """A service may speak several: its description lists them, the request shows which one it uses."""
    if "smithy-rpc-v2-cbor" in spoken and (
        "smithy-protocol" in request.headers or _RPC_PATH.search(request.path)
    ):
        return "smithy-rpc-v2-cbor"
    if "json" in spoken and "x-amz-target" in request.headers:
        return "json"
    plain = ("query", "ec2", "rest-xml", "rest-json", "json")
    return cast(Protocol, next((one for one in plain if one in spoken), spoken[0]))


def version_of(protocol: Protocol, request: WireRequest) -> str | None:
    """The API version a request names: `Version=…` in form or query string, else in its path. Never fails."""
    if protocol in ("ec2", "query"):
        for text in (request.query, request.body.decode("latin-1")):
            # Looked for without decoding all: this must work for a request that cannot be parsed.
            found = re.search(r"(?:^|&)Version=(\d{4}-\d{2}-\d{2})(?:&|$)", text)
            if found:
                return found[1]
    elif protocol != "rest-xml":
        return None
    path = _VERSION_PATH.match(request.path)
    return path[1] if path else None


def by_form(protocol: Protocol, request: WireRequest) -> Asked:
    try:
        parameters = form.of_request(request)
    except form.TooManyPairs as e:
        raise ServiceError("The request has too many parameters.", code="MalformedQueryString") from e
    name = parameters.get("Action")
    if not name:
        raise _missing_action(protocol)
    version = parameters.get("Version", "")
    if version and not _VERSION.fullmatch(version):
        raise _no_such_version(protocol, name, version)
    return Asked(name, form=parameters)


def _missing_action(protocol: Protocol) -> ServiceError:
    if protocol == "ec2":
        return ServiceError("The request must contain the parameter Action", code="MissingParameter")
    return ServiceError("The request is missing an action or a required parameter.", code="MissingAction")


def _no_such_version(protocol: Protocol, name: str, version: str) -> ServiceError:
    if protocol == "ec2":
        return ServiceError(
            f"The requested version ({version}) of service AmazonEC2 does not exist", code="NoSuchVersion"
        )
    return unknown_operation(protocol, name, version)


def by_target(target_prefix: str, request: WireRequest) -> Asked:
    prefix, _, name = request.headers.get("x-amz-target", "").rpartition(".")
    if prefix != target_prefix:
        raise unknown_operation("json", name)
    return Asked(name)


def by_rpc_path(target_prefix: str, request: WireRequest) -> Asked:
    found = _RPC_PATH.search(request.path)
    if found is None or found[1] != target_prefix:
        raise unknown_operation("smithy-rpc-v2-cbor", "")
    return Asked(found[2])


def by_route(routes: Routes, request: WireRequest) -> Asked | None:
    query = form.grouped(request.query)
    found = routes.find(request.method, request.path, query, request.headers)
    return Asked(found.operation, uri=found.uri, query=query, complete=found.complete) if found else None


def unknown_operation(protocol: Protocol, name: str, version: str = "") -> ServiceError:
    """What AWS says of an operation it has not."""
    match protocol:
        case "ec2":
            return ServiceError(f"The action {name} is not valid for this web service.", code="InvalidAction")
        case "query":
            return ServiceError(
                f"Could not find operation {name} for version {version}", code="InvalidAction"
            )
    return ServiceError(
        "The requested operation is not recognized by the service.",
        code="UnknownOperationException",
        status=400 if protocol == "json" else 404,
    )


def method_not_allowed(method: str) -> ServiceError:
    """S3's word for a path that has no such method."""
    return ServiceError(
        "The specified method is not allowed against this resource.",
        code="MethodNotAllowed",
        status=405,
        fields={"Method": method, "ResourceType": "OBJECT"},
    )
