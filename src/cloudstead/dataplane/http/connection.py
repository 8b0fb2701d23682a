"""One HTTP/1.1 connection: bytes in, requests to the handler, responses out in the order of the requests.

llhttp refuses what request smuggling needs (both or repeated lengths, obsolete folding, bare newlines); here
are the bounds: how much, how many, how long. A handler that answers at once costs no task.
"""

import asyncio
import enum
import logging
import socket
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from typing import TYPE_CHECKING, cast

import httptools

from cloudstead.dataplane.http.message import (
    BodyAborted,
    BodyLate,
    BodyStream,
    HttpRequest,
    HttpResponse,
    status_line,
)

if TYPE_CHECKING:
    from cloudstead.dataplane.http.server import HttpServer

log = logging.getLogger(__name__)


class Phase(enum.Enum):
    """What the connection waits for; each has its own timeout."""

    IDLE = "the first byte of a request"
    HEAD = "the rest of a request's headers"
    BODY = "the rest of a request's body"
    ANSWER = "the handler, or the client to take what was sent"
    LINGER = "the client to read the refusal and leave"


class _Refused(Exception):
    """Raised only to make llhttp stop; the connection holds what to say."""


_JOINED_BYTES_MAX = 64 * 1024


class Connection(asyncio.Protocol):
    def __init__(self, server: "HttpServer", *, settled: bool = False) -> None:
        """`settled`: it was handed on to this process, and stays."""
        self._server = server
        self._settled = settled
        self._limits = server.limits
        self._handler = server.handler
        self._loop = server.loop
        self._parser = httptools.HttpRequestParser(self)
        self._scheme = "http"
        self._tls: tuple[str, str] | None = None
        self._phase = Phase.IDLE
        self._since_s = 0.0
        self._ready: deque[tuple[HttpRequest, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._writable: asyncio.Event | None = None  # made when the client first reads too slowly
        self._write_paused = False
        self._read_paused = False
        self._closing = False  # no request after the one being answered
        self._heard_all = False  # the client will ask no more
        self._continue_owed = False
        self._headers_repeated = False
        self._refusal: tuple[int, str] | None = None
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._header_count = 0
        self._head_bytes = 0
        self._unfinished_head_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._request: HttpRequest | None = None
        self._stream: BodyStream | None = None

    # -- the transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if not self._settled and self._server.hands_on(transport):
            self._closing = True
            self._transport.abort()  # this process's end of it
            return
        self._since_s = self._loop.time()
        self._peer = _address(transport.get_extra_info("peername"), port=False)
        self._local = _address(transport.get_extra_info("sockname"), port=True)
        if not self._server.admit(self):
            self._refuse(503, "Too many connections.")

    def secured(self, transport: asyncio.Transport) -> None:
        """TLS is up: from now on read and write through `transport`."""
        self._transport = transport
        self._scheme = "https"
        self._tls = transport.get_extra_info("tls")
        self._since_s = self._loop.time()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._server.forget(self)
        self._closing = True
        if self._stream is not None:
            self._stream.abort(BodyAborted("the client closed the connection"))
        if self._writable is not None:
            self._writable.set()
        if self._task is not None and self._request_stream_is_done():
            self._task.cancel()

    def _request_stream_is_done(self) -> bool:
        """A handler that still reads a body learns of the loss by BodyAborted; any other is cancelled."""
        return self._stream is None or self._stream.ended

    def eof_received(self) -> bool | None:
        # A client may shut its sending side and still wait for the answer; nothing comes after that.
        self._heard_all = True
        return self._phase is Phase.ANSWER

    def pause_writing(self) -> None:
        self._write_paused = True
        self._since_s = self._loop.time()

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._writable is not None:
            self._writable.set()
        if self._task is None:
            self._answer()

    def data_received(self, data: bytes) -> None:
        if self._phase is Phase.LINGER:
            return
        phase, request = self._phase, self._request
        self._feed(data)
        if self._ready:
            if self._task is None:
                self._answer()
            else:
                self._pause_reading()
        elif self._phase is phase is Phase.HEAD and self._request is request:
            self._bound_head(len(data))
        if self._phase is not phase or self._request is not request:
            self._since_s = self._loop.time()

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self._parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as e:
                data = data[e.args[0] :]
                self._decline_upgrade()
            except httptools.HttpParserCallbackError:
                if self._refusal is None:
                    raise  # a fault of our own
                self._refuse(*self._refusal)
                return
            except httptools.HttpParserError as e:
                self._refuse(400, f"Malformed HTTP request: {e}.")
                return

    def _decline_upgrade(self) -> None:
        """Go on with HTTP/1.1: h2c and its like are offers, which a server may ignore.

        llhttp takes all that follows the headers for the other protocol, so a fresh parser is told what body to
        expect. Taking the body for the next request instead would be a way to smuggle one.
        """
        self._parser = httptools.HttpRequestParser(self)
        if self._phase is Phase.BODY:
            self._headers_repeated = True
            framing = b"transfer-encoding: chunked"
            if length := self._headers.get("content-length"):
                framing = b"content-length: " + length.encode()
            self._parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")

    def _bound_head(self, count: int) -> None:
        """Bound what llhttp holds of a header whose end has not come: one read more than the limit."""
        self._unfinished_head_bytes += count
        if self._unfinished_head_bytes > self._limits.head_bytes_max:
            self._refuse(431, "The request's headers are too large.")

    # -- llhttp's side

    def on_message_begin(self) -> None:
        if self._headers_repeated:
            return
        self._begin()
        self._phase = Phase.HEAD

    def on_url(self, url: bytes) -> None:
        if self._headers_repeated:
            return
        self._url += url
        if len(self._url) > self._limits.head_bytes_max:
            self._stop_parsing(414, "The request's target is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._request is not None:
            return  # a trailer, never merged into the headers; or headers repeated
        self._header_count += 1
        self._head_bytes += len(name) + len(value)
        if (
            self._header_count > self._limits.header_count_max
            or self._head_bytes > self._limits.head_bytes_max
        ):
            self._stop_parsing(431, "The request's headers are too large.")
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        before = self._headers.get(key)
        if before is not None:
            if key == "host":
                self._stop_parsing(400, "The request has more than one Host header.")
            text = f"{before},{text}"
        self._headers[key] = text

    def on_headers_complete(self) -> None:
        if self._headers_repeated:
            self._headers_repeated = False
            return
        headers = self._headers
        if "host" not in headers and self._parser.get_http_version() != "1.0":
            self._stop_parsing(400, "The request has no Host header.")
        coding = headers.get("transfer-encoding")
        if coding is not None and coding.lower() != "chunked":
            self._stop_parsing(400, "The only transfer coding understood is chunked.")
        method = self._parser.get_method().decode()
        path, query = self._target(method)
        request = HttpRequest(
            method,
            path,
            query,
            headers,
            scheme=self._scheme,
            peer=self._peer,
            local=self._local,
            tls=self._tls,
        )
        self._request = request
        self._phase = Phase.BODY
        wants_stream = self._server.wants_stream
        if wants_stream is not None and wants_stream(request):
            self._start_stream(request)
        elif int(headers.get("content-length", "0")) > self._limits.body_bytes_max:
            self._stop_parsing(413, "The request's body is too large.")
        if "expect" in headers:
            self._expected(headers["expect"])

    def _target(self, method: str) -> tuple[str, str]:
        target = self._url.decode("latin-1")
        if method == "CONNECT":
            self._stop_parsing(405, "This is not a proxy.")
        if not target.startswith("/") and target != "*":
            scheme, found, rest = target.partition("://")  # absolute form: its host outranks the header
            if not found or scheme.lower() not in ("http", "https"):
                self._stop_parsing(400, "The request's target is malformed.")
            authority, slash, rest = rest.partition("/")
            self._headers["host"] = authority
            target = slash + rest if slash else "/"
        path, _, query = target.partition("?")
        return path, query

    def _start_stream(self, request: HttpRequest) -> None:
        self._stream = request.stream = BodyStream(self._resume_reading)
        self._ready.append((request, self._parser.should_keep_alive()))

    def _expected(self, expectation: str) -> None:
        if expectation.lower() != "100-continue":
            return  # another is not understood, and may be ignored
        if self._stream is not None:
            self._stream.invite_by(self._send_continue)  # a refusal then costs no upload
        elif self._ready or self._task is not None:
            self._continue_owed = True  # answers keep the order of the requests
        else:
            self._send_continue()

    def _send_continue(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, chunk: bytes) -> None:
        self._body_bytes += len(chunk)
        if self._stream is not None:
            self._stream.feed(chunk)
            if self._stream.held_bytes > self._limits.stream_held_bytes:
                self._pause_reading()
            return
        if self._body_bytes > self._limits.body_bytes_max:
            self._stop_parsing(413, "The request's body is too large.")
        self._body.append(chunk)

    def on_message_complete(self) -> None:
        request = self._request
        assert request is not None
        if self._parser.should_upgrade() and _has_body(self._headers):
            return  # it is yet to come: see _decline_upgrade
        self._phase = Phase.ANSWER
        self._continue_owed = False
        if self._stream is not None:
            self._stream.end()
            return
        body = self._body
        request.body = body[0] if len(body) == 1 else b"".join(body)
        self._ready.append((request, self._parser.should_keep_alive()))

    def _stop_parsing(self, status: int, why: str) -> None:
        self._refusal = (status, why)
        raise _Refused

    # -- answers

    def _answer(self) -> None:
        """Answer what is ready, in order, until a handler needs time or the client reads too slowly."""
        while self._ready and not self._write_paused:
            request, keep_alive = self._ready.popleft()
            try:
                answer = self._handler(request)
            except Exception:
                log.exception("%s %s: the handler failed", request.method, request.path)
                answer = HttpResponse(500)
            if isinstance(answer, HttpResponse) and answer.stream is None:
                self._send(request, answer, keep_alive)
                if self._closing:
                    return
            else:
                self._task = self._loop.create_task(self._answer_later(request, answer, keep_alive))
                break
        if self._ready or self._write_paused:
            self._pause_reading()
        elif self._read_paused and self._task is None:
            self._resume_reading()
        if self._task is None and not self._ready:
            self._after_answers()

    def _after_answers(self) -> None:
        if self._continue_owed:
            self._continue_owed = False
            self._send_continue()
        if self._phase is Phase.ANSWER:
            self._phase = Phase.IDLE
            if self._server.stopping or self._heard_all:
                self._close()

    async def _answer_later(
        self, request: HttpRequest, answer: "HttpResponse | Awaitable[HttpResponse]", keep_alive: bool
    ) -> None:
        try:
            response = answer if isinstance(answer, HttpResponse) else await answer
            if response.stream is None:
                self._send(request, response, keep_alive)
            else:
                await self._send_stream(request, response, keep_alive)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("%s %s: the handler failed", request.method, request.path)
            self._send(request, HttpResponse(500, close=True), keep_alive)
        finally:
            self._task = None
        if not self._closing:
            self._answer()
            self._since_s = self._loop.time()

    def _send(self, request: HttpRequest, response: HttpResponse, keep_alive: bool) -> None:
        if self._transport.is_closing():
            return
        keep_alive = self._keeps_alive(request, response, keep_alive)
        body = response.body
        head = self._head(response, keep_alive, len(body))
        if response.hop_limit is not None:
            self._limit_hops(response.hop_limit)
        if request.method == "HEAD" or not body:
            self._transport.write(head)
        elif len(body) < _JOINED_BYTES_MAX:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))  # a copy of megabytes costs more than a second piece
        if not keep_alive:
            self._part(request)

    def _limit_hops(self, hops: int) -> None:
        sock: socket.socket = self._transport.get_extra_info("socket")
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)

    def _keeps_alive(self, request: HttpRequest, response: HttpResponse, keep_alive: bool) -> bool:
        # Answered before the body was whole: what follows on the wire is not a request.
        whole = request.stream is None or request.stream.ended
        return keep_alive and whole and not response.close and not self._server.stopping

    def _part(self, request: HttpRequest) -> None:
        if request.stream is None or request.stream.ended:
            self._close()
        else:
            self._linger()

    async def _send_stream(self, request: HttpRequest, response: HttpResponse, keep_alive: bool) -> None:
        assert response.stream is not None
        chunked = response.lines is None and all(
            name.lower() != "content-length" for name, _ in response.headers
        )
        keep_alive = self._keeps_alive(request, response, keep_alive)
        self._transport.write(self._head(response, keep_alive, None))
        try:
            if request.method != "HEAD":
                async for chunk in response.stream:
                    await self._send_chunk(chunk, chunked)
                if chunked:
                    self._transport.write(b"0\r\n\r\n")
        except Exception:
            log.exception("%s %s: the response was cut off", request.method, request.path)
            self._closing = True
            self._transport.abort()  # the only way left to say that it is not whole
            return
        finally:
            await _closed(response.stream)
        if not keep_alive:
            self._part(request)

    async def _send_chunk(self, chunk: bytes, chunked: bool) -> None:
        if not chunk:
            return
        self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
        while self._write_paused and not self._transport.is_closing():
            if self._writable is None:
                self._writable = asyncio.Event()
            self._writable.clear()
            await self._writable.wait()  # `overdue` bounds it
        if self._transport.is_closing():
            raise asyncio.CancelledError

    def _head(self, response: HttpResponse, keep_alive: bool, length: int | None) -> bytes:
        """`length` None: the body is streamed, chunked unless the headers tell its length."""
        if response.lines is not None:
            close = b"" if keep_alive else b"connection: close\r\n"
            return b"%b%b%b%b\r\n" % (
                status_line(response.status),
                self._server.stamp(),
                response.lines,
                close,
            )
        lines = ""
        told = False
        for name, value in response.headers:
            lines += f"{name}: {value}\r\n"
            if len(name) == 14 and name.lower() == "content-length":
                told = True
        if lines.count("\n") != len(response.headers):
            raise ValueError(f"a response header has a line break: {response.headers!r}")
        if not told and response.status >= 200 and response.status not in (204, 304):
            lines += "transfer-encoding: chunked\r\n" if length is None else f"content-length: {length}\r\n"
        if not keep_alive:
            lines += "connection: close\r\n"
        return b"%b%b%b\r\n" % (status_line(response.status), self._server.stamp(), lines.encode("latin-1"))

    def _refuse(self, status: int, why: str) -> None:
        """Answer what went before, say why this one cannot be, and end the connection."""
        if self._stream is not None:
            self._stream.abort(BodyLate(why) if status == 408 else BodyAborted(why))
        if self._ready and self._task is None:
            self._answer()
        if self._closing:
            return
        if self._task is None:  # else an answer is on its way; two would be taken for one
            response = self._server.refuse(status, why, self._request)
            self._transport.write(self._head(response, False, len(response.body)) + response.body)
        self._linger()

    def _linger(self) -> None:
        """Stop listening but let the client read: closing on unread bytes would reset its connection."""
        self._closing = True
        self._ready.clear()
        self._phase = Phase.LINGER
        self._since_s = self._loop.time()
        self._resume_reading()

    def _close(self) -> None:
        self._closing = True
        self._transport.close()

    def _pause_reading(self) -> None:
        if not self._read_paused and not self._transport.is_closing():
            self._read_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._read_paused and not self._transport.is_closing():
            self._read_paused = False
            self._since_s = self._loop.time()
            self._transport.resume_reading()

    # -- the server's side

    def overdue(self, now_s: float) -> bool:
        """Whether what the connection waits for should have come by now."""
        waited_s = now_s - self._since_s
        limits = self._limits
        if self._write_paused:
            return waited_s > limits.write_timeout_s
        match self._phase:
            case Phase.IDLE:
                return waited_s > limits.idle_timeout_s
            case Phase.HEAD:
                return waited_s > limits.head_timeout_s
            case Phase.BODY:
                if self._read_paused:
                    return False  # it is we who are slow
                return waited_s > limits.body_timeout_s + self._body_bytes / limits.body_bytes_per_s_min
            case Phase.ANSWER:
                return False  # a handler bounds its own waits
            case Phase.LINGER:
                return waited_s > limits.linger_timeout_s

    def expire(self) -> None:
        """Its time is up. A client in the middle of a request is told; an idle or stuck one is just left."""
        if self._phase in (Phase.HEAD, Phase.BODY) and not self._write_paused:
            self._refuse(408, "The request did not come within the time allowed.")
        else:
            self._closing = True
            self._transport.abort()

    def stop(self) -> None:
        """End now if nothing is under way, else after the request that is."""
        if self._phase is Phase.IDLE and self._task is None:
            self._close()

    def abort(self) -> None:
        self._closing = True
        self._transport.abort()


async def _closed(stream: AsyncIterator[bytes]) -> None:
    """Let a stream that was not read to its end give back what it holds."""
    if isinstance(stream, AsyncGenerator):
        await stream.aclose()


def _has_body(headers: dict[str, str]) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0").strip("0") != ""


def _address(name: object, *, port: bool) -> str:
    if not isinstance(name, tuple):
        return ""  # a Unix socket
    host = f"[{name[0]}]" if port and ":" in name[0] else str(name[0])
    return f"{host}:{name[1]}" if port else host
