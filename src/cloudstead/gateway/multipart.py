"""A multipart/form-data body read while it comes: small fields first, then one file of any length.

What a reader would get wrong: S3 takes the file as the last field. What comes behind it is read and ignored, so
fields that matter must stand before it.
"""

import re
from collections.abc import AsyncIterator

from cloudstead.core.errors import ServiceError

#: All that may stand before the file's first byte: S3's own limit.
FIELDS_BYTES_MAX = 20 * 1024
_IGNORED_BYTES_MAX = 1024 * 1024

_BOUNDARY = re.compile(
    r'multipart/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;,]{1,70}))', re.IGNORECASE
)
_NAME = re.compile(rb'[;\s]name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILENAME = re.compile(rb'[;\s]filename="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE = "file"


def is_form(content_type: str) -> bool:
    return content_type[:20].lower().startswith("multipart/form-data")


class Form:
    """`read_fields` first, then `file` to its end."""

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes]) -> None:
        found = _BOUNDARY.match(content_type)
        if found is None:
            raise malformed()
        self._delimiter = b"\r\n--" + (found[1] or found[2]).encode("latin-1")
        self._chunks = chunks
        self._buffer = b"\r\n"  # so that the first delimiter looks like the others
        self._left = FIELDS_BYTES_MAX
        #: By name in lower case.
        self.fields: dict[str, str] = {}
        self.filename: str | None = None

    async def read_fields(self) -> None:
        """All up to the file. Raises ServiceError; without a file `filename` stays None."""
        await self._until(self._delimiter)
        while await self._until(b"\r\n") == b"":
            head = await self._until(b"\r\n\r\n")
            name = _NAME.search(head)
            if name is None:
                raise malformed()
            key = _text(name[1]).lower()
            if key == _FILE:
                filename = _FILENAME.search(head)
                self.filename = re.split(r"[/\\]", _text(filename[1]))[-1] if filename else ""
                return
            self.fields[key] = _text(await self._until(self._delimiter))

    async def file(self) -> AsyncIterator[bytes]:
        keep = len(self._delimiter) - 1
        while (end := self._buffer.find(self._delimiter)) < 0:
            if len(self._buffer) > keep:
                yield self._buffer[:-keep]
                self._buffer = self._buffer[-keep:]
            await self._more()
        if end:
            yield self._buffer[:end]
        self._buffer = b""
        await self._ignore_rest()

    async def _ignore_rest(self) -> None:
        left = _IGNORED_BYTES_MAX
        async for chunk in self._chunks:
            left -= len(chunk)
            if left < 0:
                raise malformed()

    async def _until(self, marker: bytes) -> bytes:
        """What stands before the next marker; the marker itself is passed over."""
        while (end := self._buffer.find(marker)) < 0:
            if len(self._buffer) > self._left:
                raise _fields_too_large()
            await self._more()
        found, self._buffer = self._buffer[:end], self._buffer[end + len(marker) :]
        self._left -= end + len(marker)
        if self._left < 0:
            raise _fields_too_large()
        return found

    async def _more(self) -> None:
        try:
            self._buffer += await anext(self._chunks)
        except StopAsyncIteration:
            raise malformed() from None


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise malformed() from None


def malformed() -> ServiceError:
    text = "The body of your POST request is not well-formed multipart/form-data."
    return ServiceError(text, code="MalformedPOSTRequest")


def _fields_too_large() -> ServiceError:
    text = "Your POST request fields preceding the upload file were too large."
    return ServiceError(text, code="MaxPostPreDataLengthExceeded")
