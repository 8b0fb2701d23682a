"""What a name server says to a message about the zones of its image. No sockets, no waiting.

A message leads to bytes, to silence, or on to whoever else may know (`Elsewhere`): a forwarder, or nobody.
"""

from dataclasses import dataclass
from random import Random
from typing import Protocol

from cloudstead.dataplane.dns import wire
from cloudstead.dataplane.dns.blocks import Asker
from cloudstead.dataplane.dns.compiled import ANY, IN, OPT
from cloudstead.dataplane.dns.evaluate import BADVERS, REFUSED, Answer, Circumstances, resolve
from cloudstead.dataplane.dns.health import Health
from cloudstead.dataplane.dns.image import Image, ZoneImage

_HEADER_BYTES = 12
_QR = 0x80
_QUERY = 0
#: From here to ANY stand types that ask for a transfer or for what no record is (RFC 6895).
_META = 128


class QueryLog(Protocol):
    """Where questions about zones with a query log are told. Called between two packets; quick, and never raises."""

    def note(
        self, zone: ZoneImage, question: wire.Question, code: int, asker: Asker, transport: str
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A sound question that no zone answers, or a chain of ours that leads out of them."""

    question: wire.Question
    begun: Answer | None = None

    def refused(self) -> wire.Reply:
        """What is said without anybody to ask: the chain as far as it goes, or that this is not ours."""
        if self.begun is None:
            return wire.Reply(self.question, REFUSED)
        return reply_of(self.question, self.begun)


@dataclass(frozen=True, slots=True)
class Said:
    reply: wire.Reply
    #: Whether these bytes are right for whoever asks the same, until the image changes or health does.
    for_everybody: bool = False
    until_health_moves: bool = False


class Responder:
    """Answers for one view of an image."""

    def __init__(
        self,
        image: Image,
        health: Health,
        *,
        view: str | None = None,
        random: Random,
        log: QueryLog | None = None,
    ) -> None:
        self.image = image
        self.health = health
        self._view = view
        self.random = random
        self._log = log

    def around(self, asker: Asker) -> Circumstances:
        return Circumstances(asker, self.health.of, self.random)

    def respond(self, message: bytes, peer: str, transport: str = "UDP") -> Said | Elsewhere | bytes | None:
        """None for what is not even a question, which gets silence; bytes for what cannot be read."""
        if len(message) < _HEADER_BYTES or message[2] & _QR:
            return None
        if message[2] >> 3 & 0xF != _QUERY:
            return wire.not_implemented(message)
        try:
            question = wire.read(message)
        except wire.Unreadable:
            return wire.format_error(message)
        if question.edns is not None and question.edns.version > 0:
            return Said(wire.Reply(question, BADVERS))
        if question.klass != IN or _META <= question.type < ANY or question.type == OPT:
            return Said(wire.Reply(question, REFUSED))
        return self._answer(question, peer, transport)

    def _answer(self, question: wire.Question, peer: str, transport: str) -> Said | Elsewhere:
        told = question.edns.asker() if question.edns is not None else None
        asker = told or Asker.at(peer)
        around = self.around(asker)
        answer = resolve(self.image, self._view, question.name, question.type, around)
        if answer is None:
            return Elsewhere(question)
        zone = answer.zone
        if zone.zone.logged and self._log is not None:
            self._log.note(zone, question, answer.code, asker, transport)
        if answer.onward is not None and self._view is not None:
            return Elsewhere(question, answer)
        use = answer.use
        return Said(
            reply_of(question, answer),
            for_everybody=not (use.client or use.chance or zone.zone.logged),
            until_health_moves=use.health,
        )


def reply_of(question: wire.Question, answer: Answer) -> wire.Reply:
    subnet = question.edns.subnet if question.edns is not None else None
    return wire.Reply(
        question,
        answer.code,
        flags=wire.AA if answer.authoritative else 0,
        answer=tuple(answer.answer),
        authority=tuple(answer.authority),
        additional=tuple(answer.additional),
        scope=subnet[1] if subnet is not None and answer.use.client else 0,
    )
