"""Many datagrams with one system call: recvmmsg and sendmmsg of Linux, by way of ctypes.

All memory that the kernel reads and writes is made once. It is looked at through views of plain integers, as asking
ctypes for a field costs more than answering does. A reply goes out of the slot its question came into, so its address
stands there already.
"""

import ctypes
import errno
import socket
import sys
from collections.abc import Callable

_BATCH = 64
_IN_BYTES = 4096
_OUT_BYTES = 1280
_ADDRESS_BYTES = 28  # sockaddr_in6
_DONTWAIT = 0x40
_ROUNDS = 16
_FULL_NAMES = memoryview(_ADDRESS_BYTES.to_bytes(8, sys.byteorder) * _BATCH).cast("Q")


class _Message(ctypes.Structure):
    """struct mmsghdr, on machines with pointers of 8 bytes."""

    _fields_ = (
        ("name", ctypes.c_uint64),
        ("name_bytes", ctypes.c_uint64),  # socklen_t and padding
        ("parts", ctypes.c_uint64),
        ("parts_count", ctypes.c_uint64),
        ("control", ctypes.c_uint64),
        ("control_bytes", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
        ("length", ctypes.c_uint64),
    )


_WORDS = ctypes.sizeof(_Message) // 8
_NAME, _NAME_BYTES, _LENGTH = 0, 1, 7

#: Whether this machine can do it at all.
POSSIBLE = sys.platform == "linux" and sys.maxsize > 2**32 and sys.byteorder == "little"

Answer = Callable[[bytes, Callable[[], str]], bytes | None]


class Datagrams:
    """One UDP socket read and answered in batches."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._in, self._addresses = bytearray(_BATCH * _IN_BYTES), bytearray(_BATCH * _ADDRESS_BYTES)
        self._out = bytearray(_BATCH * _OUT_BYTES)
        self._received, self._received_words, self._in_parts = _messages(self._in, _IN_BYTES)
        self._sent, self._sent_words, self._out_parts = _messages(self._out, _OUT_BYTES)
        self._address_at = ctypes.addressof(ctypes.c_char.from_buffer(self._addresses))
        self._view = memoryview(self._in)
        self._at = 0
        for slot in range(_BATCH):
            self._received_words[slot * _WORDS + _NAME] = self._address_at + slot * _ADDRESS_BYTES

    def peer(self) -> str:
        """Where the datagram in hand came from."""
        name = self._name()
        if int.from_bytes(name[:2], sys.byteorder) == socket.AF_INET:
            return socket.inet_ntop(socket.AF_INET, name[4:8])
        return socket.inet_ntop(socket.AF_INET6, name[8:24])

    def address(self) -> tuple[str, int] | tuple[str, int, int, int]:
        """The same with port, and for IPv6 the interface, as sockets take it."""
        name = self._name()
        port = int.from_bytes(name[2:4])
        if int.from_bytes(name[:2], sys.byteorder) == socket.AF_INET:
            return self.peer(), port
        return self.peer(), port, 0, int.from_bytes(name[24:28], sys.byteorder)

    def _name(self) -> bytearray:
        start = self._at * _ADDRESS_BYTES
        return self._addresses[start : start + _ADDRESS_BYTES]

    def serve(self, refresh: Callable[[], Answer], answer: Answer) -> int:
        """Answer what is there, a bounded number of batches of it. How many datagrams were read.

        Before each batch `refresh` gives who may know the answer at once; only what that does not know is for `answer`.
        """
        served = 0
        for _ in range(_ROUNDS):
            count = self._receive()
            if not count:
                break
            quick = refresh()
            self._answer(count, quick, answer)
            served += count
            if count < _BATCH:
                break
        return served

    def _receive(self) -> int:
        words = self._received_words
        words[_NAME_BYTES::_WORDS] = _FULL_NAMES
        count: int = self._libc.recvmmsg(self._sock.fileno(), self._received, _BATCH, _DONTWAIT, None)
        return max(count, 0)

    def _answer(self, count: int, quick: Answer, answer: Answer) -> None:
        words, sent, peer = self._received_words, self._sent_words, self.peer
        view, out, parts = self._view, self._out, self._out_parts
        ready = 0
        for slot, length in enumerate(words[_LENGTH : count * _WORDS : _WORDS]):
            self._at = slot
            start = slot * _IN_BYTES
            message = view[start : start + (length & 0xFFFFFFFF)].tobytes()
            said = quick(message, peer) or answer(message, peer)
            if said is not None:
                at, word = ready * _OUT_BYTES, ready * _WORDS
                out[at : at + len(said)] = said
                parts[ready * 2 + 1] = len(said)
                sent[word] = words[slot * _WORDS]
                sent[word + 1] = words[slot * _WORDS + 1]
                ready += 1
        self._send(ready)

    def _send(self, ready: int) -> None:
        """A reply that cannot be sent is left out: who asked will ask again."""
        done = 0
        while done < ready:
            at = ctypes.byref(self._sent, done * ctypes.sizeof(_Message))
            count = self._libc.sendmmsg(self._sock.fileno(), at, ready - done, _DONTWAIT)
            if count < 0 and ctypes.get_errno() == errno.EAGAIN:
                return
            done += count if count > 0 else 1


def _messages(buffer: bytearray, size: int) -> tuple[ctypes.Array[_Message], memoryview, memoryview]:
    """A batch of messages over one buffer: as the kernel takes them, and their words and parts as integers."""
    parts = (ctypes.c_uint64 * (2 * _BATCH))()
    messages = (_Message * _BATCH)()
    start = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    for slot in range(_BATCH):
        parts[slot * 2], parts[slot * 2 + 1] = start + slot * size, size
        messages[slot].parts, messages[slot].parts_count = ctypes.addressof(parts) + slot * 16, 1
    return messages, memoryview(messages).cast("B").cast("Q"), memoryview(parts).cast("B").cast("Q")
