"""Endpoints on the loopback that behave as they are told, and a loop whose time can be moved on."""

import asyncio
import contextlib
import datetime as dt
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Hasty(asyncio.SelectorEventLoop):
    """Its time is the world's and what was added to it."""

    ahead_s = 0.0

    def time(self):
        return super().time() + self.ahead_s

    def advance(self, seconds):
        self.ahead_s += seconds


def run(coroutine):
    """On a loop that `asyncio.get_running_loop().advance` moves on."""
    with asyncio.Runner(loop_factory=Hasty) as runner:
        return runner.run(coroutine)


async def settled(condition, *, within_s=10.0):
    """Wait until it is true, by the world's time."""
    deadline_s = asyncio.SelectorEventLoop.time(asyncio.get_running_loop()) + within_s
    while not condition():
        assert asyncio.SelectorEventLoop.time(asyncio.get_running_loop()) < deadline_s, "it never came true"
        await asyncio.sleep(0)


def answer(status="200 OK", body=b"ok", headers=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + body


class Server:
    """Keeps what it was sent, and sends what it was given: bytes, or pieces. `stays` leaves the connection open."""

    def __init__(self, *pieces, stays=False):
        self.pieces, self.stays = pieces, stays
        self.requests = []
        self.connections = 0
        self.asked = asyncio.Event()

    async def _serve(self, reader, writer):
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            self.asked.set()
            for piece in self.pieces:
                writer.write(piece)
                await writer.drain()
            if self.stays:
                await reader.read()
        writer.close()

    def at(self, host="127.0.0.1", tls=None):
        return listening(self._serve, host, tls)


@contextlib.asynccontextmanager
async def listening(serve, host="127.0.0.1", tls=None):
    """The port at which connections are served until the end of the block, when they are cut."""
    tasks, writers = set(), []

    async def one(reader, writer):
        tasks.add(asyncio.current_task())
        writers.append(writer)
        with contextlib.suppress(ConnectionError):
            await serve(reader, writer)

    server = await asyncio.start_server(one, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            with contextlib.suppress(AttributeError):  # of one that is closed: Python 3.11.2
                writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def certificate(folder, *names):
    """A server's context with a throwaway certificate for these names, which nobody vouches for and which is over."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    day = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{names[0]}.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
