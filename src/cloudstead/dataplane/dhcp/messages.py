"""DHCP messages: what a client asks (RFC 2131), and what it is answered (options of RFC 2132). Pure."""

import ipaddress
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloudstead.dataplane.dhcp.lease import Lease

_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_COOKIE = b"\x63\x82\x53\x63"
_ASKS, _ANSWERS, _ETHERNET = 1, 2, 1
_PAD, _END = 0, 255
_MASK, _ROUTER, _NAME_SERVERS, _HOSTNAME, _DOMAIN, _MTU = 1, 3, 6, 12, 15, 26
_NTP_SERVERS, _NETBIOS_SERVERS, _NETBIOS_NODE, _WANTED, _LEASE_S, _TYPE, _SERVER = 42, 44, 46, 50, 51, 53, 54
_DISCOVER, _OFFER, _REQUEST, _ACK, _NAK, _INFORM = 1, 2, 3, 5, 6, 8
_LEASE_S_GIVEN = 3600  # as AWS: how soon a running instance hears of other options
_INTERFACE_MTU = 9001
_NOWHERE = bytes(4)
_SIZE_MIN = 300  # BOOTP's; some clients take nothing shorter


@dataclass(frozen=True)
class Question:
    type: int
    mac: str
    transaction: int
    flags: int
    own_address: str  # that the client has already, or 0.0.0.0
    wanted_address: str | None
    server: str | None  # whom it chose


def read(message: bytes) -> Question | None:
    """What a client asks; None for anything else."""
    start = _FIXED.size + len(_COOKIE)
    if len(message) < start or message[_FIXED.size : start] != _COOKIE:
        return None
    op, hardware, length, _, transaction, _, flags, own, _, _, _, mac, _, _ = _FIXED.unpack_from(message)
    if (op, hardware, length) != (_ASKS, _ETHERNET, 6):
        return None
    options = dict(_options(message[start:]))
    if len(options.get(_TYPE, b"")) != 1:
        return None
    return Question(
        type=options[_TYPE][0],
        mac=mac[:6].hex(":"),
        transaction=transaction,
        flags=flags,
        own_address=str(ipaddress.IPv4Address(own)),
        wanted_address=_address(options.get(_WANTED)),
        server=_address(options.get(_SERVER)),
    )


def answer(question: Question, lease: Lease) -> bytes | None:
    """The answer for the holder of this lease; None if there is nothing to be said."""
    if question.type == _DISCOVER:
        return _message(question, lease, _OFFER)
    if question.type == _INFORM:
        return _message(question, lease, _ACK, address=False)
    if question.type == _REQUEST and question.server in (None, _router(lease)):
        wanted = question.wanted_address or question.own_address
        return _message(question, lease, _ACK if wanted == lease.address else _NAK)
    return None


def _message(question: Question, lease: Lease, type: int, *, address: bool = True) -> bytes:
    given = _packed(lease.address) if address and type != _NAK else _NOWHERE
    own = _packed(question.own_address) if type == _ACK else _NOWHERE
    fixed = _FIXED.pack(
        _ANSWERS,
        _ETHERNET,
        6,
        0,
        question.transaction,
        0,
        question.flags,
        own,
        given,
        _packed(_router(lease)) if type != _NAK else _NOWHERE,
        _NOWHERE,
        bytes.fromhex(question.mac.replace(":", "")),
        b"",
        b"",
    )
    said: dict[int, bytes] = {_TYPE: bytes([type]), _SERVER: _packed(_router(lease))}
    if type != _NAK:
        if address:
            said[_LEASE_S] = struct.pack("!I", _LEASE_S_GIVEN)
        said.update(_facts(lease))
    options = b"".join(bytes([code, len(value)]) + value for code, value in said.items() if value)
    return (fixed + _COOKIE + options + bytes([_END])).ljust(_SIZE_MIN, b"\0")


def _facts(lease: Lease) -> dict[int, bytes]:
    network = ipaddress.IPv4Network(lease.subnet)
    node = lease.netbios_node_type
    return {
        _MASK: network.netmask.packed,
        _ROUTER: _packed(_router(lease)),
        _NAME_SERVERS: _all(lease.name_servers),
        _HOSTNAME: lease.hostname.encode()[:255],
        _DOMAIN: lease.domain.encode()[:255],
        _MTU: struct.pack("!H", _INTERFACE_MTU),
        _NTP_SERVERS: _all(lease.ntp_servers),
        _NETBIOS_SERVERS: _all(lease.netbios_name_servers),
        _NETBIOS_NODE: b"" if node is None else bytes([node]),
    }


def _options(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Each option's number and value, as far as they are whole."""
    at = 0
    while at < len(text) and text[at] != _END:
        if text[at] == _PAD:
            at += 1
            continue
        end = at + 2 + (text[at + 1] if at + 1 < len(text) else 0)
        if at + 1 >= len(text) or end > len(text):
            return
        yield text[at], text[at + 2 : end]
        at = end


def _router(lease: Lease) -> str:
    return str(ipaddress.IPv4Network(lease.subnet)[1])


def _packed(address: str) -> bytes:
    return ipaddress.IPv4Address(address).packed


def _all(addresses: Iterable[str]) -> bytes:
    return b"".join(_packed(address) for address in addresses)


def _address(value: bytes | None) -> str | None:
    return str(ipaddress.IPv4Address(value)) if value is not None and len(value) == 4 else None
