"""Conditions on requests: which decide, and in which order, when several are given.

Reads follow RFC 9110: a condition on the ETag beats the one on the time beside it. Copies know the same four for
their source, but fail where a read would say "not modified". Writes know only two, each in one form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cloudstead.services.s3.errors import NoSuchKey, NotImplementedHeader, NotModified, PreconditionFailed


@dataclass(frozen=True)
class Current:
    """What conditions are about: an object as it is."""

    etag: str  # without quotes
    modified_at: datetime


_OF_READS = frozenset(("IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince"))


def is_conditional(request: Mapping[str, Any]) -> bool:
    """Whether a request to read names any condition: few do."""
    return not _OF_READS.isdisjoint(request)


def check_read(request: Mapping[str, Any], current: Current, now: datetime) -> None:
    """Raise NotModified or PreconditionFailed if the object is not to be read."""
    failed = _failed(request, current, now, prefix="")
    if failed in ("If-None-Match", "If-Modified-Since"):
        raise NotModified("Not Modified", headers=_told(current))
    if failed is not None:
        raise precondition_failed(failed)


def check_source(request: Mapping[str, Any], current: Current, now: datetime) -> None:
    """Raise PreconditionFailed if the object is not to be copied."""
    failed = _failed(request, current, now, prefix="CopySource")
    if failed is not None:
        raise precondition_failed(f"x-amz-copy-source-{failed}")


def check_rename(
    request: Mapping[str, Any], current: Current, now: datetime, prefix: Literal["Source", "Destination"]
) -> None:
    """Raise PreconditionFailed if the object is not to be renamed, or not to be written over."""
    failed = _failed(request, current, now, prefix=prefix)
    if failed is not None:
        raise precondition_failed(f"x-amz-rename-source-{failed}" if prefix == "Source" else failed)


def _failed(request: Mapping[str, Any], current: Current, now: datetime, *, prefix: str) -> str | None:
    """The condition that does not hold. One on the ETag that holds overrules the one on the time beside it."""
    second = current.modified_at.replace(microsecond=0)
    match, unmodified = request.get(f"{prefix}IfMatch"), request.get(f"{prefix}IfUnmodifiedSince")
    if match is not None:
        if not matches(match, current.etag):
            return "If-Match"
    elif unmodified is not None and second > unmodified:
        return "If-Unmodified-Since"
    none_match, modified = request.get(f"{prefix}IfNoneMatch"), request.get(f"{prefix}IfModifiedSince")
    if none_match is not None:
        return "If-None-Match" if matches(none_match, current.etag) else None
    if modified is not None and second <= modified <= now:
        return "If-Modified-Since"
    return None


def matches(condition: str, etag: str) -> bool:
    """Whether an ETag is among those of a condition."""
    return any(one in ("*", etag) for one in map(unquoted, condition.split(",")))


def unquoted(etag: str) -> str:
    return etag.strip().removeprefix("W/").strip('"')


def _told(current: Current) -> dict[str, str]:
    modified = current.modified_at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {"ETag": f'"{current.etag}"', "Last-Modified": modified}


def precondition_failed(condition: str) -> PreconditionFailed:
    return PreconditionFailed(
        "At least one of the pre-conditions you specified did not hold", fields={"Condition": condition}
    )


# --- writes


@dataclass(frozen=True)
class WriteCondition:
    """What must be true of the key at the moment of the write."""

    etag: str | None = None  # the current object's; "*" if any will do
    absent: bool = False


def write_condition(request: Mapping[str, Any], *, any_etag: bool = False) -> WriteCondition | None:
    """What a write demands. `any_etag`: whether If-Match may be `*`, as it may for deletes alone."""
    match, none_match = request.get("IfMatch"), request.get("IfNoneMatch")
    if match is not None and none_match is not None:
        raise _not_implemented(
            "If-Match,If-None-Match", "Multiple conditional request headers present in the request"
        )
    if none_match is not None:
        if none_match.strip() != "*":
            raise _not_implemented("If-None-Match", _not_accepted("If-None-Match"))
        return WriteCondition(absent=True)
    if match is None:
        return None
    if match.strip() == "*" and not any_etag:
        raise _not_implemented("If-Match", _not_accepted("If-Match"))
    return WriteCondition(etag=unquoted(match))


def check_write(
    wanted: WriteCondition | None, etag: str | None, *, exists: bool | None = None, key: str = ""
) -> None:
    """Raise unless the key is as the write demands. `etag` None: no object, or a delete marker (`exists`)."""
    if wanted is None:
        return
    if wanted.absent:
        if etag is not None:
            raise precondition_failed("If-None-Match")
        return
    if etag is None and not exists:
        raise NoSuchKey("The specified key does not exist.", fields={"Key": key})
    if etag is None or wanted.etag not in ("*", etag):
        raise precondition_failed("If-Match")


def _not_implemented(header: str, additional: str) -> NotImplementedHeader:
    return NotImplementedHeader(
        "A header you provided implies functionality that is not implemented",
        fields={"Header": header, "additionalMessage": additional},
    )


def _not_accepted(header: str) -> str:
    return f"We don't accept the provided value of {header} header for this API"
