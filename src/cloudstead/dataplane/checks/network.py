"""Looks at endpoints over the network of this machine.

Nothing is kept between two looks: each has a connection of its own, as those of AWS have, and closes it without waiting.
"""

import asyncio
import errno
import ipaddress
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable

import msgspec

from cloudstead.core.clock import Clock
from cloudstead.dataplane.checks import tls
from cloudstead.dataplane.checks.driver import (
    ANSWER_WITHIN_S,
    BODY_WITHIN_S,
    CONNECT_TCP_WITHIN_S,
    CONNECT_WITHIN_S,
    Endpoint,
    Latency,
    Outcome,
    Result,
)
from cloudstead.dataplane.checks.response import Malformed, Response

log = logging.getLogger(__name__)

_READ_BYTES = 8 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}
#: An error of a connection that is not among these means that the endpoint is not to be reached.
_RESULTS: dict[int, Result] = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "closed"}

#: An address for a name; None if there is none.
Resolve = Callable[[str], Awaitable[str | None]]


class NetworkProber:
    """The Prober of the real network. All regions look from here."""

    def __init__(self, resolve: Resolve, clock: Clock) -> None:
        self._resolve = resolve
        self._clock = clock

    async def probe(self, endpoint: Endpoint, region: str) -> Outcome:  # noqa: ARG002 - they all look from here
        address = endpoint.address or await self._resolve(endpoint.name)
        if address is None:
            return Outcome(result="unresolved")
        if not _may_be_asked(address):
            return Outcome(result="forbidden", address=address)
        look = _Look(endpoint, address, self._clock)
        try:
            result = await look.take(sni=endpoint.sni and bool(endpoint.name))
        finally:
            look.close()
        return Outcome(
            result=result,
            status=look.status,
            address=address,
            source=look.source,
            detail=look.detail,
            latency=look.latency,
        )


class _Stranger(Exception):
    """The certificate is for others."""


class _Look:
    """One look, from the connection to as much of the answer as counts."""

    def __init__(self, endpoint: Endpoint, address: str, clock: Clock) -> None:
        self._endpoint = endpoint
        self._address = address
        self._clock = clock
        self._writer: asyncio.StreamWriter | None = None
        self.status = 0
        self.source = ""
        self.detail = ""
        self.latency = Latency()

    async def take(self, *, sni: bool) -> Result:
        try:
            return await self._take(sni=sni)
        except _Stranger:
            self.close()
            return await self.take(sni=False)
        except ssl.SSLError as e:
            self.detail = tls.alert(e)
            return "tls"
        except (ConnectionError, EOFError):
            return "closed"
        except Malformed:
            return "malformed"
        except TimeoutError:
            return "slow"
        except OSError as e:
            log.debug("%s: %s: %s", self._endpoint.check, self._address, e)
            return "closed"

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()

    async def _take(self, *, sni: bool) -> Result:
        tcp = self._endpoint.protocol == "tcp"
        try:
            async with asyncio.timeout(CONNECT_TCP_WITHIN_S if tcp else CONNECT_WITHIN_S):
                reader, writer = await self._connect()
        except TimeoutError:
            return self._unconnected("unreachable")
        except OSError as e:
            return self._unconnected(_RESULTS.get(e.errno or 0, "unreachable"))
        self._writer = writer
        self.source = str(writer.get_extra_info("sockname")[0])
        if tcp:
            return "answered"
        async with asyncio.timeout(ANSWER_WITHIN_S):
            if self._endpoint.protocol == "https":
                await self._shake_hands(writer, sni=sni)
            response = await self._ask(reader, writer)
        self.status = response.status
        return await self._search(reader, response)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        started_s = self._clock.monotonic()
        made = await asyncio.open_connection(self._address, self._endpoint.port, limit=_READ_BYTES)
        self.latency = Latency(connect_ms=self._since_ms(started_s))
        return made

    async def _shake_hands(self, writer: asyncio.StreamWriter, *, sni: bool) -> None:
        started_s, name = self._clock.monotonic(), self._endpoint.name.rstrip(".")
        await writer.start_tls(tls.context(), server_hostname=name if sni else None)
        self.latency = msgspec.structs.replace(self.latency, handshake_ms=self._since_ms(started_s))
        if sni and not tls.is_for(writer.get_extra_info("ssl_object").getpeercert(binary_form=True), name):
            raise _Stranger

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Response:
        """Until the headers have come whole."""
        started_s, response = self._clock.monotonic(), Response()
        writer.write(request_of(self._endpoint))
        while not response.status:
            data = await reader.read(_READ_BYTES)
            if self.latency.first_byte_ms is None and data:
                self.latency = msgspec.structs.replace(self.latency, first_byte_ms=self._since_ms(started_s))
            if not data:
                raise EOFError
            response.feed(data)
        return response

    async def _search(self, reader: asyncio.StreamReader, response: Response) -> Result:
        """Until the string has been found or can no longer be."""
        wanted = self._endpoint.search.encode()
        if not wanted or not is_good(response.status):
            return "answered"
        async with asyncio.timeout(BODY_WITHIN_S):
            while wanted not in response.body and not response.ended:
                data = await reader.read(_READ_BYTES)
                if not data:
                    break
                response.feed(data)
        return "answered" if wanted in response.body else "unmatched"

    def _unconnected(self, result: Result) -> Result:
        self.source = _source_towards(self._address, self._endpoint.port)
        return result

    def _since_ms(self, started_s: float) -> float:
        return (self._clock.monotonic() - started_s) * 1000


def request_of(endpoint: Endpoint) -> bytes:
    path = endpoint.path if endpoint.path.startswith("/") else f"/{endpoint.path}"
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {_host(endpoint)}",
        "Connection: close",
        f"User-Agent: Amazon-Route53-Health-Check-Service (ref {endpoint.check}; report http://amzn.to/1vsZADi)",
        "Accept: */*",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def is_good(status: int) -> bool:
    """Redirections count, and nobody follows them."""
    return 200 <= status < 400


def _host(endpoint: Endpoint) -> str:
    host = endpoint.name or (f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address)
    usual = endpoint.port == _DEFAULT_PORTS.get(endpoint.protocol)
    return host if usual else f"{host}:{endpoint.port}"


def _may_be_asked(address: str) -> bool:
    """Not what belongs to one link alone, where a machine's own secrets may be told, nor what is nobody's."""
    ip = ipaddress.ip_address(address)
    return not (ip.is_link_local or ip.is_multicast or ip.is_unspecified or address == "255.255.255.255")


def _source_towards(address: str, port: int) -> str:
    """The address that we would have had. Nothing is sent: a datagram's socket is connected by looking at routes."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        try:
            one.connect((address, port))
        except OSError:
            return ""
        return str(one.getsockname()[0])
