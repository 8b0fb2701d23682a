"""The service description files, as typed data: what is needed to speak a protocol, documentation dropped.

Files come from botocore's data folder, are decoded straight into these structures, and are never changed
after. A reference may repeat a trait of the shape it refers to; then the reference is right: `Member` holds
the outcome.
"""

from typing import Literal

import msgspec

Type = Literal[
    "structure",
    "list",
    "map",
    "string",
    "character",
    "integer",
    "long",
    "float",
    "double",
    "boolean",
    "blob",
    "timestamp",
    "bigdecimal",
    "biginteger",
]
Location = Literal["uri", "querystring", "header", "headers", "statusCode"]
TimestampFormat = Literal["iso8601", "rfc822", "unixTimestamp"]


class Namespace(msgspec.Struct, frozen=True, gc=False):
    uri: str
    prefix: str = ""


class Traits(msgspec.Struct, rename="camel", gc=False):
    """What shapes and references may both say about how a value is written."""

    location_name: str | None = None
    query_name: str | None = None
    location: Location | None = None
    flattened: bool = False
    streaming: bool = False
    xml_namespace: Namespace | str | None = None
    xml_attribute: bool = False
    timestamp_format: str | None = None
    jsonvalue: bool = False
    eventstream: bool = False
    eventpayload: bool = False


class Ref(Traits, rename="camel", gc=False, kw_only=True):
    shape: str
    result_wrapper: str | None = None
    idempotency_token: bool = False


class ErrorTrait(msgspec.Struct, rename="camel", gc=False):
    code: str | None = None
    http_status_code: int | None = None
    sender_fault: bool | None = None


class Shape(Traits, rename="camel", gc=False, kw_only=True):
    type: Type | Literal[""] = ""
    name: str = ""  # not in the file: the key under which it is found
    members: dict[str, Ref] = {}
    member: Ref | None = None
    key: Ref | None = None
    value: Ref | None = None
    required: list[str] = []
    enum: list[str] | None = None
    min: float | None = None
    max: float | None = None
    pattern: str | None = None
    payload: str | None = None
    union: bool = False
    document: bool = False
    exception: bool = False
    error: ErrorTrait | None = None
    sensitive: bool = False


class Http(msgspec.Struct, rename="camel", gc=False):
    method: str = "POST"
    request_uri: str = "/"
    response_code: int = 200


class OperationSpec(msgspec.Struct, gc=False):
    http: Http = msgspec.field(default_factory=Http)
    name: str = ""
    input: Ref | None = None
    output: Ref | None = None
    errors: list[Ref] = []
    deprecated: bool = False


class Metadata(msgspec.Struct, rename="camel", gc=False):
    api_version: str = ""
    protocol: str = ""
    protocols: list[str] = []
    service_id: str = ""
    endpoint_prefix: str = ""
    signing_name: str | None = None
    json_version: str = "1.0"
    target_prefix: str = ""
    xml_namespace: Namespace | str | None = None
    aws_query_compatible: dict[str, object] | None = None


class Description(msgspec.Struct):
    """One `service-2.json`."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)
    operations: dict[str, OperationSpec] = {}
    shapes: dict[str, Shape] = {}

    def merge(self, extra: "Description") -> None:
        """Add what an `sdk-extras` file says of shapes: further members, another type."""
        for name, shape in extra.shapes.items():
            known = self.shapes.setdefault(name, shape)
            known.members.update(shape.members)
            known.type = shape.type or known.type


class Extras(msgspec.Struct):
    merge: Description


class Member:
    """A reference to a shape with all traits settled."""

    __slots__ = (
        "flattened",
        "idempotency_token",
        "jsonvalue",
        "location",
        "location_name",
        "name",
        "query_name",
        "shape",
        "streaming",
        "timestamp_format",
        "type",
        "xml_attribute",
        "xml_namespace",
    )

    def __init__(self, name: str, ref: Ref, shape: Shape) -> None:
        self.name = name
        self.shape = shape
        self.type = shape.type
        self.location = ref.location or shape.location
        # A structure's own name is that of a root; lists may name their members' tags themselves.
        own_name = None if shape.type == "structure" else shape.location_name
        self.location_name = ref.location_name or own_name
        self.query_name = ref.query_name or shape.query_name
        self.flattened = ref.flattened or shape.flattened
        self.streaming = ref.streaming or shape.streaming
        self.xml_namespace = ref.xml_namespace or shape.xml_namespace
        self.xml_attribute = ref.xml_attribute or shape.xml_attribute
        self.timestamp_format = ref.timestamp_format or shape.timestamp_format
        self.jsonvalue = ref.jsonvalue or shape.jsonvalue
        self.idempotency_token = ref.idempotency_token

    @property
    def wire_name(self) -> str:
        return self.location_name or self.name

    @property
    def root_name(self) -> str:
        """The name of a document's root element, if this is the document."""
        return self.location_name or self.shape.location_name or self.shape.name
