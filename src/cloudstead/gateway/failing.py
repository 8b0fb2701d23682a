"""What is said when a step raises: in the protocol that the request speaks, and nothing of what is ours to mend."""

import logging

from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.http import HttpRequest, HttpResponse
from cloudstead.gateway import plain_errors, wire
from cloudstead.gateway.exchange import Exchange
from cloudstead.gateway.incoming import is_for_s3, request_timeout
from cloudstead.gateway.refusals import Refused, as_error, family

log = logging.getLogger(__name__)


def failed(exchange: Exchange, failure: Exception) -> HttpResponse:
    """The answer to a request whose step raised this."""
    if isinstance(failure, ServiceError):
        return _error(exchange, failure)
    if isinstance(failure, Refused):
        return _error(exchange, _refusal(exchange, failure))
    http = exchange.http
    log.error("%s: %s %s failed", exchange.request_id, http.method, http.path, exc_info=failure)
    return _error(exchange, _unexpected(exchange))


def _error(exchange: Exchange, error: ServiceError) -> HttpResponse:
    exchange.error_code = error.code
    where = getattr(exchange, "match", None) or exchange.dialect
    if where is None:
        return plain_errors.said_plainly(exchange.http, error, exchange.request_id)
    answer = wire.serialize_error(where, error, exchange.request_id)
    assert isinstance(answer.body, bytes)
    return HttpResponse(answer.status, answer.headers, answer.body)


def _refusal(exchange: Exchange, refused: Refused) -> ServiceError:
    log.debug("%s: refused: %s", exchange.request_id, refused)
    if exchange.dialect is not None:
        protocol: str = exchange.dialect.protocol
    else:
        protocol = "json" if "x-amz-target" in exchange.http.headers else "query"
    return as_error(refused, family(exchange.route.service, protocol))


def _unexpected(exchange: Exchange) -> ServiceError:
    service = exchange.route.service if exchange.dialect is not None else ""
    if service == "ec2":
        return ServiceError("An internal error has occurred", code="InternalError", status=500)
    if service in ("s3", "s3control"):
        text = "We encountered an internal error. Please try again."
        return ServiceError(text, code="InternalError", status=500)
    text = "The request processing has failed because of an unknown error, exception or failure."
    return ServiceError(text, code="InternalFailure", status=500)


def refuse(status: int, why: str, request: HttpRequest | None) -> HttpResponse:
    """What the HTTP server refuses: too large, too slow, malformed. Of S3 a body that does not come is a bad request."""
    if request is None or status != 408 or not is_for_s3(request):
        return plain_errors.refuse(status, why)
    plain = wire.WireRequest(request.method, request.path, request.query, request.headers)
    answer = wire.serialize_error(wire.load("s3").dialect(plain), request_timeout(), "")
    assert isinstance(answer.body, bytes)
    return HttpResponse(answer.status, answer.headers, answer.body)
