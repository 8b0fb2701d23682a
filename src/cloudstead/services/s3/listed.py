"""The lines of listings, by columns: a page of 1000 objects costs a few calls and not a few thousand.

Of an object's metadata a listing tells little, so little is unpacked: `_Told` is the beginning of `Meta`, and what
stands between is left as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from cloudstead.core.columns import Columns, Moments
from cloudstead.dataplane.objects.driver import Entry
from cloudstead.services.s3 import objects_meta
from cloudstead.services.s3.objects_meta import Meta
from cloudstead.services.s3.rows import Acl, Bucket

Encode = Callable[[Sequence[str]], Sequence[str]]

_RAW = Raw(b"")


class _ToldChecksum(msgspec.Struct, frozen=True, array_like=True, gc=False):
    algorithm: str
    value: Raw
    type: str


class _Told(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The first fields of Meta."""

    size: int = 0
    encryption: Raw = _RAW
    checksum: _ToldChecksum | None = None
    headers: Raw = _RAW
    user: Raw = _RAW
    tags: Raw = _RAW
    storage_class: str = "STANDARD"
    acl: Acl | None = None


_decode = msgspec.msgpack.Decoder(list[_Told]).decode
_NO_META = objects_meta.packed(Meta())


def told(entries: Sequence[Entry]) -> list[_Told]:
    metas = [one.meta or _NO_META for one in entries]
    return _decode(b"\xdd" + len(metas).to_bytes(4, "big") + b"".join(metas))


def lines(
    bucket: Bucket,
    entries: Sequence[Entry],
    encode: Encode,
    *,
    owner: bool,
    restore: Callable[[Entry], Mapping[str, Any]] | None = None,
    more: Mapping[str, Sequence[Any]] | None = None,
) -> Columns:
    """`restore` answers what a line tells of an archived object's restoring; `more` are columns besides."""
    metas = told(entries)
    each: dict[str, Sequence[Any]] = {
        "Key": encode([one.key for one in entries]),
        "LastModified": Moments([one.modified_ms // 1000 for one in entries]),
        "ETag": [f'"{one.etag}"' for one in entries],
        "Size": [one.size for one in metas],
    }
    kinds: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    rest = [_kind(kinds, bucket, one, owner=owner) for one in metas]
    if restore is not None:
        rest = [{**one, **restore(entry)} for one, entry in zip(rest, entries, strict=True)]
    return Columns({**each, **(more or {})}, rest)


def _kind(
    kinds: dict[tuple[Any, ...], Mapping[str, Any]], bucket: Bucket, meta: _Told, *, owner: bool
) -> Mapping[str, Any]:
    """What a line has in common with others of its kind."""
    checksum = meta.checksum
    whose = (meta.acl.owner if meta.acl is not None else bucket.acl.owner) if owner else ""
    key = (meta.storage_class, checksum and checksum.algorithm, checksum and checksum.type, whose)
    found = kinds.get(key)
    if found is None:
        found = kinds[key] = _of_kind(meta.storage_class, checksum, whose)
    return found


def _of_kind(storage_class: str, checksum: _ToldChecksum | None, owner: str) -> Mapping[str, Any]:
    line: dict[str, Any] = {"StorageClass": storage_class}
    if checksum is not None:
        line |= {"ChecksumAlgorithm": [checksum.algorithm], "ChecksumType": checksum.type}
    if owner:
        line["Owner"] = {"ID": owner}
    return line


def markers(
    bucket: Bucket, entries: Sequence[Entry], encode: Encode, more: Mapping[str, Sequence[Any]]
) -> Columns:
    """Delete markers."""
    owners: dict[str, Mapping[str, Any]] = {}
    names = [objects_meta.of(one).owner or bucket.acl.owner for one in entries]
    return Columns(
        {
            "Key": encode([one.key for one in entries]),
            "LastModified": Moments([one.modified_ms // 1000 for one in entries]),
            **more,
        },
        [owners.setdefault(name, {"Owner": {"ID": name}}) for name in names],
    )
