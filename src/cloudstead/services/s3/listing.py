"""ListObjects in both versions, and ListObjectVersions: the engine's pages in S3's words.

Keys come in the order of their UTF-8 bytes. `encoding-type=url` is how clients get keys that no XML can hold;
everything that is or may be part of a key is encoded then, the markers too.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from cloudstead.core.caller import Caller
from cloudstead.core.columns import Columns
from cloudstead.dataplane.objects.driver import Entry, Version
from cloudstead.services.s3 import buckets, listed
from cloudstead.services.s3.errors import bad_argument
from cloudstead.services.s3.objects import Objects
from cloudstead.services.s3.objects_meta import ARCHIVED, Meta, from_ms, of
from cloudstead.services.s3.rows import Bucket

PAGE_MAX = 1000

Encode = Callable[[str], str]

_NOTHING_ELSE: Mapping[str, Any] = {}
#: Whether `quote` leaves all of it as it is.
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*").fullmatch


class Listing:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def list_objects(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._objects.store, caller, request, "s3:ListBucket")
        limit, encode = page_size(request, "MaxKeys", "maxKeys"), encoding(request)
        prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
        marker = request.get("Marker", "")
        page = self._objects.engine.list_objects(
            bucket.bucket_id, prefix=prefix, delimiter=delimiter, after=marker, limit=limit
        )
        answer = {
            "Name": bucket.name,
            "Prefix": prefix,  # never encoded here, unlike in the newer version
            "Marker": encode(marker),
            "MaxKeys": limit,
            "IsTruncated": page.next is not None,
            **_contents(self._objects, bucket, page.entries, request, encode, owner=True),
            **common(page.prefixes, delimiter, request, encode),
        }
        if page.next is not None and delimiter:
            answer["NextMarker"] = encode(page.next)
        return answer

    def list_objects_v2(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._objects.store, caller, request, "s3:ListBucket")
        limit, encode = page_size(request, "MaxKeys", "maxKeys"), encoding(request)
        prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
        token, start = request.get("ContinuationToken"), request.get("StartAfter")
        page = self._objects.engine.list_objects(
            bucket.bucket_id,
            prefix=prefix,
            delimiter=delimiter,
            after=_read(token) if token is not None else start or "",
            limit=limit,
        )
        answer = {
            "Name": bucket.name,
            "Prefix": encode(prefix),
            "MaxKeys": limit,
            "KeyCount": len(page.entries) + len(page.prefixes),
            "IsTruncated": page.next is not None,
            **_contents(
                self._objects, bucket, page.entries, request, encode, owner=request.get("FetchOwner", False)
            ),
            **common(page.prefixes, delimiter, request, encode),
        }
        if token is not None:
            answer["ContinuationToken"] = token
        if start is not None:
            answer["StartAfter"] = encode(start)
        if page.next is not None:
            answer["NextContinuationToken"] = _token(page.next)
        return answer

    def list_object_versions(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._objects.store, caller, request, "s3:ListBucketVersions")
        limit, encode = page_size(request, "MaxKeys", "maxKeys"), encoding(request)
        prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
        marker, id_marker = request.get("KeyMarker", ""), request.get("VersionIdMarker", "")
        if id_marker and not marker:
            raise bad_argument(
                "A version-id marker cannot be specified without a key marker.",
                "version-id-marker",
                id_marker,
            )
        page = self._objects.engine.list_versions(
            bucket.bucket_id, prefix=prefix, delimiter=delimiter, after=(marker, id_marker), limit=limit
        )
        versions = [one for one in page.versions if not one.entry.delete_marker]
        markers = [one for one in page.versions if one.entry.delete_marker]
        answer: dict[str, Any] = {
            "Name": bucket.name,
            "Prefix": encode(prefix),
            "KeyMarker": encode(marker),
            "VersionIdMarker": id_marker,
            "MaxKeys": limit,
            "IsTruncated": page.next is not None,
            **common(page.prefixes, delimiter, request, encode),
        }
        if versions:
            answer["Versions"] = listed.lines(
                bucket,
                [one.entry for one in versions],
                partial(_all, encode),
                owner=True,
                restore=_restores(self._objects, request),
                more=_ids(versions),
            )
        if markers:
            answer["DeleteMarkers"] = listed.markers(
                bucket, [one.entry for one in markers], partial(_all, encode), _ids(markers)
            )
        if page.next is not None:
            answer["NextKeyMarker"] = encode(page.next[0])
            if page.next[1]:
                answer["NextVersionIdMarker"] = page.next[1]
        return answer


# --- what a request asks for


def page_size(request: Mapping[str, Any], member: str, argument: str) -> int:
    """How many lines a page may have."""
    asked = request.get(member)
    if asked is None:
        return PAGE_MAX
    if not 0 <= asked <= 2**31 - 1:
        raise bad_argument(
            f"Argument {argument} must be an integer between 0 and 2147483647", argument, asked
        )
    return min(int(asked), PAGE_MAX)


def encoding(request: Mapping[str, Any]) -> Encode:
    kind = request.get("EncodingType")
    if kind is None:
        return str
    if kind != "url":
        raise bad_argument("Invalid Encoding Method specified in Request", "encoding-type", kind)
    return quote


def _token(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).decode()


def _read(token: str) -> str:
    try:
        found = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        found = ""
    if not found:
        raise bad_argument("The continuation token provided is incorrect", "continuation-token", token)
    return found


# --- lines


def common(
    prefixes: Sequence[str], delimiter: str, request: Mapping[str, Any], encode: Encode
) -> dict[str, Any]:
    """What all listings tell of prefixes, and of how they were made."""
    told: dict[str, Any] = {}
    if delimiter:
        told["Delimiter"] = encode(delimiter)
    if request.get("EncodingType"):
        told["EncodingType"] = request["EncodingType"]
    if prefixes:
        told["CommonPrefixes"] = Columns({"Prefix": _all(encode, prefixes)}, [_NOTHING_ELSE] * len(prefixes))
    return told


def _contents(
    objects: Objects,
    bucket: Bucket,
    entries: Sequence[Entry],
    request: Mapping[str, Any],
    encode: Encode,
    *,
    owner: bool,
) -> dict[str, Any]:
    if not entries:
        return {}
    restore = _restores(objects, request)
    return {"Contents": listed.lines(bucket, entries, partial(_all, encode), owner=owner, restore=restore)}


def _all(encode: Encode, texts: Sequence[str]) -> Sequence[str]:
    """Encoded, each of them. Most pages have nothing in them that is written in another way."""
    if encode is str or _PLAIN("".join(texts)):
        return texts
    return [encode(one) for one in texts]


def _restores(objects: Objects, request: Mapping[str, Any]) -> Callable[[Entry], Mapping[str, Any]] | None:
    """What lines tell of restoring, if the request wants to know."""
    if not request.get("OptionalObjectAttributes"):
        return None
    now_ms = objects.now_ms()

    def told(entry: Entry) -> Mapping[str, Any]:
        meta = of(entry)
        return {"RestoreStatus": _restore_status(meta, now_ms)} if meta.storage_class in ARCHIVED else {}

    return told


def _restore_status(meta: Meta, now_ms: int) -> dict[str, Any]:
    status: dict[str, Any] = {"IsRestoreInProgress": False}
    if meta.restored_until_ms > now_ms:
        status["RestoreExpiryDate"] = from_ms(meta.restored_until_ms)
    return status


def _ids(versions: Sequence[Version]) -> dict[str, Sequence[Any]]:
    return {
        "VersionId": [one.entry.version_id for one in versions],
        "IsLatest": [one.is_latest for one in versions],
    }
