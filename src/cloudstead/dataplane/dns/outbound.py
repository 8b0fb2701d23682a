"""Questions that a rule sends to name servers of somebody's own, through an outbound endpoint.

Each is asked by a socket of its own, opened in the endpoint's network at one of the endpoint's addresses: routes,
security groups and NAT gateways of that network decide whether it arrives. Targets are tried in turn, twice.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Literal

import dns.exception
import dns.flags
import dns.message

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.dns.forward import question_of, relayed
from cloudstead.dataplane.dns.respond import failed
from cloudstead.dataplane.dns.zones import Origin, Rule, Target

log = logging.getLogger(__name__)

_TRY_TIMEOUT_S = 2.0
_TRIES = 2
_PENDING_MAX = 256
_WIRE_MAX = 65535

#: Opens a socket ("udp" or "tcp") in the network of this id, bound to this address, to ask with.
OpenSocket = Callable[[str, Literal["udp", "tcp"], str], socket.socket]


class Outbound:
    """So many questions at once and no more: the rest fail at once."""

    def __init__(self, open_socket: OpenSocket, *, try_timeout_s: float = _TRY_TIMEOUT_S) -> None:
        self._open = open_socket
        self._try_timeout_s = try_timeout_s
        self._pending = 0

    def by(self, rule: Rule) -> "_ByRule":
        """Who asks by a rule."""
        return _ByRule(self, rule)

    async def ask(self, query: dns.message.QueryMessage, rule: Rule) -> dns.message.Message:
        """The answer of one of the rule's targets, or one that says SERVFAIL. Never raises."""
        if self._pending >= _PENDING_MAX:
            return failed(query)
        self._pending += 1
        try:
            return await self._ask(query, rule)
        finally:
            self._pending -= 1

    async def _ask(self, query: dns.message.QueryMessage, rule: Rule) -> dns.message.Message:
        for origin, target in _ways(rule):
            ours = question_of(query)
            try:
                async with asyncio.timeout(self._try_timeout_s):
                    answer = await self._over_udp(ours, origin, target)
                    if answer.flags & dns.flags.TC:
                        answer = await self._over_tcp(ours, origin, target)
            except (dns.exception.DNSException, DriverError, OSError, EOFError, ValueError) as e:
                asked = query.question[0].name
                log.debug("%s: %s port %d: %r", asked, target.address, target.port, e)
            else:
                return relayed(query, answer)
        return failed(query)

    async def _over_udp(
        self, query: dns.message.QueryMessage, origin: Origin, target: Target
    ) -> dns.message.Message:
        loop = asyncio.get_running_loop()
        with closing(self._open(origin.network, "udp", origin.address)) as sock:
            sock.connect((target.address, target.port))
            await loop.sock_sendall(sock, query.to_wire())
            while True:
                answer = _read(await loop.sock_recv(sock, _WIRE_MAX))
                if answer is not None and query.is_response(answer):
                    return answer

    async def _over_tcp(
        self, query: dns.message.QueryMessage, origin: Origin, target: Target
    ) -> dns.message.Message:
        loop = asyncio.get_running_loop()
        with closing(self._open(origin.network, "tcp", origin.address)) as sock:
            await loop.sock_connect(sock, (target.address, target.port))
            await loop.sock_sendall(sock, query.to_wire(prepend_length=True))
            length = int.from_bytes(await _exactly(sock, 2))
            answer = dns.message.from_wire(await _exactly(sock, length))
            if not query.is_response(answer):
                raise EOFError(f"{target.address} answered another question")
            return answer


class _ByRule:
    def __init__(self, outbound: Outbound, rule: Rule) -> None:
        self._outbound = outbound
        self._rule = rule

    async def ask(self, query: dns.message.QueryMessage) -> dns.message.Message:
        return await self._outbound.ask(query, self._rule)


def _ways(rule: Rule) -> Iterator[tuple[Origin, Target]]:
    """Each target, from an address of its kind, as often as it is tried."""
    for turn in range(_TRIES):
        for number, target in enumerate(rule.targets):
            origins = [one for one in rule.origins if (":" in one.address) == (":" in target.address)]
            if origins:
                yield origins[(number + turn) % len(origins)], target


def _read(wire: bytes) -> dns.message.Message | None:
    """What arrived, if it is a message: anybody may send anything to a socket of ours."""
    try:
        return dns.message.from_wire(wire, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        return None


async def _exactly(sock: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    found = b""
    while len(found) < count:
        more = await loop.sock_recv(sock, count - len(found))
        if not more:
            raise EOFError("the connection ended within an answer")
        found += more
    return found
