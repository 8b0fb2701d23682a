"""Errors for requests of which not even the service is known, so neither its protocol nor its model.

The XML form is one that all of AWS's XML protocols read; clients of the JSON ones send a JSON content type.
"""

from xml.sax.saxutils import escape

import msgspec

from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.http import HttpRequest, HttpResponse

_CODES = {
    400: "MalformedHttpRequestException",
    405: "MethodNotAllowed",
    408: "RequestTimeout",
    413: "RequestEntityTooLarge",
    414: "RequestUriTooLong",
    431: "RequestHeaderSectionTooLarge",
    503: "ServiceUnavailable",
}


def said_plainly(request: HttpRequest, error: ServiceError, request_id: str) -> HttpResponse:
    content_type = request.headers.get("content-type", "")
    if "x-amz-target" in request.headers or "json" in content_type:
        body = msgspec.json.encode({"__type": error.code, "message": error.message})
        headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amzn-requestid", request_id),
            ("x-amzn-errortype", error.code),
        ]
        return HttpResponse(error.status, headers, body)
    return _xml(error, request_id)


def _xml(error: ServiceError, request_id: str) -> HttpResponse:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ErrorResponse>'
        f"<Error><Type>{error.fault}</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    headers = [("content-type", "text/xml"), ("x-amzn-requestid", request_id)]
    return HttpResponse(error.status, headers, body.encode())


def refuse(status: int, why: str) -> HttpResponse:
    """What the HTTP server refuses of which nobody can tell whom it was for."""
    return _xml(
        ServiceError(why, code=_CODES.get(status, "MalformedHttpRequestException"), status=status), ""
    )
