"""Scalars that arrive as text: in forms, XML, headers, paths and query strings."""

import binascii
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cloudstead.gateway.wire import scalars
from cloudstead.gateway.wire.bad import BadValue

TextReader = Callable[[str], Any]


def _or_bad(read: TextReader, wanted: str) -> TextReader:
    def read_text(text: str) -> Any:
        try:
            return read(text)
        except (ValueError, OverflowError) as e:
            raise BadValue(f"'{text}' is not a valid {wanted}", text) from e

    return read_text


def _string(text: str) -> str:
    return text


def _blob(text: str) -> bytes:
    try:
        return b64decode(text, validate=False)
    except binascii.Error as e:
        raise BadValue("Invalid base64 data", text) from e


def _boolean(text: str) -> bool:
    try:
        return scalars.read_boolean(text)
    except ValueError as e:
        raise BadValue("boolean must follow xsd1.1 definition", text) from e


_timestamp: Callable[[str], datetime] = _or_bad(scalars.read_timestamp, "timestamp")
_integer = _or_bad(scalars.read_integer, "integer")
_float = _or_bad(scalars.read_float, "number")

SCALARS: dict[str, TextReader] = {
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _integer,
    "biginteger": _integer,
    "float": _float,
    "double": _float,
    "bigdecimal": _float,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}
