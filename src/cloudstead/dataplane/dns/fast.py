"""Answers whose bytes are known already: put together from what was asked and what was said before.

Nothing is decided here. `Responder` says what an answer is and whether it is right for everybody; then its bytes behind
the question are kept until the image changes, or health does if it depended on that. Where only a policy's choice
differs from one question to the next, the choice is made anew and the bytes of each outcome are kept. A name that is
not there costs a walk up its labels and no memory, so a flood of invented names displaces nothing.

What is not a plain question (other flags, options but a client subnet, odd lengths) is left to the slow way.
"""

import struct
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate

from cloudstead.dataplane.dns.blocks import Asker
from cloudstead.dataplane.dns.compiled import SOA, Leaf
from cloudstead.dataplane.dns.evaluate import NOERROR, NXDOMAIN, negative_soa
from cloudstead.dataplane.dns.image import ZoneImage
from cloudstead.dataplane.dns.policies import BY_PLACE, Chooser, Use, type_of, weights
from cloudstead.dataplane.dns.responder import Elsewhere, Responder, Said
from cloudstead.dataplane.dns.wire import (
    AA,
    QR,
    RD,
    TCP_BYTES_MAX,
    UDP_BYTES_MAX,
    UDP_BYTES_PLAIN,
    Reply,
    Unreadable,
    asker_of,
    read_subnet,
)
from cloudstead.dataplane.dns.wirenames import is_name, parent, wildcard_of
from cloudstead.dataplane.dns.zones import Place, Weighted

_KEPT_MAX = 200_000
_OUTCOMES_MAX = 1000
_QUESTION_AT = 12
_TYPE_AND_CLASS = 4
_CLASS_IN = b"\x00\x01"
_POINTER_TO_NAME = b"\xc0\x0c"
_ANY_TYPE = b"\x00\xff"

#: Flags and counts of a plain question, by whether recursion is desired and whether one additional record follows.
#: AD means "I understand it" and is not repeated by who does not validate.
_PLAIN = {
    bytes((recursion, ad)) + b"\0\1\0\0\0\0\0" + bytes((more,)): recursion * 2 + more
    for recursion in (0, 1)
    for ad in (0, 0x20)
    for more in (0, 1)
}
_OPT = b"\0\0\x29"
_OPT_ANSWERED = _OPT + UDP_BYTES_MAX.to_bytes(2)
_NO_OPT = UDP_BYTES_PLAIN, b"", None
#: Of an OPT: where its extended code, version and flags stand, and what these are if only DO may be set.
_FLAGS_AT = 5
_PLAIN_FLAGS = (b"\0\0\0\0", b"\0\0\x80\0")
_PLAIN_ENDS = tuple(flags + b"\0\0" for flags in _PLAIN_FLAGS)
_ECS = b"\0\x08"
#: Where the scope stands in an OPT whose only option is a client subnet.
_SCOPE_AT = 18
_POINTER = 0xC000
_META = b"\0\x80"

#: Four heads, for each kind of `_PLAIN`, and what follows the question.
_Kept = tuple[bytes, bytes, bytes, bytes, bytes]


class _Choice:
    """A name whose answer is one of several: the sets, and the bytes of each outcome met so far.

    Until health moves, weighted sets are drawn from one table, and a place always gets the same of what goes by place.
    Neither holds for aliases: what these lead to may depend on anything.
    """

    __slots__ = ("by_place", "drawn", "health", "kept", "leaves", "settled", "type", "weighted")

    def __init__(self, leaves: Sequence[Leaf], type: int) -> None:
        self.leaves = leaves
        self.type = type
        plain = all(leaf.target is None for leaf in leaves)
        self.by_place = plain and type_of(leaves) in BY_PLACE
        self.weighted = plain and type_of(leaves) is Weighted
        self.kept: dict[tuple[int, tuple[bytes, ...]], _Kept] = {}
        self.forget(-1)

    def forget(self, health: int) -> None:
        self.health = health
        self.drawn: tuple[list[_Kept], list[int]] | None = None
        self.settled: dict[int, _Kept] = {}

    def outcome(self, found: tuple[int, tuple[bytes, ...]]) -> _Kept:
        kept = self.kept.get(found)
        if kept is None:
            if len(self.kept) >= _OUTCOMES_MAX:
                self.kept.clear()
            ttl_s, values = found
            behind = _records(self.type, ttl_s, values)
            kept = self.kept[found] = _keep(AA, (len(values), 0, 0), behind)
        return kept

    def draw_from(self, tier: Sequence[Leaf]) -> None:
        self.drawn = (
            [self.outcome((leaf.ttl_s, leaf.values)) for leaf in tier],
            list(accumulate(weights(tier))),
        )


class FastResponder:
    """A responder's answers as bytes."""

    def __init__(self, responder: Responder, view: str | None = None) -> None:
        self._responder = responder
        self._image = responder.image
        self._health = responder.health
        self._random = responder.random
        self._view = view
        self._kept: dict[bytes, _Kept | _Choice] = {}
        self._by_health: dict[bytes, _Kept] = {}
        self._denials: dict[tuple[str, int], _Kept] = {}
        self._generation = -1
        self._health_generation = -1

    def refresh(self) -> None:
        """Forget what may be wrong by now. Called before each batch of questions."""
        if self._generation != self._image.generation:
            self._generation = self._image.generation
            self._kept.clear()
            self._by_health.clear()
            self._denials.clear()
        if self._health_generation != self._health.generation:
            self._health_generation = self._health.generation
            self._by_health.clear()

    def answer(
        self, message: bytes, peer: Callable[[], str], *, tcp: bool = False
    ) -> bytes | Elsewhere | None:
        """The answer; None for silence. `peer` is asked only if the answer depends on it."""
        return self.quick(message, peer, tcp=tcp) or self._slow(message, peer, tcp)

    def quick(self, message: bytes, peer: Callable[[], str], *, tcp: bool = False) -> bytes | None:
        """The answer, if it can be put together; None if it takes the slow way."""
        kind = _PLAIN.get(message[2:12])
        if kind is None:
            return None
        end = message.find(0, _QUESTION_AT) + 1 + _TYPE_AND_CLASS
        question, rest = message[_QUESTION_AT:end], message[end:]
        key = question[:-_TYPE_AND_CLASS].lower() + question[-_TYPE_AND_CLASS:]
        kept = self._kept.get(key) or self._by_health.get(key) or self._missing(key)
        if kept is None or bool(rest) != kind & 1:
            return None
        bytes_max, opt, subnet = _read_opt(rest) if rest else _NO_OPT
        if not bytes_max:
            return None
        if isinstance(kept, _Choice):
            asker = subnet or Asker.at(peer())
            outcome, by_client = self._choose(kept, asker)
            if outcome is None:
                return None
            kept = outcome
            if subnet is not None and by_client:
                opt = opt[:_SCOPE_AT] + bytes((subnet.bits,)) + opt[_SCOPE_AT + 1 :]
        said = message[:2] + kept[kind] + question + kept[4] + opt
        return said if len(said) <= bytes_max or tcp else None

    def _choose(self, choice: _Choice, asker: Asker) -> tuple[_Kept | None, bool]:
        """The bytes of what the policy says now, and whether it looked at who asks; no bytes if it says nothing."""
        if choice.health != self._health_generation:
            choice.forget(self._health_generation)
        if choice.drawn is not None:
            outcomes, upto = choice.drawn
            return outcomes[bisect_right(upto, self._random.random() * upto[-1])], False
        place = self._image.place(asker) if choice.by_place else None
        kept = choice.settled.get(id(place))
        return (kept, True) if kept is not None else self._choose_anew(choice, asker, place)

    def _choose_anew(self, choice: _Choice, asker: Asker, place: Place | None) -> tuple[_Kept | None, bool]:
        use = Use()
        chooser = Chooser(self._image, asker, self._health.of, self._random, use)
        found = chooser.values(choice.leaves, choice.type)
        if found is None or not found[1]:
            return None, use.client
        kept = choice.outcome(found)
        if choice.weighted:
            choice.draw_from(chooser.tier(choice.leaves, choice.type))
        elif place is not None and not use.chance and len(choice.settled) < _OUTCOMES_MAX:
            choice.settled[id(place)] = kept  # the image holds on to its places as long as we do to this
        return kept, use.client

    def _missing(self, key: bytes) -> _Kept | _Choice | None:
        """What a name hears that is not there: the star above it, or that there is no such name."""
        name = key[:-_TYPE_AND_CLASS]
        if not is_name(name):
            return None
        zone = self._image.zone_of(self._view, name)
        if zone is None or zone.cuts or zone.zone.logged or name in zone.nodes:
            return None
        above = name
        while above not in zone.nodes:
            above = parent(above)
        star = wildcard_of(above)
        if star in zone.nodes:
            return self._kept.get(star + key[-_TYPE_AND_CLASS:])
        return self._denial(zone, len(name)) if _is_of_records(key) else None

    def _denial(self, zone: ZoneImage, name_bytes: int) -> _Kept | None:
        """That there is no such name. The SOA's owner is the end of the question's name, wherever that stands."""
        at = _QUESTION_AT + name_bytes - len(zone.apex)
        kept = self._denials.get((zone.zone.id, at))
        if kept is None and SOA in zone.nodes[zone.apex].sets:
            soa = negative_soa(zone)
            owner = (_POINTER | at).to_bytes(2)
            kept = _keep(AA | NXDOMAIN, (0, 1, 0), _records(SOA, soa.ttl_s, soa.values, owner))
            self._denials[zone.zone.id, at] = kept
        return kept

    # --- what is kept

    def _slow(self, message: bytes, peer: Callable[[], str], tcp: bool) -> bytes | Elsewhere | None:
        outcome = self._responder.respond(message, peer(), "TCP" if tcp else "UDP")
        if not isinstance(outcome, Said):
            return outcome
        self._remember(outcome)
        return outcome.reply.over_tcp()[2:] if tcp else outcome.reply.over_udp()

    def _remember(self, said: Said) -> None:
        reply = said.reply
        question = reply.question
        if reply.code != NOERROR or (question.edns is not None and question.edns.version):
            return
        zone = self._image.zone_of(self._view, question.name)
        if zone is None or zone.zone.logged:
            return
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
        suffix = struct.pack("!HH", question.type, question.klass)
        if question.name in zone.nodes:
            self._remember_name(question.name + suffix, said, zone)
        elif reply.answer and not zone.cuts:
            self._remember_star(suffix, said, zone)

    def _remember_name(self, key: bytes, said: Said, zone: ZoneImage) -> None:
        reply = said.reply
        if said.for_everybody:
            kept = _keep_reply(reply)
            if said.until_health_moves:
                self._by_health[key] = kept
            else:
                self._kept[key] = kept
            return
        leaves = zone.nodes[reply.question.name].sets.get(reply.question.type)
        if leaves and not zone.cuts:
            self._kept[key] = _Choice(leaves, reply.question.type)

    def _remember_star(self, suffix: bytes, said: Said, zone: ZoneImage) -> None:
        """Under the star's own name, for all that it covers. No pointer but to the question's name may be in it."""
        reply = said.reply
        above = reply.question.name
        while above not in zone.nodes:
            above = parent(above)
        star = wildcard_of(above)
        leaves = zone.nodes[star].sets.get(reply.question.type)
        if not leaves:
            return
        choice = _Choice(leaves, reply.question.type)
        first = reply.answer[0]
        simple = said.for_everybody and not said.until_health_moves
        self._kept[star + suffix] = choice.outcome((first.ttl_s, first.values)) if simple else choice


def _keep_reply(reply: Reply) -> _Kept:
    """What follows the question in a reply. Its pointers lead into the question, so they stay right."""
    question = replace(reply.question, edns=None)
    written = replace(reply, question=question).write(TCP_BYTES_MAX)
    counts = struct.unpack_from("!HHH", written, 6)
    return _keep(reply.flags | reply.code, counts, written[_QUESTION_AT + len(question.asked) + 4 :])


def _is_of_records(key: bytes) -> bool:
    """Whether a question is for a type that records have, or ANY, and not for a transfer or worse."""
    return (
        key[-2:] == _CLASS_IN and (key[-4:-2] < _META or key[-4:-2] == _ANY_TYPE) and key[-4:-2] != _OPT[1:]
    )


def _keep(flags: int, counts: tuple[int, int, int], behind: bytes) -> _Kept:
    answers, authorities, additionals = counts
    head = [
        struct.pack(
            "!HHHHH", QR | flags | (RD if kind & 2 else 0), 1, answers, authorities, additionals + (kind & 1)
        )
        for kind in range(4)
    ]
    return head[0], head[1], head[2], head[3], behind


def _records(type: int, ttl_s: int, values: Sequence[bytes], owner: bytes = _POINTER_TO_NAME) -> bytes:
    """Records as they stand on the wire, without a pointer but the owner's."""
    return b"".join(owner + struct.pack("!HHIH", type, 1, ttl_s, len(value)) + value for value in values)


def _read_opt(opt: bytes) -> tuple[int, bytes, Asker | None]:
    """How large the answer may be, its OPT with scope 0, and the client's subnet; size 0 for all but the plainest."""
    bytes_max = min(max(opt[3] << 8 | opt[4], UDP_BYTES_PLAIN), UDP_BYTES_MAX) if len(opt) > _FLAGS_AT else 0
    if opt[:3] != _OPT:
        return 0, b"", None
    if opt[_FLAGS_AT:] in _PLAIN_ENDS:
        return bytes_max, _OPT_ANSWERED + opt[_FLAGS_AT:], None
    if opt[_FLAGS_AT : _FLAGS_AT + 4] not in _PLAIN_FLAGS or opt[11:13] != _ECS:
        return 0, b"", None
    try:
        asker = asker_of(read_subnet(opt[15:]))
    except (Unreadable, struct.error):
        return 0, b"", None
    whole = len(opt) == 15 + (opt[13] << 8 | opt[14]) == 11 + (opt[9] << 8 | opt[10])
    return (
        (bytes_max, _OPT_ANSWERED + opt[_FLAGS_AT:], asker) if asker is not None and whole else (0, b"", None)
    )
