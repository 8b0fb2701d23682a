"""The beginning of an HTTP response: its status, its headers, and as much of the body as is searched.

Bounded whatever comes: of headers so many bytes, of a body only what the search may see.
"""

import httptools

from cloudstead.dataplane.checks.driver import SEARCHED_BYTES

_HEADER_BYTES_MAX = 64 * 1024
_FINAL = 200  # what is lower announces another response (RFC 9110, 15.2)


class Malformed(Exception):
    """This is no HTTP, or too much of it."""


class Response:
    """Fed with what arrives, until it has `status`, or `ended` if the body counts."""

    def __init__(self) -> None:
        self.status = 0  # until the headers are complete
        self.body = bytearray()
        self.ended = False
        self._read_bytes = 0
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        self._read_bytes += len(data)
        if not self.status and self._read_bytes > _HEADER_BYTES_MAX:
            raise Malformed
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.status = self.status or self._parser.get_status_code()
            self.ended = True
        except httptools.HttpParserError as e:
            if not self.status:
                raise Malformed from e
            self.ended = True  # what we came for was said before

    # --- called by the parser

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= _FINAL and not self.status:
            self.status = status

    def on_body(self, data: bytes) -> None:
        self.body += data[: SEARCHED_BYTES - len(self.body)]
        self.ended = self.ended or len(self.body) >= SEARCHED_BYTES

    def on_message_complete(self) -> None:
        self.ended = self.ended or bool(self.status)
