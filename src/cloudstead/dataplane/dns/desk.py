"""Who answers in one view: its zones first, then names that follow from rows, then resolvers upstream.

A private zone hides what EC2 would say of the same name, as on AWS. A chain that leads out of the zones is followed in
a network, where we are the resolver; outside, whoever asks follows it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.name
import dns.rdatatype

from cloudstead.dataplane.dns.answers import Answers
from cloudstead.dataplane.dns.evaluate import Answer
from cloudstead.dataplane.dns.fast import FastResponder
from cloudstead.dataplane.dns.forward import Forwarder
from cloudstead.dataplane.dns.limits import Limits
from cloudstead.dataplane.dns.respond import NotOurs, Reply, respond
from cloudstead.dataplane.dns.responder import Elsewhere, Responder, reply_of
from cloudstead.dataplane.dns.wire import Question

Quick = Callable[[bytes, Callable[[], str]], bytes | None]


@dataclass(frozen=True, slots=True)
class _Chain:
    """What our zones said before the chain led out of them."""

    question: Question
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
    _forwarder: Forwarder
    _chain: _Chain | None

    async def reply(self) -> Reply:
        answered = await self._forwarder.ask(self._asked.query)
        return self._chain.joined(answered) if self._chain is not None else self._asked.answered(answered)


class Desk:
    def __init__(
        self,
        answers: Answers,
        view: str | None,
        *,
        forwarder: Forwarder | None = None,
        zones: Responder | None = None,
        limits: Limits | None = None,
    ) -> None:
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
        return self._zones.quick if self._serving and self._limits is None else _unknown

    def over_udp(self, message: bytes, peer: Callable[[], str]) -> bytes | Later | None:
        """The answer, or who has it; None for silence."""
        said = self._over_udp(message, peer)
        if self._limits is not None and isinstance(said, bytes):
            return self._limits.passed(message, said, peer())
        return said

    def _over_udp(self, message: bytes, peer: Callable[[], str]) -> bytes | Later | None:
        if not self._serving:
            return None
        said = self._zones.answer(message, peer) if self._zones is not None else None
        if isinstance(said, bytes):
            return said
        outcome = self._beyond(message, said) if said is not None or self._zones is None else None
        return outcome.over_udp() if isinstance(outcome, Reply) else outcome

    def over_tcp(self, message: bytes, peer: Callable[[], str]) -> bytes | Later | None:
        """The same with its length in front."""
        if not self._serving:
            return None
        said = self._zones.answer(message, peer, tcp=True) if self._zones is not None else None
        if isinstance(said, bytes):
            return len(said).to_bytes(2) + said
        outcome = self._beyond(message, said) if said is not None or self._zones is None else None
        return outcome.over_tcp() if isinstance(outcome, Reply) else outcome

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


def _onward(question: Question, begun: Answer) -> bytes:
    name = dns.name.from_wire(begun.onward or b"\0", 0)[0]
    return dns.message.make_query(name, dns.rdatatype.RdataType.make(question.type)).to_wire()
