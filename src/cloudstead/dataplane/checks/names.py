"""The address behind a name, asked for each time: our own name server first, then whoever knows the rest of the world."""

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
from dns.exception import DNSException

from cloudstead.dataplane.dns.forward import Asker

_CHAIN_MAX = 8
_LOOPBACK = "127.0.0.1"


class Names:
    """IPv4 alone, as health checks by name use on AWS."""

    def __init__(self, ours: Asker | None, others: Asker) -> None:
        """`ours` refuses names that are not the cloud's."""
        self._ours = ours
        self._others = others

    async def address(self, name: str) -> str | None:
        """One of the name's addresses; None if it has none, or nobody can tell."""
        if name.rstrip(".").lower().rpartition(".")[2] == "localhost":
            return _LOOPBACK  # RFC 6761, 6.3
        try:
            wanted = dns.name.from_text(name)
        except DNSException:
            return None
        for _ in range(_CHAIN_MAX):
            answer = await self._ask(wanted)
            address, end = _followed(answer, wanted)
            if address is not None or end == wanted:
                return address
            wanted = end  # the chain leads out of what the one asked knows
        return None

    async def _ask(self, name: dns.name.Name) -> dns.message.Message:
        query = dns.message.make_query(name, dns.rdatatype.A, use_edns=0)
        if self._ours is not None:
            answer = await self._ours.ask(query)
            if answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return answer
        return await self._others.ask(query)


def _followed(answer: dns.message.Message, name: dns.name.Name) -> tuple[str | None, dns.name.Name]:
    """The address at the end of the chain of CNAMEs, and the name there."""
    for _ in range(_CHAIN_MAX):
        of_name = {found.rdtype: found[0] for found in answer.answer if found.name == name and len(found)}
        if dns.rdatatype.A in of_name:
            return str(of_name[dns.rdatatype.A].address), name
        if dns.rdatatype.CNAME not in of_name:
            break
        name = of_name[dns.rdatatype.CNAME].target
    return None, name
