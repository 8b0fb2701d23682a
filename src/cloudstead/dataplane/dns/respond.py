"""From the bytes of a question to the answer. Pure but for the look-up; what is not ours is left to the caller.

RFC 1035, 2308 (negative answers), 6891 (EDNS), 8482 (ANY), 8906 (what to say to odd questions).
"""

from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from cloudstead.dataplane.dns.answers import Answers, Found

#: The largest UDP answer that no path cuts to pieces (dnsflagday.net/2020).
UDP_BYTES_MAX = 1232
_TCP_BYTES_MAX = 65535
_UDP_BYTES_PLAIN = 512
_HEADER_BYTES = 12
_NEGATIVE_TTL_S = 60
_QR = 0x80


@dataclass(frozen=True)
class Reply:
    """An answer, and how large it may be over UDP for who asked."""

    message: dns.message.Message
    udp_bytes_max: int = _UDP_BYTES_PLAIN

    def over_udp(self) -> bytes:
        """One that is too large says so in its TC bit."""
        return self.message.to_wire(max_size=self.udp_bytes_max, prefer_truncation=True)

    def over_tcp(self) -> bytes:
        return self.message.to_wire(max_size=_TCP_BYTES_MAX, prefer_truncation=True, prepend_length=True)


@dataclass(frozen=True)
class NotOurs:
    """A sound question about a name that is in no domain of ours."""

    query: dns.message.QueryMessage

    def refused(self) -> Reply:
        return _refusal(self.query, dns.rcode.REFUSED)

    def answered(self, message: dns.message.Message) -> Reply:
        return Reply(message, _udp_bytes_max(self.query))


def respond(wire: bytes, answers: Answers, view: str | None) -> Reply | NotOurs | None:
    """The answer to a question; None for what is not even one, which gets silence."""
    if len(wire) < _HEADER_BYTES or wire[2] & _QR:
        return None
    try:
        query = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return _format_error(wire)
    if query.opcode() != dns.opcode.QUERY:
        return _refusal(query, dns.rcode.NOTIMP)
    if not isinstance(query, dns.message.QueryMessage) or len(query.question) != 1:
        return _refusal(query, dns.rcode.FORMERR)
    if query.edns > 0:
        return _refusal(query, dns.rcode.BADVERS)
    return _answer(query, answers, view)


def failed(query: dns.message.QueryMessage) -> dns.message.Message:
    """The answer to a question that nobody answered us."""
    answer = _refusal(query, dns.rcode.SERVFAIL).message
    answer.flags |= dns.flags.RA
    return answer


def _answer(query: dns.message.QueryMessage, answers: Answers, view: str | None) -> Reply | NotOurs:
    asked = query.question[0]
    if asked.rdclass != dns.rdataclass.IN:
        return _refusal(query, dns.rcode.REFUSED)
    name = asked.name.to_text(omit_final_dot=True).lower()
    found = answers.lookup(view, name, dns.rdatatype.to_text(asked.rdtype))
    if found is None:
        return NotOurs(query)
    return Reply(_authoritative(query, name, found), _udp_bytes_max(query))


def _udp_bytes_max(query: dns.message.Message) -> int:
    if query.edns < 0:
        return _UDP_BYTES_PLAIN
    return min(max(query.payload, _UDP_BYTES_PLAIN), UDP_BYTES_MAX)


def _authoritative(query: dns.message.QueryMessage, name: str, found: Found) -> dns.message.Message:
    asked = query.question[0]
    answer = dns.message.make_response(query, our_payload=UDP_BYTES_MAX)
    answer.flags |= dns.flags.AA
    apex = name == found.zone
    if apex and asked.rdtype == dns.rdatatype.SOA:
        answer.answer.append(_soa(found.zone))
    elif apex and asked.rdtype == dns.rdatatype.NS:
        answer.answer.append(_rrset(name, _NEGATIVE_TTL_S, "NS", [_server(found.zone)]))
    elif asked.rdtype == dns.rdatatype.ANY and (found.records is not None or apex):
        answer.answer.append(_rrset(name, _NEGATIVE_TTL_S, "HINFO", ['"RFC8482" ""']))
    elif found.records:
        kind = dns.rdatatype.to_text(asked.rdtype)
        answer.answer.append(
            dns.rrset.from_text_list(asked.name, found.ttl_s, "IN", kind, list(found.records))
        )
    else:
        if found.records is None and not apex:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        answer.authority.append(_soa(found.zone))
    return answer


def _soa(zone: str) -> dns.rrset.RRset:
    text = f"{_server(zone)} hostmaster.{zone}. 1 7200 900 1209600 {_NEGATIVE_TTL_S}"
    return _rrset(zone, _NEGATIVE_TTL_S, "SOA", [text])


def _server(zone: str) -> str:
    return f"ns-0.{zone}."


def _rrset(name: str, ttl_s: int, kind: str, records: list[str]) -> dns.rrset.RRset:
    return dns.rrset.from_text_list(f"{name}.", ttl_s, "IN", kind, records)


def _refusal(query: dns.message.Message, code: dns.rcode.Rcode) -> Reply:
    answer = dns.message.make_response(query, our_payload=UDP_BYTES_MAX)
    answer.set_rcode(code)
    return Reply(answer)


def _format_error(wire: bytes) -> Reply:
    """To bytes that cannot be read: the id and opcode they have, and nothing else."""
    answer = dns.message.Message(id=int.from_bytes(wire[:2]))
    answer.flags = dns.flags.Flag.QR
    answer.set_opcode(dns.opcode.Opcode(wire[2] >> 3 & 0xF))
    answer.set_rcode(dns.rcode.FORMERR)
    return Reply(answer)
