"""Rows: frozen, typed, versioned.

A row is written whole; `version` counts its writes and is what compare-and-swap compares. Decoding validates the
types, so a bad row fails at the read.
"""

from functools import cache
from typing import TypeVar

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What the store keeps. `id` is unique within its kind over all accounts and regions."""

    id: str
    version: int = 0  # 0: never stored


R = TypeVar("R", bound=Row)


def kind_name(kind: type[Row]) -> str:
    """The name a kind is stored under: `ec2.Instance` for a class of `cloudstead.services.ec2`.

    Renaming a class or moving it to another service is therefore a migration.
    """
    return _names.get(kind) or _names.setdefault(kind, _kind_name(kind))


_names: dict[type[Row], str] = {}


def _kind_name(kind: type[Row]) -> str:
    words = kind.__module__.split(".")
    owner = words[2] if words[:2] == ["cloudstead", "services"] else words[1] if len(words) > 1 else words[0]
    return f"{owner}.{kind.__name__}"


_encoder = msgspec.msgpack.Encoder()


@cache
def _decoder(kind: type[R]) -> msgspec.msgpack.Decoder[R]:
    return msgspec.msgpack.Decoder(kind)


def encode(row: Row) -> bytes:
    return _encoder.encode(row)


def decode(kind: type[R], body: bytes) -> R:
    row: R = _decoder(kind).decode(body)
    return row
