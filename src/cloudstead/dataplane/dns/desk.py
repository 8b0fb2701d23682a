"""Who answers in one view: its zones first, then names that follow from rows, then resolvers upstream.

A network's firewall goes before all of them, and its forwarding rules before what is less specific. A private zone
hides what EC2 would say of the same name, as on AWS. A chain that leads out of the zones is followed in a network, where
we are the resolver; outside, whoever asks follows it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype

from cloudstead.dataplane.dns import wire
from cloudstead.dataplane.dns.answers import Answers
from cloudstead.dataplane.dns.compiled import IN, type_text
from cloudstead.dataplane.dns.evaluate import Answer
from cloudstead.dataplane.dns.fast import FastResponder
from cloudstead.dataplane.dns.forward import Asker
from cloudstead.dataplane.dns.guard import Guard, blocked
from cloudstead.dataplane.dns.limits import Limits
from cloudstead.dataplane.dns.query_log import QueryNotes
from cloudstead.dataplane.dns.respond import NotOurs, Reply, respond
from cloudstead.dataplane.dns.responder import Elsewhere, Responder, reply_of
from cloudstead.dataplane.dns.wirenames import to_text, to_wire
from cloudstead.dataplane.dns.zones import Rule

#: Who asks the targets of a rule, with sockets where an outbound endpoint has its addresses.
Outbound = Callable[[Rule], Asker]
_NO_QUERY = 0xF8
Quick = Callable[[bytes, Callable[[], str]], bytes | None]


@dataclass(frozen=True, slots=True)
class _Chain:
    """What our zones said before the chain led out of them."""

    question: wire.Question
    begun: Answer

    def joined(self, rest: dns.message.Message) -> Reply:
        """The whole chain: ours, then theirs."""
        message = dns.message.from_wire(reply_of(self.question, self.begun).over_tcp()[2:])
        message.answer.extend(rest.answer)
        message.authority = rest.authority
        message.set_rcode(rest.rcode() & 0xF)  # type: ignore[arg-type]  # an extended code is between them and us
        message.flags = message.flags & ~dns.flags.AA | dns.flags.RA
        return Reply(message, self.question.udp_bytes_max)


@dataclass(frozen=True, slots=True)
class Later:
    """A question that somebody else must be asked about."""

    _asked: NotOurs
    _forwarder: Asker
    _chain: _Chain | None
    _note: Callable[[bytes], None] | None = None

    async def reply(self) -> Reply:
        answered = await self._forwarder.ask(self._asked.query)
        reply = self._chain.joined(answered) if self._chain is not None else self._asked.answered(answered)
        if self._note is not None:
            self._note(reply.over_tcp()[2:])
        return reply


class Desk:
    def __init__(
        self,
        answers: Answers,
        view: str | None,
        *,
        forwarder: Asker | None = None,
        zones: Responder | None = None,
        limits: Limits | None = None,
        outbound: Outbound | None = None,
        notes: QueryNotes | None = None,
    ) -> None:
        self._notes = notes
        self._noting = False
        self._outbound = outbound
        self._image = zones.image if zones is not None else None
        self._guard: Guard | None = None
        self._limits = limits
        self._answers = answers
        self._view = view
        self._forwarder = forwarder
        self._zones = FastResponder(zones, view) if zones is not None else None
        self._serving = True

    def refresh(self) -> Quick:
        """Look at what may have changed. Called before questions are answered; gives who knows some answers at once."""
        self._serving = self._answers.serves(self._view)
        if self._zones is None:
            return _unknown
        self._zones.refresh()
        self._refresh_guard()
        freely = self._serving and self._limits is None and self._guard is None and not self._noting
        return self._zones.quick if freely else _unknown

    def _refresh_guard(self) -> None:
        """A network without firewall and rules has no guard, and its questions take the quick way."""
        network = self._image.networks.get(self._view or "") if self._image is not None else None
        self._noting = self._notes is not None and network is not None and network.logged
        if network is None or not (network.rules or network.firewall):
            self._guard = None
        elif self._guard is None or self._guard.network is not network:
            self._guard = Guard(network)

    def over_udp(self, message: bytes, peer: Callable[[], str]) -> bytes | Later | None:
        """The answer, or who has it; None for silence."""
        said = self._over_udp(message, peer)
        if self._noting:
            said = self._noted(said, peer, "UDP")
        if self._limits is not None and isinstance(said, bytes):
            return self._limits.passed(message, said, peer())
        return said

    def _over_udp(self, message: bytes, peer: Callable[[], str]) -> bytes | Later | None:
        said = self._say(message, peer, tcp=False)
        return said.over_udp() if isinstance(said, (Reply, wire.Reply)) else said

    def over_tcp(self, message: bytes, peer: Callable[[], str]) -> bytes | Later | None:
        """The same with its length in front."""
        said = self._say(message, peer, tcp=True)
        if isinstance(said, bytes):
            said = len(said).to_bytes(2) + said
        elif isinstance(said, (Reply, wire.Reply)):
            said = said.over_tcp()
        return self._noted(said, peer, "TCP") if self._noting else said

    def _noted(
        self, said: bytes | Later | None, peer: Callable[[], str], transport: str
    ) -> bytes | Later | None:
        """The same, told to the query log; now, or when it is answered."""
        assert self._notes is not None
        note = partial(self._notes.note, self._view or "", peer(), transport)
        if isinstance(said, Later):
            return replace(said, _note=note)
        if said is not None:
            note(said[2:] if transport == "TCP" else said)
        return said

    def _say(
        self, message: bytes, peer: Callable[[], str], *, tcp: bool
    ) -> bytes | Reply | wire.Reply | Later | None:
        if not self._serving:
            return None
        guarded = self._guarded(message, self._guard) if self._guard is not None else None
        if guarded is not None:
            return guarded
        if self._zones is None:
            return self._beyond(message, None)
        said = self._zones.answer(message, peer, tcp=tcp)
        return self._beyond(message, said) if isinstance(said, Elsewhere) else said

    def _guarded(self, message: bytes, guard: Guard) -> wire.Reply | Later | None:
        """What the firewall says, or whom a rule sends the question to; None if it goes its usual way."""
        try:
            question = wire.read(message)
            query = dns.message.from_wire(message)
        except (wire.Unreadable, dns.exception.DNSException, ValueError):
            return None
        if not isinstance(query, dns.message.QueryMessage) or message[2] & _NO_QUERY or question.klass != IN:
            return None
        rule = guard.firewall(question)
        if rule is not None and rule.action == "BLOCK":
            return blocked(question, rule)
        found = guard.rule(question.name)
        if found is None or self._outbound is None or self._is_closer(question, found[0]):
            return None
        return Later(NotOurs(query), self._outbound(found[1]), None)

    def _is_closer(self, question: wire.Question, domain: bytes) -> bool:
        """Whether a private zone, or a domain of computed names, is more specific than a rule's domain."""
        assert self._image is not None
        zone = self._image.private_zone_of(self._view, question.name)
        if zone is not None and len(zone.apex) > len(domain):
            return True
        found = self._answers.lookup(self._view, to_text(question.name), type_text(question.type))
        return found is not None and len(to_wire(found.zone)) > len(domain)

    def _beyond(self, message: bytes, said: Elsewhere | None) -> Reply | Later | None:
        """What is said beyond our zones of a question, or of the name that a chain of ours ends with."""
        chain = None
        if said is not None and said.begun is not None:
            chain = _Chain(said.question, said.begun)
            message = _onward(said.question, said.begun)
        outcome = respond(message, self._answers, self._view)
        if isinstance(outcome, NotOurs) and self._forwarder is not None:
            return Later(outcome, self._forwarder, chain)
        if isinstance(outcome, NotOurs):
            outcome = outcome.refused()
        return chain.joined(outcome.message) if chain is not None and outcome is not None else outcome


def _unknown(_message: bytes, _peer: Callable[[], str]) -> None:
    """What is known at once where there are no zones, or silence."""


def _onward(question: wire.Question, begun: Answer) -> bytes:
    name = dns.name.from_wire(begun.onward or b"\0", 0)[0]
    return dns.message.make_query(name, dns.rdatatype.RdataType.make(question.type)).to_wire()
