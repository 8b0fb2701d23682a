"""One AWS service as its description file says it: operations, shapes, the protocols it speaks.

`load` in load.py reads one; `ServiceModel.match` says which operation a request asks for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cloudstead.gateway.wire import asked
from cloudstead.gateway.wire.asked import Asked, Protocol
from cloudstead.gateway.wire.message import WireRequest
from cloudstead.gateway.wire.packing import unpacked
from cloudstead.gateway.wire.routes import Routes
from cloudstead.gateway.wire.schema import Description, Member, Metadata, Namespace, OperationSpec, Ref, Shape


class Operation:
    """One operation of a service."""

    def __init__(self, model: "ServiceModel", name: str, spec: OperationSpec) -> None:
        self.model = model
        self.name = name
        self.http = spec.http
        self.errors = [ref.shape for ref in spec.errors]
        self.result_wrapper = (spec.output and spec.output.result_wrapper) or f"{name}Result"
        self.input = model.member(name, spec.input) if spec.input else None
        self.output = model.member(name, spec.output) if spec.output else None

    def __repr__(self) -> str:
        return f"<{self.model.name}.{self.name}>"

    @cached_property
    def method_name(self) -> str:
        """The name in snake case, as boto3 and our services write it: `describe_db_instances`."""
        return method_name(self.name)

    @cached_property
    def event_stream(self) -> bool:
        """Whether it sends or answers a stream of events, which no parser or serializer here can."""
        return any(
            self.model.member(name, ref).shape.eventstream
            for side in (self.input, self.output)
            if side is not None
            for name, ref in side.shape.members.items()
        )

    @cached_property
    def content_member(self) -> str | None:
        """The member that is content of any length and the whole body: `Body` of PutObject."""
        if self.input is None or (name := self.input.shape.payload) is None:
            return None
        return name if self.model.member(name, self.input.shape.members[name]).streaming else None

    def members(self, side: Member) -> dict[str, Member]:
        return self.model.members(side.shape)


class ServiceModel:
    """What a service understands. `name` is botocore's name of it: `elbv2`, `route53`."""

    def __init__(self, name: str, description: Description) -> None:
        self.name = name
        self.metadata: Metadata = description.metadata
        self.protocols = description.metadata.protocols or [description.metadata.protocol]
        self.shapes: dict[str, Shape] = description.shapes
        for shape_name, shape in self.shapes.items():
            shape.name = shape_name
        self._specs = description.operations
        self._operations: dict[str, Operation] = {}
        #: Compiled readers, writers and validators, one entry for each kind that was needed.
        self.compiled: dict[object, object] = {}

    def __repr__(self) -> str:
        return f"<ServiceModel {self.name} {self.api_version}>"

    @property
    def api_version(self) -> str:
        return self.metadata.api_version

    def dialect(self, request: WireRequest) -> "Dialect":
        """How to answer this request. Never fails, so that whatever goes wrong later can be said in it."""
        protocol = asked.protocol_of(self.protocols, request)
        return Dialect(self, protocol, asked.version_of(protocol, request) or self.api_version)

    def match(self, request: WireRequest, dialect: "Dialect | None" = None) -> "Match":
        """The operation that a request asks for. Raises ServiceError in AWS's words if there is none."""
        if dialect is None:
            dialect = self.dialect(request)
        if "content-encoding" in request.headers and self.name != "s3":
            request = unpacked(request)
        wanted = self._asked(dialect, request)
        operation = self.operation(wanted.name)
        if operation is None:
            raise asked.unknown_operation(
                dialect.protocol, wanted.name, wanted.form.get("Version", self.api_version)
            )
        return Match(dialect, operation, wanted.uri, wanted.form, wanted.query, request.body)

    def _asked(self, dialect: "Dialect", request: WireRequest) -> Asked:
        match dialect.protocol:
            case "ec2" | "query":
                return asked.by_form(dialect.protocol, request)
            case "json":
                return asked.by_target(self.metadata.target_prefix, request)
            case "smithy-rpc-v2-cbor":
                return asked.by_rpc_path(self.metadata.target_prefix, request)
        found = asked.by_route(self.routes, request)
        if self.name == "s3" and (found is None or not found.complete):
            raise asked.method_not_allowed(request.method)
        if found is None:
            raise asked.unknown_operation(dialect.protocol, "")
        return found

    @property
    def operation_names(self) -> list[str]:
        return list(self._specs)

    @property
    def query_compatible(self) -> bool:
        """Whether it was a query service once, whose old error codes clients still want."""
        return self.metadata.aws_query_compatible is not None

    def operation(self, name: str) -> Operation | None:
        found = self._operations.get(name)
        if found is None and name in self._specs:
            found = self._operations[name] = Operation(self, name, self._specs[name])
        return found

    def member(self, name: str, ref: Ref) -> Member:
        return Member(name, ref, self.shapes[ref.shape])

    def members(self, shape: Shape) -> dict[str, Member]:
        return {name: self.member(name, ref) for name, ref in shape.members.items()}

    def namespace(self, api_version: str) -> str:
        """The XML namespace of answers to a request made under this API version."""
        return self._namespace.replace(self.api_version, api_version)

    @cached_property
    def _namespace(self) -> str:
        given = self.metadata.xml_namespace or self._namespace_of_inputs()
        uri = given.uri if isinstance(given, Namespace) else given or ""
        # EC2's own answers end in a slash, which its description lacks.
        return f"{uri}/" if "ec2" in self.protocols and not uri.endswith("/") else uri

    def _namespace_of_inputs(self) -> Namespace | str | None:
        refs = (spec.input for spec in self._specs.values())
        return next((ref.xml_namespace for ref in refs if ref and ref.xml_namespace), None)

    @cached_property
    def routes(self) -> Routes:
        """The REST routes, for the protocols that tell operations apart by method and path."""
        routes = Routes(self.api_version)
        for name, spec in self._specs.items():
            routes.add(
                name,
                spec.http.method,
                spec.http.request_uri,
                self._needed_to_tell(spec),
                deprecated=spec.deprecated,
            )
        return routes

    def _needed_to_tell(self, spec: OperationSpec) -> list[tuple[str, str]]:
        """Where required members travel outside the path: two S3 operations may share all the rest."""
        if spec.input is None:
            return []
        shape = self.shapes[spec.input.shape]
        return [
            (ref.location, ref.location_name or name)
            for name, ref in shape.members.items()
            if ref.location in ("querystring", "header") and name in shape.required
        ]

    @cached_property
    def errors(self) -> dict[str, Shape]:
        """Modelled errors by wire code, and by shape name where that differs."""
        found = {shape.name: shape for shape in self.shapes.values() if shape.exception}
        for shape in list(found.values()):
            if shape.error and shape.error.code:
                found.setdefault(shape.error.code, shape)
        return found


@dataclass(slots=True)
class Dialect:
    """How to answer: all that is known of a request even if it asks for something unknown."""

    model: ServiceModel
    protocol: Protocol
    api_version: str


@dataclass(slots=True)
class Match:
    """An operation, and what finding it read of the request."""

    dialect: Dialect
    operation: Operation
    uri: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, list[str]] = field(default_factory=dict)
    #: The body, unpacked if the client compressed it.
    body: bytes = b""

    @property
    def model(self) -> ServiceModel:
        return self.dialect.model

    @property
    def protocol(self) -> Protocol:
        return self.dialect.protocol

    @property
    def api_version(self) -> str:
        return self.dialect.api_version


_WORD_END = re.compile(r"(.)([A-Z][a-z]+)")
_LOWER_UPPER = re.compile(r"([a-z0-9])([A-Z])")
_PLURAL_ACRONYM = re.compile(r"[A-Z]{2,}s$")


def method_name(operation: str) -> str:
    """`DescribeDBInstances` → `describe_db_instances`; the same name boto3 gives."""
    # The one word of our services that boto3 does not take apart as the rule would.
    operation = operation.replace("OTel", "Otel")
    plural = _PLURAL_ACRONYM.search(operation)
    if plural:
        operation = f"{operation[: plural.start()]}_{plural.group().lower()}"
    split = _WORD_END.sub(r"\1_\2", operation)
    return _LOWER_UPPER.sub(r"\1_\2", split).lower().replace("__", "_")
