"""HTTP and HTTPS on one port: the first byte tells which.

A TLS record of a handshake begins with 0x16, which no HTTP method does. Plain connections pay for this one
comparison and nothing else: they get the transport itself. TLS runs over memory buffers between the
transport and the connection, because the byte that told has been read already and `loop.start_tls` would
never see it.
"""

import asyncio
import logging
import ssl
from typing import Any, Protocol, cast

log = logging.getLogger(__name__)

_HANDSHAKE = 0x16
_READ_BYTES = 64 * 1024


class Above(Protocol):
    """The protocol that speaks HTTP, whichever transport carries it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...
    def secured(self, transport: asyncio.Transport) -> None: ...
    def data_received(self, data: bytes) -> None: ...
    def eof_received(self) -> bool | None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...


class FirstByte(asyncio.Protocol):
    """Waits for the first byte, then hands the transport to who speaks that language."""

    def __init__(self, plain: Above, context: ssl.SSLContext) -> None:
        self._plain = plain
        self._context = context

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._plain.connection_made(transport)  # starts its timeout: silence is bounded too

    def data_received(self, data: bytes) -> None:
        speaker: Above | TlsLayer = self._plain
        if data[0] == _HANDSHAKE:
            speaker = TlsLayer(self._plain, self._context, self._transport)
        self._transport.set_protocol(cast("asyncio.Protocol", speaker))
        speaker.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._plain.connection_lost(exc)

    def eof_received(self) -> bool | None:
        return self._plain.eof_received()


class TlsLayer(asyncio.Protocol):
    """Below it the transport, above it a protocol that sees plain bytes and a `TlsTransport`."""

    def __init__(self, above: Above, context: ssl.SSLContext, transport: asyncio.Transport) -> None:
        self._above = above
        self._transport = transport
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._established = False
        self._ended = False

    def data_received(self, data: bytes) -> None:
        self._incoming.write(data)
        try:
            if not self._established:
                self._handshake()
            else:
                self._read()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as e:
            log.debug("tls: %s: %s", self._transport.get_extra_info("peername"), e.reason)
            self._flush()  # the alert that says why
            self._transport.close()

    def _handshake(self) -> None:
        self._tls.do_handshake()
        self._established = True
        self._flush()
        self._above.secured(TlsTransport(self._transport, self))
        self._read()

    def spoken(self) -> tuple[str, str]:
        """Protocol and cipher suite, once established."""
        cipher = self._tls.cipher()
        return self._tls.version() or "", cipher[0] if cipher is not None else ""

    def _read(self) -> None:
        while not self._ended:
            data = self._tls.read(_READ_BYTES)  # raises SSLWantReadError once all is read
            if not data:  # close_notify
                self._ended = True
                self._above.eof_received()
                self._transport.close()
                return
            self._above.data_received(data)

    def write(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def close(self) -> None:
        if self._established and not self._ended:
            self._ended = True
            try:
                self._tls.unwrap()
            except ssl.SSLError:  # it wants the peer's close_notify, which we do not wait for
                self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._outgoing.pending and not self._transport.is_closing():
            self._transport.write(self._outgoing.read())

    def pause_writing(self) -> None:
        self._above.pause_writing()

    def resume_writing(self) -> None:
        self._above.resume_writing()

    def eof_received(self) -> bool | None:
        self._above.eof_received()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._above.connection_lost(exc)


class TlsTransport(asyncio.Transport):
    """What the protocol above writes to: the same verbs, encrypted."""

    def __init__(self, below: asyncio.Transport, layer: TlsLayer) -> None:
        super().__init__()
        self._below = below
        self._layer = layer

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        if not self._below.is_closing():
            self._layer.write(bytes(data))

    def close(self) -> None:
        self._layer.close()

    def abort(self) -> None:
        self._below.abort()

    def is_closing(self) -> bool:
        return self._below.is_closing()

    def pause_reading(self) -> None:
        self._below.pause_reading()

    def resume_reading(self) -> None:
        self._below.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """`tls` is the protocol and the cipher suite; all else is told by the transport below."""
        if name == "tls":
            return self._layer.spoken()
        return self._below.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        return self._below.get_write_buffer_size()
