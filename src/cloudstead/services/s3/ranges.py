"""The `Range` of a GET and the part of a source that is copied.

A range that S3 cannot read, or more than one, counts as none: the answer is the whole object.
"""

import re
from dataclasses import dataclass

from cloudstead.services.s3.errors import InvalidArgument, InvalidRange

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.ASCII | re.IGNORECASE)
_COPY_RANGE = re.compile(r"bytes=(\d+)-(\d+)", re.ASCII)


@dataclass(frozen=True)
class Span:
    """From `start` up to, and without, `end`, of `size_bytes` in all."""

    start: int
    end: int
    size_bytes: int

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.size_bytes}"


def asked(text: str | None, size_bytes: int) -> Span | None:
    """What of an object is asked for; None for all of it. InvalidRange if there is nothing there."""
    found = _RANGE.fullmatch(text) if text is not None else None
    if text is None or found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
        if last and int(last) < start:
            return None
    if start >= end:
        raise InvalidRange(
            "The requested range is not satisfiable",
            fields={"RangeRequested": text, "ActualObjectSize": size_bytes},
            headers={"Content-Range": f"bytes */{size_bytes}"},
        )
    return Span(start, end, size_bytes)


def of_source(text: str | None, size_bytes: int) -> Span:
    """What of a source UploadPartCopy takes: all of it, or a range that must lie inside."""
    if text is None:
        return Span(0, size_bytes, size_bytes)
    found = _COPY_RANGE.fullmatch(text.strip())
    if found is None or int(found[2]) < int(found[1]):
        raise _bad_source(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            text,
        )
    if int(found[2]) >= size_bytes:
        raise _bad_source(f"Range specified is not valid for source object of size: {size_bytes}", text)
    return Span(int(found[1]), int(found[2]) + 1, size_bytes)


def _bad_source(message: str, text: str) -> InvalidArgument:
    return InvalidArgument(message, fields={"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": text})
