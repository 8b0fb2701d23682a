"""The local authority and the endpoint's certificate; HTTP and HTTPS on one port."""

import asyncio
import contextlib
import datetime as dt
import os
import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
import uvloop

from cloudstead.core.clock import ManualClock, SystemClock
from cloudstead.dataplane.http import HttpRequest, HttpResponse, Limits, listen, serve
from cloudstead.gateway import tls

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def told(context: ssl.SSLContext, folder: Path, name: str) -> dict:
    """What a client that trusts the authority sees of this certificate under this name."""
    client = ssl.create_default_context(cadata=(folder / "ca.pem").read_text())
    there, here = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(there, here, server_hostname=name)
    other = context.wrap_bio(here, there, server_side=True)
    for side in (one, other, one, other):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return one.getpeercert()


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "127.0.0.1",
        "::1",
        "bucket.s3.localhost",
        "ec2.eu-west-1.amazonaws.com",
        "sts.amazonaws.com",
        "bucket.s3.us-west-2.amazonaws.com",
        "198.18.0.1",
        "box.example",
    ],
)
def test_the_certificate_is_good_for_each_name(tmp_path, name):
    context = tls.server_context(tmp_path / "tls", SystemClock(), extra_names=["198.18.0.1", "box.example"])
    assert told(context, tmp_path / "tls", name)


def test_other_names_are_not_covered(tmp_path):
    context = tls.server_context(tmp_path, SystemClock())
    with pytest.raises(ssl.SSLCertVerificationError):
        told(context, tmp_path, "example.com")


def test_keys_are_their_owners_alone(tmp_path):
    tls.server_context(tmp_path / "tls", SystemClock())
    for name in ("ca.key", "endpoint.key"):
        assert stat.S_IMODE((tmp_path / "tls" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_is_made_once(tmp_path):
    clock = ManualClock()
    tls.server_context(tmp_path, clock)
    before = files(tmp_path)
    tls.server_context(tmp_path, clock)
    assert tls.ca_pem(tmp_path, clock).encode() == before["ca.pem"]
    assert files(tmp_path) == before


def test_the_certificate_is_renewed_under_the_same_authority(tmp_path):
    clock = ManualClock()
    tls.server_context(tmp_path, clock)
    before = files(tmp_path)
    clock.advance(dt.timedelta(days=380).total_seconds())
    tls.server_context(tmp_path, clock)
    assert (tmp_path / "ca.pem").read_bytes() == before["ca.pem"]
    assert (tmp_path / "endpoint.pem").read_bytes() != before["endpoint.pem"]
    clock.advance(dt.timedelta(days=3650).total_seconds())
    tls.server_context(tmp_path, clock)
    assert (tmp_path / "ca.pem").read_bytes() != before["ca.pem"]


def test_a_new_name_is_added(tmp_path):
    context = tls.server_context(tmp_path, SystemClock())
    with pytest.raises(ssl.SSLCertVerificationError):
        told(context, tmp_path, "box.example")
    ca = (tmp_path / "ca.pem").read_bytes()
    context = tls.server_context(tmp_path, SystemClock(), extra_names=["box.example"])
    assert told(context, tmp_path, "box.example")
    assert (tmp_path / "ca.pem").read_bytes() == ca


@pytest.mark.parametrize("name", ["ca.key", "ca.pem", "endpoint.key", "endpoint.pem", "made.json"])
def test_what_a_crash_left_out_is_made_again(tmp_path, name):
    tls.server_context(tmp_path, SystemClock())
    (tmp_path / name).unlink()
    context = tls.server_context(tmp_path, SystemClock())
    assert told(context, tmp_path, "localhost")


def test_a_crash_between_two_files_leaves_no_mixed_pair(tmp_path, monkeypatch):
    """Whichever write is the last one before the end, the next start serves a whole pair."""
    write, count = tls._write, 0

    class Crash(BaseException):
        pass

    for at in range(6):
        folder = tmp_path / str(at)
        count = 0

        def crashing(path: Path, content: bytes, mode: int, at: int = at) -> None:
            nonlocal count
            if count == at:
                raise Crash
            count += 1
            write(path, content, mode)

        monkeypatch.setattr(tls, "_write", crashing)
        with contextlib.suppress(Crash):
            tls.server_context(folder, SystemClock())
        monkeypatch.setattr(tls, "_write", write)
        assert told(tls.server_context(folder, SystemClock()), folder, "localhost")


def test_many_processes_may_start_at_once(tmp_path):
    contexts: list[ssl.SSLContext] = []
    threads = [
        threading.Thread(target=lambda: contexts.append(tls.server_context(tmp_path, SystemClock())))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(told(context, tmp_path, "localhost") for context in contexts)


def secure(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, body=f"{request.scheme} {len(request.body)}".encode())


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request):
    def run_scenario(scenario):
        async def bounded():
            async with asyncio.timeout(20):
                await scenario()

        factory = uvloop.new_event_loop if request.param == "uvloop" else None
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(bounded())

    return run_scenario


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_http_and_https_share_a_port(run, tmp_path, version):
    async def scenario():
        server = await serve(
            listen("127.0.0.1", 0), secure, ssl_context=tls.server_context(tmp_path, SystemClock())
        )
        port = server.ports[0]
        client = ssl.create_default_context(cadata=tls.ca_pem(tmp_path, SystemClock()))
        client.maximum_version = version
        plain_in, plain_out = await asyncio.open_connection("127.0.0.1", port)
        tls_in, tls_out = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client, server_hostname="localhost"
        )
        for reader, writer, word in ((plain_in, plain_out, b"http 0"), (tls_in, tls_out, b"https 0")) * 2:
            writer.write(GET)
            assert (await reader.readuntil(word)).endswith(word)
        body = os.urandom(3_000_000)
        tls_out.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + body)
        assert (await tls_in.readuntil(b"https 3000000")).startswith(b"HTTP/1.1 200")
        stopping = asyncio.create_task(server.stop(5))
        assert await tls_in.read() == b""
        assert await plain_in.read() == b""
        for writer in (plain_out, tls_out):
            writer.close()
        await stopping

    run(scenario)


def test_a_request_tells_what_its_connection_speaks(run, tmp_path):
    async def scenario():
        seen = []

        def note(request):
            seen.append(request.tls)
            return HttpResponse(200, body=b"noted")

        server = await serve(
            listen("127.0.0.1", 0), note, ssl_context=tls.server_context(tmp_path, SystemClock())
        )
        client = ssl.create_default_context(cadata=tls.ca_pem(tmp_path, SystemClock()))
        for more in ({}, {"ssl": client, "server_hostname": "localhost"}):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[0], **more)
            writer.write(GET)
            await reader.readuntil(b"noted")
            told = writer.get_extra_info("cipher")
            writer.close()
        assert seen == [None, (told[1], told[0])]
        await server.stop(5)

    run(scenario)


def test_a_large_answer_over_tls_waits_for_a_slow_reader(run, tmp_path):
    async def scenario():
        async def chunks():
            for _ in range(100):
                yield b"x" * 50_000

        server = await serve(
            listen("127.0.0.1", 0),
            lambda request: HttpResponse(200, [("content-length", "5000000")], stream=chunks()),
            ssl_context=tls.server_context(tmp_path, SystemClock()),
        )
        client = ssl.create_default_context(cadata=tls.ca_pem(tmp_path, SystemClock()))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", server.ports[0], ssl=client, server_hostname="localhost"
        )
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.05)
        assert len(await reader.readexactly(5_000_000)) == 5_000_000
        writer.close()
        await server.stop(2)

    run(scenario)


def test_what_is_no_tls_after_its_first_byte_is_left(run, tmp_path):
    async def scenario():
        server = await serve(
            listen("127.0.0.1", 0),
            secure,
            ssl_context=tls.server_context(tmp_path, SystemClock()),
            limits=Limits(idle_timeout_s=0.2),
        )
        for said in (b"\x16nonsense that is no record at all", b"\x16\x03\x01", b""):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[0])
            writer.write(said)
            with contextlib.suppress(ConnectionResetError):
                await reader.read()  # an alert, or nothing; in any case the end
            writer.close()
        async with asyncio.timeout(5):
            while server.connection_count:
                await asyncio.sleep(0.01)
        await server.stop(1)

    run(scenario)


def test_a_client_that_does_not_trust_us_is_no_trouble(run, tmp_path):
    async def scenario():
        server = await serve(
            listen("127.0.0.1", 0), secure, ssl_context=tls.server_context(tmp_path, SystemClock())
        )
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", server.ports[0], ssl=ssl.create_default_context())
        await server.stop(2)
        assert server.connection_count == 0

    run(scenario)


def test_listen_gives_real_sockets():
    found = listen("127.0.0.1", 0)
    assert found[0].type == socket.SOCK_STREAM
    found[0].close()
