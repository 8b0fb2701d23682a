"""What a service answers to a request that is not what its shapes want: code, wording, and what it checks at all.

Nearly all services are built on one framework, which checks every constraint of the shapes before the service
sees the request and words all it found in one message. EC2 and S3 are older and check for themselves; what they
check later, in the operation and under codes of their own, must not be refused here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cloudstead.core.errors import ServiceError
from cloudstead.gateway.wire.asked import Protocol
from cloudstead.gateway.wire.bad import BadValue
from cloudstead.gateway.wire.model import ServiceModel
from cloudstead.gateway.wire.validate import Broken


@dataclass(frozen=True, slots=True)
class Policy:
    """The framework's way; `invalid` is the code of a broken constraint, `unreadable` that of a wrong type."""

    invalid: str = "ValidationException"
    unreadable: str = "SerializationException"

    def bad_value(self, bad: BadValue) -> ServiceError:
        return ServiceError(bad.reason or f"Unexpected member {'.'.join(bad.path)}", code=self.unreadable)

    def malformed(self, reason: str) -> ServiceError:
        return ServiceError(reason, code=self.unreadable)

    def broken(self, found: Sequence[Broken]) -> ServiceError | None:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
        said = "; ".join(
            f"Value{_shown(one)} at '{'.'.join(one.path)}' failed to satisfy constraint: {one.demand}"
            for one in found
        )
        return ServiceError(f"{count}: {said}", code=self.invalid)


def _shown(broken: Broken) -> str:
    """The value in quotes; nothing at all of a secret one."""
    if broken.secret and broken.value is not None:
        return ""
    return " null" if broken.value is None else f" '{_plain(broken.value)}'"


def _plain(value: object) -> str:
    """As Java prints it: `[a, b]`, `{a=b}`, `true`."""
    match value:
        case bool():
            return str(value).lower()
        case Mapping():
            return "{" + ", ".join(f"{key}={_plain(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(_plain(item) for item in value) + "]"
        case bytes():
            return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
        case datetime():
            return value.isoformat()
    return str(value)


class Ec2Policy(Policy):
    """EC2 says what is missing and what it does not know. Enums, lengths and patterns are the operations' own.

    `InvalidInstanceID.Malformed`, `InvalidParameterValue` with a list of instance types, and a hundred more.
    """

    __slots__ = ()

    def bad_value(self, bad: BadValue) -> ServiceError:
        name = ".".join(bad.path)
        if bad.kind == "unknown":
            return ServiceError(f"The parameter {name} is not recognized", code="UnknownParameter")
        shown = bad.value if isinstance(bad.value, str) else ""
        return ServiceError(
            f"Value ({shown}) for parameter {_lower_first(name)} is invalid. {bad.reason}",
            code="InvalidParameterValue",
        )

    def malformed(self, reason: str) -> ServiceError:
        return ServiceError(reason, code="MalformedQueryString")

    def broken(self, found: Sequence[Broken]) -> ServiceError | None:
        for one in found:
            name = ".".join(part for part in one.path if part != "member")
            if one.kind == "missing":
                return ServiceError(f"The request must contain the parameter {name}", code="MissingParameter")
            if one.kind == "range":
                # AWS's own wording, although the limit itself is allowed.
                bound = "less" if one.too_much else "greater"
                return ServiceError(
                    f"Value ( {_plain(one.value)} ) for parameter {_lower_first(name)} is invalid. "
                    f"Expecting a value {bound} than {one.limit:g}.",
                    code="InvalidParameterValue",
                )
        return None


class S3Policy(Policy):
    """S3 has few constraints in its shapes, and one answer to a body that breaks them.

    Headers and query strings are the operations' own: `InvalidStorageClass`, `InvalidArgument` and others.
    """

    __slots__ = ()

    def bad_value(self, bad: BadValue) -> ServiceError:
        if bad.kind != "argument":
            return self.malformed("")
        name, text = bad.path[0], f"Invalid value for {bad.path[0]}"
        if "integer" in bad.reason:
            text = f"Provided {name} not an integer or within integer range"
        elif name == "x-amz-object-lock-retain-until-date":
            text = "The retain until date must be provided in ISO 8601 format"
        return ServiceError(
            text, code="InvalidArgument", fields={"ArgumentName": name, "ArgumentValue": bad.value}
        )

    def malformed(self, _reason: str) -> ServiceError:
        return ServiceError(
            "The XML you provided was not well-formed or did not validate against our published schema",
            code="MalformedXML",
        )

    def broken(self, found: Sequence[Broken]) -> ServiceError | None:
        """Headers are for the operations to judge; what else is broken may stand behind one that is."""
        first = next((one for one in found if one.kind == "missing" or len(one.path) > 1), found[0])
        if len(first.path) == 1 and first.kind == "missing":
            return ServiceError("Request Body is empty", code="MissingRequestBodyError")
        if first.path[-1] == "locationConstraint":
            return ServiceError(
                "The specified location-constraint is not valid",
                code="InvalidLocationConstraint",
                fields={"LocationConstraint": first.value},
            )
        return None if len(first.path) == 1 else self.malformed("")


_IAM_NAMES = frozenset(
    [
        "userName",
        "newUserName",
        "groupName",
        "newGroupName",
        "roleName",
        "instanceProfileName",
        "policyName",
        "path",
        "newPath",
        "pathPrefix",
    ]
)


class IamPolicy(Policy):
    """IAM looks at the letters of names and paths itself, and has words of its own for them."""

    __slots__ = ()

    def broken(self, found: Sequence[Broken]) -> ServiceError | None:
        own = all(one.kind == "pattern" and one.path[-1] in _IAM_NAMES for one in found)
        return None if own else Policy.broken(self, found)


class CloudWatchQueryPolicy(Policy):
    """CloudWatch names a missing parameter in a message of its own; the rest is the framework's."""

    __slots__ = ()

    def broken(self, found: Sequence[Broken]) -> ServiceError | None:
        missing = next((one for one in found if one.kind == "missing"), None)
        if missing is None:
            return Policy.broken(self, found)
        name = ".".join(part[:1].upper() + part[1:] if part != "member" else part for part in missing.path)
        return ServiceError(f"The parameter {name} is required.", code="MissingParameter")


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


_BY_PROTOCOL: Mapping[str, Policy] = {
    "ec2": Ec2Policy(),
    "query": Policy("ValidationError", "MalformedInput"),
    "json": Policy(),
    "rest-json": Policy(),
    "rest-xml": Policy("ValidationError", "MalformedInput"),
    "smithy-rpc-v2-cbor": Policy(),
}
_BY_SERVICE: Mapping[tuple[str, str], Policy] = {
    ("cloudwatch", "query"): CloudWatchQueryPolicy("ValidationError", "MalformedInput"),
    ("iam", "query"): IamPolicy("ValidationError", "MalformedInput"),
    ("s3", "rest-xml"): S3Policy(),
    ("s3control", "rest-xml"): Policy("InvalidRequest", "MalformedXML"),
    # Route 53 and CloudFront word it as the framework does, under codes of their own.
    ("route53", "rest-xml"): Policy("InvalidInput", "InvalidInput"),
    ("cloudfront", "rest-xml"): Policy("MalformedXML", "MalformedInput"),
    # Their models list these on every operation, and no ValidationException.
    ("logs", "json"): Policy("InvalidParameterException"),
    ("efs", "rest-json"): Policy("BadRequest", "BadRequest"),
}


def policy_of(model: ServiceModel, protocol: Protocol) -> Policy:
    return _BY_SERVICE.get((model.name, protocol)) or _BY_PROTOCOL[protocol]
