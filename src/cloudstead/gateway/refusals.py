"""Why a signature is refused, and how each of AWS's front doors words it.

Five families of services answer differently. Codes and statuses are those of the services' "Common Errors"
pages of the API references (STS and IAM for the query family, SSM for json, EFS for rest-json), of "Error
codes for the Amazon EC2 API" and of "Error responses" in the S3 API reference; texts that those pages do not
print (skew, canonical strings, malformed headers) are what the services are seen to answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cloudstead.core.errors import ServiceError

Family = Literal["ec2", "query", "json", "rest-json", "s3"]

Reason = Literal[
    "missing",  # nobody signed
    "incomplete",  # what was signed cannot be read
    "date",  # when it was signed is not said, or cannot be
    "unknown-key",  # no such access key, or an inactive one
    "token",  # the session token is absent, or not the key's
    "token-expired",
    "mismatch",  # the signature is another
    "skewed",  # signed too long ago, or in the future
    "expired",  # a presigned URL's time is over
    "parameters",  # a presigned URL's parameters make no sense
    "scope",  # the credential scope is not what it must be
    "unsigned-headers",
    "payload",  # x-amz-content-sha256 is not the body's
    "payload-header",  # S3 wants x-amz-content-sha256
    "mechanism",  # neither AWS4-HMAC-SHA256 nor, for S3, its first one
]


class Refused(Exception):
    """The request is not proven to be its sender's. `message` "" means the family's own wording."""

    def __init__(self, reason: Reason, message: str = "", **facts: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.facts = facts


@dataclass(frozen=True)
class Wording:
    code: str
    status: int
    message: str


_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access Key and signing method. Consult the service documentation for details."
)
_NO_SUCH_KEY = "The security token included in the request is invalid."
_KEY_EXPIRED = "The security token included in the request is expired"
_EC2_NOT_VALID = "AWS was not able to validate the provided access credentials"

_QUERY: Mapping[Reason, Wording] = {
    "missing": Wording("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
    "incomplete": Wording(
        "IncompleteSignature", 400, "The request signature does not conform to AWS standards."
    ),
    "date": Wording("IncompleteSignature", 400, "The request signature does not conform to AWS standards."),
    "unknown-key": Wording("InvalidClientTokenId", 403, _NO_SUCH_KEY),
    "token": Wording("InvalidClientTokenId", 403, _NO_SUCH_KEY),
    "token-expired": Wording("ExpiredToken", 403, _KEY_EXPIRED),
    "mismatch": Wording("SignatureDoesNotMatch", 403, _MISMATCH),
    "skewed": Wording("SignatureDoesNotMatch", 403, _MISMATCH),
    "expired": Wording("SignatureDoesNotMatch", 403, "Request has expired"),
    "parameters": Wording(
        "IncompleteSignature", 400, "The request signature does not conform to AWS standards."
    ),
    "scope": Wording("SignatureDoesNotMatch", 403, "Credential should be scoped to a valid region."),
    "unsigned-headers": Wording("SignatureDoesNotMatch", 403, _MISMATCH),
    "payload": Wording("SignatureDoesNotMatch", 403, _MISMATCH),
    "payload-header": Wording("SignatureDoesNotMatch", 403, _MISMATCH),
    "mechanism": Wording("IncompleteSignature", 400, "Unsupported signing algorithm; use AWS4-HMAC-SHA256."),
}

# EC2's own front end answers most of them alike.
_EC2: Mapping[Reason, Wording] = {
    **{reason: Wording("AuthFailure", 401, _EC2_NOT_VALID) for reason in _QUERY},
    "incomplete": _QUERY["incomplete"],
    "date": _QUERY["date"],
    "parameters": _QUERY["parameters"],
    "mechanism": _QUERY["mechanism"],
    "token-expired": Wording("RequestExpired", 400, "Request has expired."),
    "expired": Wording("RequestExpired", 400, "Request has expired."),
}

_JSON_CODES = {
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "IncompleteSignature": "IncompleteSignatureException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "ExpiredToken": "ExpiredTokenException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
}


def _as_json(status: int) -> Mapping[Reason, Wording]:
    return {reason: Wording(_JSON_CODES[w.code], status, w.message) for reason, w in _QUERY.items()}


_S3_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)
_S3: Mapping[Reason, Wording] = {
    "missing": Wording("AccessDenied", 403, "Access Denied"),
    "incomplete": Wording("AuthorizationHeaderMalformed", 400, "The authorization header is malformed."),
    "date": Wording("AccessDenied", 403, "AWS authentication requires a valid Date or x-amz-date header"),
    "unknown-key": Wording(
        "InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."
    ),
    "token": Wording("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
    "token-expired": Wording("ExpiredToken", 400, "The provided token has expired."),
    "mismatch": Wording("SignatureDoesNotMatch", 403, _S3_MISMATCH),
    "skewed": Wording(
        "RequestTimeTooSkewed",
        403,
        "The difference between the request time and the current time is too large.",
    ),
    "expired": Wording("AccessDenied", 403, "Request has expired"),
    "parameters": Wording("AuthorizationQueryParametersError", 400, "Malformed query parameters."),
    "scope": Wording("AuthorizationHeaderMalformed", 400, "The authorization header is malformed."),
    "unsigned-headers": Wording(
        "AccessDenied", 403, "There were headers present in the request which were not signed"
    ),
    "payload": Wording(
        "XAmzContentSHA256Mismatch",
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
    "payload-header": Wording(
        "InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256"
    ),
    "mechanism": Wording("InvalidArgument", 400, "Unsupported Authorization Type"),
}

WORDINGS: Mapping[Family, Mapping[Reason, Wording]] = {
    "query": _QUERY,
    "ec2": _EC2,
    "json": _as_json(400),
    "rest-json": {
        **_as_json(403),
        "missing": Wording("MissingAuthenticationTokenException", 403, "Missing Authentication Token"),
    },
    "s3": _S3,
}

# Only these details help whoever signs wrongly; EC2 tells none, S3 puts them in members of their own.
_TELLS_DETAIL: Mapping[Family, frozenset[Reason]] = {
    "ec2": frozenset({"incomplete", "date", "parameters"}),
    "s3": frozenset({"incomplete", "parameters", "scope", "mechanism"}),
}


def family(service: str, protocol: str) -> Family:
    """Which front door a service is behind."""
    if service in ("s3", "s3control"):
        return "s3"
    if protocol == "ec2":
        return "ec2"
    if protocol == "rest-json":
        return "rest-json"
    return "query" if protocol in ("query", "rest-xml") else "json"


def as_error(refused: Refused, door: Family) -> ServiceError:
    """The refusal in the family's words."""
    wording = WORDINGS[door][refused.reason]
    told = _TELLS_DETAIL.get(door)
    detailed = bool(refused.message) and (told is None or refused.reason in told)
    return ServiceError(
        refused.message if detailed else wording.message,
        code=wording.code,
        status=wording.status,
        fields=refused.facts if door == "s3" else None,
    )
