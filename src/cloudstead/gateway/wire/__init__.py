"""The wire: AWS's six protocols, driven by the services' own descriptions.

    model = load("ec2")
    dialect = model.dialect(request)     # never fails: how to answer, whatever happens
    match = model.match(request)         # which operation; ServiceError if there is none
    params = parse(match, request)       # typed and validated; ServiceError if it cannot be
    response = serialize(match, result, request_id)
    response = serialize_error(match or dialect, error, request_id)

Services never see any of it: they take and return plain dicts under the names that boto3's users write.
"""

from cloudstead.gateway.wire.asked import Protocol
from cloudstead.gateway.wire.errors import serialize_error
from cloudstead.gateway.wire.load import UnknownService, exists, load
from cloudstead.gateway.wire.message import WireRequest, WireResponse
from cloudstead.gateway.wire.model import Dialect, Match, Operation, ServiceModel
from cloudstead.gateway.wire.parse import parse
from cloudstead.gateway.wire.serialize import serialize
from cloudstead.gateway.wire.serialize.mismatch import ResultMismatch

__all__ = [
    "Dialect",
    "Match",
    "Operation",
    "Protocol",
    "ResultMismatch",
    "ServiceModel",
    "UnknownService",
    "WireRequest",
    "WireResponse",
    "exists",
    "load",
    "parse",
    "serialize",
    "serialize_error",
]
