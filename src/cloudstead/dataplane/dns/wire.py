"""Questions read from the wire and answers written to it. Knows no zone.

RFC 1035, 6891 (EDNS), 7871 (client subnet), 8906 (what to say to odd questions).
"""

import struct
from dataclasses import dataclass

from cloudstead.dataplane.dns.blocks import Asker
from cloudstead.dataplane.dns.compiled import CNAME, MX, NS, OPT, PTR, SOA
from cloudstead.dataplane.dns.evaluate import RRset

#: The largest UDP answer that no path cuts to pieces (dnsflagday.net/2020).
UDP_BYTES_MAX = 1232
TCP_BYTES_MAX = 65535
UDP_BYTES_PLAIN = 512
QR, AA, TC, RD = 0x8000, 0x0400, 0x0200, 0x0100
CD = 0x0010

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_POINTER = 0xC0
_NAME_BYTES_MAX = 255
_POINTER_REACH = 0x4000
_ECS = 8
_DO = 0x8000
_ECS_WIDTHS = {1: (4, 32), 2: (6, 128)}


class Unreadable(Exception):
    """Not a message as RFC 1035 has it, or an option of one."""


#: Family, bits that are told, and the address cut to these, as they stand in an option.
Subnet = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Edns:
    version: int
    udp_bytes: int
    dnssec_ok: bool
    subnet: Subnet | None = None

    def asker(self) -> Asker | None:
        """The client that a resolver told of; None if it told of none, or asked that we do not look."""
        return asker_of(self.subnet) if self.subnet is not None else None


@dataclass(frozen=True, slots=True)
class Question:
    id: int
    flags: int
    #: As it was asked: case and all.
    asked: bytes
    name: bytes
    type: int
    klass: int
    edns: Edns | None

    @property
    def opcode(self) -> int:
        return self.flags >> 11 & 0xF

    @property
    def udp_bytes_max(self) -> int:
        if self.edns is None:
            return UDP_BYTES_PLAIN
        return min(max(self.edns.udp_bytes, UDP_BYTES_PLAIN), UDP_BYTES_MAX)


def read(message: bytes) -> Question:
    """The one question of a message. Raises Unreadable, also if there are none or several."""
    try:
        return _read(message)
    except (struct.error, IndexError) as e:
        raise Unreadable("it ends too soon") from e


def _read(message: bytes) -> Question:
    id, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(message)
    if questions != 1 or answers:
        raise Unreadable("not one question")
    end = _end_of_name(message, _HEADER.size, compressed=False)
    asked = message[_HEADER.size : end]
    type, klass = struct.unpack_from("!HH", message, end)
    at, edns = end + 4, None
    for number in range(authorities + additionals):
        start = at
        at, own_type = _skip_record(message, start)
        if own_type == OPT:
            if edns is not None or number < authorities or message[start] != 0:
                raise Unreadable("a second OPT, or one that stands wrong")
            edns = read_edns(message, start)
    if at != len(message):
        raise Unreadable("something follows the message")
    return Question(id, flags, asked, asked.lower(), type, klass, edns)


def _end_of_name(message: bytes, at: int, *, compressed: bool) -> int:
    start = at
    while (length := message[at]) != 0:
        if compressed and length >= _POINTER:
            return at + 2
        if length > 63 or at - start > _NAME_BYTES_MAX:
            raise Unreadable("a label or name that is too long")
        at += length + 1
    if at + 1 - start > _NAME_BYTES_MAX:
        raise Unreadable("a name that is too long")
    return at + 1


def _skip_record(message: bytes, at: int) -> tuple[int, int]:
    at = _end_of_name(message, at, compressed=True)
    type, _, _, length = _RECORD.unpack_from(message, at)
    end = at + _RECORD.size + length
    if end > len(message):
        raise Unreadable("a record that ends too late")
    return end, type


def read_edns(message: bytes, at: int = 0) -> Edns:
    """The OPT record that stands there, its owner the root."""
    _, udp_bytes, rest, length = _RECORD.unpack_from(message, at + 1)
    at += 1 + _RECORD.size
    end = at + length
    subnet = None
    while at < end:
        code, size = struct.unpack_from("!HH", message, at)
        at += 4 + size
        if at > end:
            raise Unreadable("an option that ends too late")
        if code == _ECS:
            subnet = read_subnet(message[at - size : at])
    return Edns(rest >> 16 & 0xFF, udp_bytes, bool(rest & _DO), subnet)


def read_subnet(option: bytes) -> Subnet:
    """RFC 7871, 7.1.1: neither a bit too many nor a byte too few; the scope of a question is 0."""
    family, bits, scope = struct.unpack_from("!HBB", option)
    address = option[4:]
    if family not in _ECS_WIDTHS or bits > _ECS_WIDTHS[family][1] or scope or len(address) != (bits + 7) // 8:
        raise Unreadable("a client subnet that is none")
    if bits % 8 and address[-1] & (0xFF >> bits % 8):
        raise Unreadable("a client subnet with bits beyond its length")
    return family, bits, address


def asker_of(subnet: Subnet) -> Asker | None:
    """The client in a subnet; None if not a bit of it is told, which asks that we do not look."""
    family, bits, address = subnet
    version, width = _ECS_WIDTHS[family]
    return Asker(version, int.from_bytes(address) << (width - 8 * len(address)), bits) if bits else None


# --- answers


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said to a question, section by section."""

    question: Question
    code: int
    flags: int = 0
    answer: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()
    additional: tuple[RRset, ...] = ()
    #: How much of the client's address the answer depended on.
    scope: int = 0

    def over_udp(self) -> bytes:
        return self.write(self.question.udp_bytes_max)

    def over_tcp(self) -> bytes:
        written = self.write(TCP_BYTES_MAX)
        return len(written).to_bytes(2) + written

    def write(self, bytes_max: int) -> bytes:
        """The message. If it is too large, glue is left out first; anything else leaves the TC bit and nothing more."""
        whole = self._write(self.answer, self.authority, self.additional)
        if len(whole) <= bytes_max:
            return whole
        without = self._write(self.answer, self.authority, ())
        if self.answer and len(without) <= bytes_max:
            return without
        return self._write((), (), (), cut=True)

    def _write(
        self,
        answer: tuple[RRset, ...],
        authority: tuple[RRset, ...],
        additional: tuple[RRset, ...],
        *,
        cut: bool = False,
    ) -> bytes:
        question = self.question
        into = _Writer(question)
        counts = [sum(into.add(each) for each in section) for section in (answer, authority, additional)]
        if question.edns is not None:
            into.message += _edns(question.edns, self.code, self.scope)
            counts[2] += 1
        flags = QR | question.flags & (RD | CD | 0x7800) | self.flags | self.code & 0xF | (TC if cut else 0)
        _HEADER.pack_into(into.message, 0, question.id, flags, 1, *counts)
        return bytes(into.message)


def format_error(message: bytes) -> bytes:
    """To bytes that cannot be read: the id and opcode they have, and nothing else."""
    return message[:2] + bytes((0x80 | message[2] & 0x79, 1)) + bytes(8)


def not_implemented(message: bytes) -> bytes:
    """To operations that we do not know: the header alone, as what follows may mean anything."""
    return message[:2] + bytes((0x80 | message[2] & 0x79, 4)) + bytes(8)


def _edns(asked: Edns, code: int, scope: int) -> bytes:
    options = b""
    if asked.subnet is not None:
        family, bits, address = asked.subnet
        options = struct.pack("!HHHBB", _ECS, 4 + len(address), family, bits, min(scope, 128)) + address
    ttl = code >> 4 << 24 | (_DO if asked.dnssec_ok else 0)
    return b"\0" + _RECORD.pack(OPT, UDP_BYTES_MAX, ttl, len(options)) + options


class _Writer:
    """Writes records, and names that were there before as pointers to them."""

    def __init__(self, question: Question) -> None:
        self.message = bytearray(_HEADER.size)
        self._seen: dict[bytes, int] = {}
        self._name(question.asked)
        self.message += struct.pack("!HH", question.type, question.klass)

    def add(self, rrset: RRset) -> int:
        owner, type, ttl_s, values = rrset
        for value in values:
            self._name(owner)
            self.message += _RECORD.pack(type, 1, ttl_s, 0)
            start = len(self.message)
            self._value(type, value)
            struct.pack_into("!H", self.message, start - 2, len(self.message) - start)
        return len(values)

    def _value(self, type: int, value: bytes) -> None:
        """Only names in records of RFC 1035 may be compressed (RFC 3597, 4)."""
        if type in (NS, CNAME, PTR):
            self._name(value)
        elif type == MX:
            self.message += value[:2]
            self._name(value[2:])
        elif type == SOA:
            end = _end_of_name(value, 0, compressed=False)
            self._name(value[:end])
            self._name(value[end:-20])
            self.message += value[-20:]
        else:
            self.message += value

    def _name(self, name: bytes) -> None:
        at = 0
        lower = name.lower()
        while name[at]:
            rest = lower[at:]
            seen = self._seen.get(rest)
            if seen is not None:
                self.message += (_POINTER << 8 | seen).to_bytes(2)
                return
            if len(self.message) < _POINTER_REACH:
                self._seen[rest] = len(self.message)
            end = at + name[at] + 1
            self.message += name[at:end]
            at = end
        self.message += b"\0"
