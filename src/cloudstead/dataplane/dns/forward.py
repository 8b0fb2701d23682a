"""Questions that are not ours, put to the resolvers of this machine."""

import ipaddress
import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message

from cloudstead.dataplane.dns.respond import UDP_BYTES_MAX, failed

log = logging.getLogger(__name__)

_PORT = 53
_TRY_TIMEOUT_S = 2.0
_TRIES = 2
_PENDING_MAX = 256


class Asker(Protocol):
    """Who answers what is not known here. Never raises."""

    async def ask(self, query: dns.message.QueryMessage) -> dns.message.Message: ...


class Forwarder:
    """Asks upstream resolvers in turn. So many questions at once and no more: the rest fail at once."""

    def __init__(
        self, upstreams: Sequence[tuple[str, int]], *, try_timeout_s: float = _TRY_TIMEOUT_S
    ) -> None:
        """Addresses and ports; without any, every question fails."""
        self._upstreams = tuple(upstreams)
        self._try_timeout_s = try_timeout_s
        self._pending = 0

    async def ask(self, query: dns.message.QueryMessage) -> dns.message.Message:
        """The answer from upstream, or one that says SERVFAIL. Never raises."""
        if self._pending >= _PENDING_MAX:
            return failed(query)
        self._pending += 1
        try:
            return await self._ask(query)
        finally:
            self._pending -= 1

    async def _ask(self, query: dns.message.QueryMessage) -> dns.message.Message:
        asked, ours = query.question[0], question_of(query)
        for host, port in self._upstreams * _TRIES:
            try:
                answer, _ = await dns.asyncquery.udp_with_fallback(
                    ours, host, timeout=self._try_timeout_s, port=port, ignore_unexpected=True
                )
            except (dns.exception.DNSException, OSError, EOFError) as e:
                log.debug("%s: %s port %d: %r", asked.name, host, port, e)
            else:
                return relayed(query, answer)
        return failed(query)


def host_upstreams(
    resolv_conf: Path = Path("/etc/resolv.conf"), *, excluding: Collection[str] = ()
) -> list[tuple[str, int]]:
    """This machine's own resolvers, without the addresses where we listen ourselves."""
    try:
        lines = resolv_conf.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    named = [line[1] for line in words if len(line) > 1 and line[0] == "nameserver"]
    return [(host, _PORT) for host in named if _is_address(host) and host not in excluding]


def question_of(query: dns.message.QueryMessage) -> dns.message.QueryMessage:
    """The same question as ours. Not the query itself: its id and options are between the guest and us."""
    asked = query.question[0]
    return dns.message.make_query(
        asked.name,
        asked.rdtype,
        asked.rdclass,
        use_edns=0,
        payload=UDP_BYTES_MAX,
        want_dnssec=_wants_dnssec(query),
    )


def relayed(query: dns.message.QueryMessage, theirs: dns.message.Message) -> dns.message.Message:
    """The upstream's answer as ours to this question: not authoritative, and with our own EDNS."""
    answer = dns.message.make_response(query, recursion_available=True, our_payload=UDP_BYTES_MAX)
    answer.set_rcode(theirs.rcode() & 0xF)  # type: ignore[arg-type]  # an extended code is between them and us
    answer.flags |= theirs.flags & dns.flags.AD
    answer.answer, answer.authority = theirs.answer, theirs.authority
    answer.additional = theirs.additional
    return answer


def _wants_dnssec(query: dns.message.QueryMessage) -> bool:
    return bool(query.ednsflags & dns.flags.DO)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
