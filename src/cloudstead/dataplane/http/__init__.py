"""A lean HTTP/1.1 server: parsing by llhttp, TLS on the same port, a bound on everything a client may make us hold."""

from cloudstead.dataplane.http.message import BodyStream, HttpRequest, HttpResponse
from cloudstead.dataplane.http.server import Handler, HttpServer, Limits, listen, serve
from cloudstead.dataplane.http.sharing import Seat, Sharing

__all__ = [
    "BodyStream",
    "Handler",
    "HttpRequest",
    "HttpResponse",
    "HttpServer",
    "Limits",
    "Seat",
    "Sharing",
    "listen",
    "serve",
]
