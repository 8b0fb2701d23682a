"""Scalars as text: for XML, headers and query errors. Writers refuse a value of the wrong type."""

import re
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cloudstead.gateway.wire import scalars
from cloudstead.gateway.wire.serialize.mismatch import ResultMismatch

TextWriter = Callable[[Any], str]

_SPECIAL = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
#: What XML 1.0 cannot hold in any form becomes U+FFFD: a parser would refuse the whole answer.
_UNSAFE = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def xml_text(value: Any) -> str:
    """A string as the content of an element."""
    if type(value) is not str and not isinstance(value, str):
        raise ResultMismatch(f"{value!r} is not a string")
    if value.isprintable() and "&" not in value and "<" not in value and ">" not in value:
        return value
    return _UNSAFE.sub(lambda found: _SPECIAL.get(found[0], "\ufffd"), value)


def xml_attribute(value: Any) -> str:
    return xml_text(value).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def plain_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ResultMismatch(f"{value!r} is not a string")
    return value


def integer_text(value: Any) -> str:
    if type(value) is int or (isinstance(value, int) and not isinstance(value, bool)):
        return str(int(value))
    raise ResultMismatch(f"{value!r} is not an integer")


def number_text(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return scalars.float_text(value)
    raise ResultMismatch(f"{value!r} is not a number")


def boolean_text(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    raise ResultMismatch(f"{value!r} is not a boolean")


def blob_text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return b64encode(value).decode()
    raise ResultMismatch(f"{value!r} is not bytes")


def timestamp_text(default: Callable[[datetime], str], named: str | None) -> TextWriter:
    """The writer of a timestamp in the format that the shape names, or the given one."""
    formats: dict[str, Callable[[datetime], object]] = {
        "iso8601": default if default is not scalars.rfc822 else scalars.iso8601,
        "rfc822": scalars.rfc822,
        "unixtimestamp": scalars.epoch,
    }
    write = formats[named.lower()] if named else default

    def write_timestamp(value: Any) -> str:
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise ResultMismatch(f"{value!r} is not a time with a zone")
        return str(write(value))

    return write_timestamp


def text_writer(
    kind: str,
    string: TextWriter,
    default_timestamp: Callable[[datetime], str],
    timestamp_format: str | None = None,
) -> TextWriter | None:
    """The writer of a scalar type; None for a type that is not one."""
    if kind == "timestamp":
        return timestamp_text(default_timestamp, timestamp_format)
    return {
        "string": string,
        "character": string,
        "integer": integer_text,
        "long": integer_text,
        "biginteger": integer_text,
        "float": number_text,
        "double": number_text,
        "bigdecimal": number_text,
        "boolean": boolean_text,
        "blob": blob_text,
    }.get(kind)
