"""A DHCP server over one socket that is given to it, bound to port 67 inside a network.

A client may have no address yet, so the answer goes to everybody on the link the question came by: a link of a
network has one machine at its end.
"""

import asyncio
import contextlib
import logging
import socket
import struct

from cloudstead.dataplane.dhcp import messages
from cloudstead.dataplane.dhcp.lease import FindLease

log = logging.getLogger(__name__)

PORT = 67
_CLIENT = ("255.255.255.255", 68)
_QUESTION_BYTES_MAX = 1500
_AT_ONCE_MAX = 64
_IP_PKTINFO = 8  # of Linux; Python's socket knows it from 3.14 on
_INFO = struct.Struct("=I4s4s")  # index of the link, local address, destination


def serve(sock: socket.socket, find: FindLease) -> "Server":
    """Answer until the server is told to stop, which closes the socket."""
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    return Server(sock, find)


class Server:
    def __init__(self, sock: socket.socket, find: FindLease) -> None:
        self._socket = sock
        self._find = find
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock.fileno(), self._readable)

    async def stop(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(_AT_ONCE_MAX):
            try:
                message, ancillary, _, _ = self._socket.recvmsg(_QUESTION_BYTES_MAX, 64)
            except OSError:
                return  # nothing left, or a link went away
            self._asked(message, _link(ancillary))

    def _asked(self, message: bytes, link: int) -> None:
        question = messages.read(message)
        lease = self._find(question.mac) if question is not None else None
        if question is None or lease is None:
            return
        answer = messages.answer(question, lease)
        if answer is not None:
            info = (socket.IPPROTO_IP, _IP_PKTINFO, _INFO.pack(link, bytes(4), bytes(4)))
            with contextlib.suppress(OSError):  # the link went away; a client asks again
                self._socket.sendmsg([answer], [info], 0, _CLIENT)


def _link(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, type, data in ancillary:
        if (level, type) == (socket.IPPROTO_IP, _IP_PKTINFO):
            return int(_INFO.unpack(data[: _INFO.size])[0])
    return 0
