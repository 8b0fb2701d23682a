"""The HTTP server over real loopback sockets: what it answers, what it refuses, what it bounds."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import uvloop

from cloudstead.core.clock import ManualClock
from cloudstead.dataplane.http import HttpRequest, HttpResponse, HttpServer, Limits, listen, serve
from cloudstead.dataplane.http.message import BodyAborted

Scenario = Callable[[], Awaitable[None]]
WAIT_S = 5.0


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else None

    def run_scenario(scenario: Scenario) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(20):
                await scenario()

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(bounded())

    return run_scenario


class Wire:
    """A client that says exactly what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def response(self, *, head_only: bool = False) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(WAIT_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            status = int(head[0].split(" ")[1])
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
            body = b""
            if status == 100 or head_only:
                return status, headers, body
            if headers.get("transfer-encoding") == "chunked":
                while size := int(await self.reader.readline(), 16):
                    body += (await self.reader.readexactly(size + 2))[:-2]
                await self.reader.readline()
            else:
                body = await self.reader.readexactly(int(headers.get("content-length", "0")))
            return status, headers, body

    async def ask(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        self.say(data)
        return await self.response()

    async def closed(self) -> bytes:
        async with asyncio.timeout(WAIT_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    async def leave(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


def echo(request: HttpRequest) -> HttpResponse:
    text = f"{request.method} {request.path} {request.query} {len(request.body)}"
    return HttpResponse(200, [("x-seen", text)], request.body or text.encode("latin-1"))


@asynccontextmanager
async def serving(
    handler: Any = echo, **settings: Any
) -> AsyncIterator[tuple[HttpServer, Callable[[], Any]]]:
    server = await serve(listen("127.0.0.1", 0), handler, **settings)
    clients: list[Wire] = []

    async def connect() -> Wire:
        client = Wire(*await asyncio.open_connection("127.0.0.1", server.ports[0]))
        clients.append(client)
        return client

    try:
        yield server, connect
    finally:
        for client in clients:
            await client.leave()
        await server.stop(within_s=2)


GET = b"GET /a%20b?c=d HTTP/1.1\r\nHost: here\r\n\r\n"


def test_a_request_is_answered_and_the_connection_kept(run):
    async def scenario():
        async with serving() as (server, connect):
            client = await connect()
            for _ in range(3):
                status, headers, body = await client.ask(GET)
                assert (status, body) == (200, b"GET /a%20b c=d 0")
                assert headers["server"] == "Cloudstead"
            assert server.connection_count == 1

    run(scenario)


def test_the_date_is_the_clocks(run):
    async def scenario():
        clock = ManualClock(datetime(2026, 11, 24, 14, 0, 1, tzinfo=UTC))
        async with serving(clock=clock) as (_, connect):
            client = await connect()
            assert (await client.ask(GET))[1]["date"] == "Tue, 24 Nov 2026 14:00:01 GMT"
            clock.advance(60)
            assert (await client.ask(GET))[1]["date"] == "Tue, 24 Nov 2026 14:01:01 GMT"

    run(scenario)


def test_pipelined_requests_are_answered_in_order_also_by_slow_handlers(run):
    async def scenario():
        async def slow(request: HttpRequest) -> HttpResponse:
            await asyncio.sleep(0.05 if request.path == "/1" else 0)
            return HttpResponse(200, body=request.path.encode())

        def mixed(request: HttpRequest) -> Any:
            return HttpResponse(200, body=b"/quick") if request.path == "/quick" else slow(request)

        async with serving(mixed) as (_, connect):
            client = await connect()
            paths = [b"/1", b"/quick", b"/3", b"/quick", b"/5"]
            client.say(b"".join(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in paths))
            assert [(await client.response())[2] for _ in paths] == paths

    run(scenario)


@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_a_client_that_will_ask_no_more_is_left_once_it_is_answered(run, later):
    async def scenario():
        async def slow(_: HttpRequest) -> HttpResponse:
            await asyncio.sleep(0.05)
            return HttpResponse(200, body=b"done")

        async with serving(slow if later else lambda _: HttpResponse(200, body=b"done")) as (server, connect):
            client = await connect()
            client.say(GET)
            client.writer.write_eof()
            assert (await client.response())[2] == b"done"
            async with asyncio.timeout(5):
                assert await client.closed() == b""
            while server.connection_count:
                await asyncio.sleep(0)

    run(scenario)


def test_a_thousand_pipelined_requests_in_pieces(run):
    async def scenario():
        async with serving() as (_, connect):
            client = await connect()
            one = b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"
            data = b"".join(one % n for n in range(1000))
            for at in range(0, len(data), 777):
                client.say(data[at : at + 777])
            for n in range(1000):
                assert (await client.response())[1]["x-seen"] == f"POST /{n}  5"

    run(scenario)


def test_bodies_with_a_length_and_in_chunks(run):
    async def scenario():
        async with serving() as (_, connect):
            client = await connect()
            head = b"POST / HTTP/1.1\r\nHost: a\r\n"
            assert (await client.ask(head + b"Content-Length: 5\r\n\r\nhello"))[2] == b"hello"
            client.say(head + b"Transfer-Encoding: chunked\r\n\r\n3;x=1\r\nhel\r\n2\r\n")
            await asyncio.sleep(0.01)
            client.say(b"lo\r\n0\r\nHost: trailer\r\n\r\n")
            assert (await client.response())[2] == b"hello"

    run(scenario)


def test_head_gives_the_length_but_no_body(run):
    async def scenario():
        async with serving() as (_, connect):
            client = await connect()
            client.say(b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
            _, headers, _ = await client.response(head_only=True)
            assert headers["content-length"] == "10"
            assert (await client.response())[0] == 200

    run(scenario)


def test_expect_100_continue(run):
    async def scenario():
        async with serving(limits=Limits(body_bytes_max=100, linger_timeout_s=0.1)) as (_, connect):
            client = await connect()
            head = b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
            assert (await client.ask(head % 5))[0] == 100
            assert (await client.ask(b"hello"))[2] == b"hello"
            client.say(GET + head % 2)  # pipelined: the promise to go on comes after the earlier answer
            assert [(await client.response())[0] for _ in range(2)] == [200, 100]
            assert (await client.ask(b"ok"))[2] == b"ok"
            other = (head % 2).replace(b"100-continue", b"magic")
            assert (await client.ask(other + b"ok"))[2] == b"ok"
            assert (await client.ask(head % 101))[0] == 413
            assert await client.closed() == b""

    run(scenario)


def test_http_1_0_and_connection_close_end_the_connection(run):
    async def scenario():
        async with serving() as (_, connect):
            for request in (
                b"GET / HTTP/1.0\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            ):
                client = await connect()
                status, headers, _ = await client.ask(request)
                assert (status, headers["connection"]) == (200, "close")
                assert await client.closed() == b""

    run(scenario)


def test_an_offer_to_upgrade_is_ignored(run):
    async def scenario():
        async with serving() as (_, connect):
            client = await connect()
            offer = (
                b"Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
            )
            client.say(b"GET /1 HTTP/1.1\r\n" + offer + b"\r\n")
            assert (await client.response())[2] == b"GET /1  0"
            client.say(b"POST /2 HTTP/1.1\r\n" + offer + b"Content-Length: 3\r\n\r\nabc" + GET)
            assert (await client.response())[2] == b"abc"
            assert (await client.response())[0] == 200
            client.say(b"POST /3 HTTP/1.1\r\n" + offer + b"Transfer-Encoding: chunked\r\n\r\n")
            client.say(b"3\r\nabc\r\n0\r\n\r\n" + GET)
            assert (await client.response())[2] == b"abc"
            assert (await client.response())[0] == 200

    run(scenario)


def test_an_absolute_target_names_the_host(run):
    async def scenario():
        def handler(request: HttpRequest) -> HttpResponse:
            return HttpResponse(
                200, body=f"{request.headers['host']} {request.path} {request.query}".encode()
            )

        async with serving(handler) as (_, connect):
            client = await connect()
            answer = await client.ask(b"GET http://there:1/x?y HTTP/1.1\r\nHost: here\r\n\r\n")
            assert answer[2] == b"there:1 /x y"

    run(scenario)


MALFORMED = {
    "both lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, other order": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "length list": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nabcde",
    "signed length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde",
    "unknown coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two codings": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding twice": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "space before colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
    "bare newlines": b"GET / HTTP/1.1\nHost: a\n\n",
    "nul in header": b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "not http": b"\x00\x01\x02\x03\r\n\r\n",
    "http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "target": b"GET foo HTTP/1.1\r\nHost: a\r\n\r\n",
    "chunk size": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_smuggling_needs_is_refused(run, name):
    async def scenario():
        seen: list[str] = []

        def handler(request: HttpRequest) -> HttpResponse:
            seen.append(request.path)
            return HttpResponse(200)

        async with serving(handler) as (_, connect):
            client = await connect()
            status, headers, _ = await client.ask(
                MALFORMED[name] + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            assert status == 400
            assert headers["connection"] == "close"
            client.writer.write_eof()
            assert await client.closed() == b""
            assert seen == []

    run(scenario)


def test_what_came_before_a_malformed_request_is_still_answered(run):
    async def scenario():
        async with serving() as (_, connect):
            client = await connect()
            client.say(GET + MALFORMED["bare newlines"])
            assert [(await client.response())[0] for _ in range(2)] == [200, 400]

    run(scenario)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 700_000, 431),  # no end in sight
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 300 + b"\r\n", 431),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000, 413),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ],
    ids=["head", "endless head", "header count", "target", "body", "chunked body", "connect"],
)
def test_limits(run, request_bytes, status):
    async def scenario():
        async with serving(limits=Limits(body_bytes_max=1000)) as (_, connect):
            client = await connect()
            assert (await client.ask(request_bytes))[0] == status

    run(scenario)


def test_a_large_body_before_a_split_head_is_no_large_head(run):
    async def scenario():
        async with serving() as (_, connect):
            client = await connect()
            body = b"x" * 150_000
            head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 150000\r\n\r\n"
            client.say(head + body + head[:20])
            assert (await client.response())[0] == 200
            client.say(head[20:] + body)
            assert (await client.response())[0] == 200

    run(scenario)


@pytest.mark.parametrize(
    ("drip", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: y", 408),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nx", 408),
    ],
    ids=["head", "body"],
)
def test_a_dripping_client_is_told_and_left(run, drip, status):
    async def scenario():
        limits = Limits(head_timeout_s=0.2, body_timeout_s=0.2, linger_timeout_s=0.1, idle_timeout_s=0.2)
        async with serving(limits=limits) as (server, connect):
            client = await connect()
            client.say(drip)

            async def go_on() -> None:
                while True:
                    await asyncio.sleep(0.05)
                    client.say(b"x")

            dripping = asyncio.create_task(go_on())
            assert (await client.response())[0] == status
            assert await client.closed() == b""
            dripping.cancel()
            assert server.connection_count == 0

    run(scenario)


def test_an_idle_connection_is_closed(run):
    async def scenario():
        async with serving(limits=Limits(idle_timeout_s=0.1)) as (server, connect):
            silent, once = await connect(), await connect()
            await once.ask(GET)
            assert await silent.closed() == b""
            assert await once.closed() == b""
            assert server.connection_count == 0

    run(scenario)


def test_a_client_that_does_not_read_is_left_and_holds_no_other(run):
    async def scenario():
        big = b"x" * 8_000_000

        def handler(request: HttpRequest) -> HttpResponse:
            return HttpResponse(200, body=big if request.path == "/big" else b"small")

        limits = Limits(write_timeout_s=0.3, idle_timeout_s=1.0)
        async with serving(handler, limits=limits) as (server, connect):
            greedy, other = await connect(), await connect()
            greedy.writer.transport.pause_reading()
            greedy.say(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
            assert (await other.ask(GET))[2] == b"small"
            async with asyncio.timeout(WAIT_S):
                while server.connection_count > 1:
                    await asyncio.sleep(0.02)

    run(scenario)


def test_connections_beyond_the_bound_are_refused(run):
    async def scenario():
        async with serving(limits=Limits(connections_max=2)) as (_, connect):
            first, second = await connect(), await connect()
            assert (await first.ask(GET))[0] == 200
            assert (await second.ask(GET))[0] == 200
            third = await connect()
            assert (await third.response())[0] == 503
            third.writer.write_eof()
            assert await third.closed() == b""
            assert (await first.ask(GET))[0] == 200

    run(scenario)


def test_stop_finishes_what_is_under_way(run):
    async def scenario():
        started, go = asyncio.Event(), asyncio.Event()

        async def handler(request: HttpRequest) -> HttpResponse:
            started.set()
            await go.wait()
            return HttpResponse(200, body=b"done")

        async with serving(handler) as (server, connect):
            idle, busy = await connect(), await connect()
            busy.say(GET)
            await started.wait()
            stopping = asyncio.create_task(server.stop(within_s=5))
            assert await idle.closed() == b""
            go.set()
            status, headers, body = await busy.response()
            assert (status, headers["connection"], body) == (200, "close", b"done")
            await stopping
            assert server.connection_count == 0

    run(scenario)


def test_stop_cuts_off_what_does_not_end(run):
    async def scenario():
        cancelled = asyncio.Event()

        async def handler(request: HttpRequest) -> HttpResponse:
            try:
                await asyncio.sleep(60)
            finally:
                cancelled.set()
            return HttpResponse(200)

        async with serving(handler) as (server, connect):
            client = await connect()
            client.say(GET)
            await asyncio.sleep(0.05)
            await server.stop(within_s=0.1)
            assert await client.closed() == b""
            async with asyncio.timeout(WAIT_S):
                await cancelled.wait()

    run(scenario)


def test_a_failing_handler_answers_500_and_tells_nothing(run, caplog):
    async def scenario():
        def handler(request: HttpRequest) -> HttpResponse:
            raise RuntimeError("/etc/secret")

        async with serving(handler) as (_, connect):
            client = await connect()
            status, _, body = await client.ask(GET)
            assert (status, body) == (500, b"")
            assert (await client.ask(GET))[0] == 500

    with caplog.at_level(logging.ERROR):
        run(scenario)
    assert "/etc/secret" in caplog.text


def test_a_line_break_in_a_response_header_never_reaches_the_wire(run, caplog):
    async def scenario():
        async def handler(request: HttpRequest) -> HttpResponse:
            return HttpResponse(200, [("x-a", "b\r\nset-cookie: c")])

        async with serving(handler) as (_, connect):
            client = await connect()
            status, headers, _ = await client.ask(GET)
            assert status == 500
            assert "set-cookie" not in headers

    with caplog.at_level(logging.CRITICAL):
        run(scenario)


def test_a_streamed_body_is_read_while_it_comes_and_held_within_bounds(run):
    async def scenario():
        held: list[int] = []

        async def handler(request: HttpRequest) -> HttpResponse:
            assert request.stream is not None
            size = 0
            await asyncio.sleep(0.1)
            async for chunk in request.stream:
                held.append(request.stream.held_bytes)
                size += len(chunk)
            return HttpResponse(200, body=str(size).encode())

        async with serving(
            handler, wants_stream=lambda r: r.method == "PUT", limits=Limits(stream_held_bytes=300_000)
        ) as (_, connect):
            client = await connect()
            for _ in range(2):
                client.say(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n")
                client.say(b"x" * 5_000_000)
                assert (await client.response())[2] == b"5000000"
            assert max(held) < 300_000 + 2 * 256 * 1024

    run(scenario)


def test_a_streamed_body_cut_off_is_told_to_the_handler(run):
    async def scenario():
        told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def handler(request: HttpRequest) -> HttpResponse:
            assert request.stream is not None
            try:
                async for _ in request.stream:
                    pass
            except BodyAborted as e:
                told.set_result(str(e))
            return HttpResponse(200)

        async with serving(handler, wants_stream=lambda r: True) as (_, connect):
            client = await connect()
            client.say(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nxx")
            await asyncio.sleep(0.05)
            await client.leave()
            assert "closed" in await asyncio.wait_for(told, WAIT_S)

    run(scenario)


def test_an_answer_before_the_body_is_whole_ends_the_connection(run):
    async def scenario():
        def handler(request: HttpRequest) -> HttpResponse:
            return HttpResponse(403, body=b"no")

        limits = Limits(linger_timeout_s=0.2, idle_timeout_s=1)
        async with serving(handler, wants_stream=lambda r: True, limits=limits) as (_, connect):
            client = await connect()
            client.say(
                b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            status, headers, _ = await client.response()
            assert (status, headers["connection"]) == (403, "close")
            assert await client.closed() == b""

    run(scenario)


def test_a_streamed_body_is_asked_for_when_it_is_first_read(run):
    async def scenario():
        async def read(request: HttpRequest) -> HttpResponse:
            return HttpResponse(200, body=b"".join([chunk async for chunk in request.stream]))

        def handler(request: HttpRequest) -> Any:
            return HttpResponse(403) if request.path == "/no" else read(request)

        head = b"PUT %b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        limits = Limits(linger_timeout_s=0.1, idle_timeout_s=1)
        async with serving(handler, wants_stream=lambda r: True, limits=limits) as (_, connect):
            client = await connect()
            for _ in range(2):
                assert (await client.ask(head % b"/"))[0] == 100
                assert (await client.ask(b"hello"))[2] == b"hello"
            assert (await client.ask(head % b"/no"))[0] == 403  # and nobody uploads in vain
            assert await client.closed() == b""

    run(scenario)


def test_a_streamed_response_that_nobody_reads_is_closed(run):
    async def scenario():
        ends: list[str] = []

        async def chunks(name: str) -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 100_000
            finally:
                ends.append(name)

        def handler(request: HttpRequest) -> HttpResponse:
            return HttpResponse(200, [("content-length", "9000000000")], stream=chunks(request.path))

        async with serving(handler) as (_, connect):
            client = await connect()
            client.say(b"GET /gone HTTP/1.1\r\nHost: a\r\n\r\n")
            await client.reader.readexactly(1000)
            await client.leave()
            async with asyncio.timeout(WAIT_S):
                while ends != ["/gone"]:
                    await asyncio.sleep(0.01)

    run(scenario)


@pytest.mark.parametrize("length", [None, 3_000_000])
def test_a_streamed_response_waits_for_a_slow_reader(run, length):
    async def scenario():
        made = 0

        async def chunks() -> AsyncIterator[bytes]:
            nonlocal made
            for _ in range(300):
                made += 1
                yield b"x" * 10_000

        def handler(request: HttpRequest) -> HttpResponse:
            if request.path != "/big":
                return HttpResponse(200, body=b"small")
            headers = [("content-length", str(length))] if length else []
            return HttpResponse(200, headers, stream=chunks())

        async with serving(handler) as (_, connect):
            client = await connect()
            client.say(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
            assert len((await client.response())[2]) == 3_000_000
            assert (await client.response())[2] == b"small"

    run(scenario)


def test_ipv6_loopback(run):
    async def scenario():
        try:
            sockets = listen("::1", 0)
        except OSError:
            pytest.skip("no IPv6 loopback here")
        server = await serve(sockets, lambda r: HttpResponse(200, body=f"{r.peer} {r.local}".encode()))
        client = Wire(*await asyncio.open_connection("::1", server.ports[0]))
        assert (await client.ask(GET))[2] == f"::1 [::1]:{server.ports[0]}".encode()
        await client.leave()
        await server.stop(1)

    run(scenario)


def test_workers_share_one_port():
    first = listen("127.0.0.1", 0, reuse_port=True)
    port = first[0].getsockname()[1]
    second = listen("127.0.0.1", port, reuse_port=True)
    with pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", port)
    for sock in [*first, *second]:
        sock.close()


def test_every_family_of_a_name_gets_the_same_port():
    found = listen("localhost", 0)
    assert len({sock.getsockname()[1] for sock in found}) == 1
    assert all(isinstance(sock, socket.socket) for sock in found)
    for sock in found:
        sock.close()
