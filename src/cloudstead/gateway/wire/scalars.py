"""Timestamps, numbers and text as they are written on the wire, both ways.

Reading is lenient (every format is accepted everywhere, as AWS does); writing is exact.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_RFC822 = re.compile(
    r"(?:\w+,\s*)?(\d{1,2})[ -](\w{3})[ -](\d{4}|\d{2})\s+(\d{2}):(\d{2}):(\d{2})(\.\d{1,6})?\s*(?:GMT|UTC|Z|([+-]\d{4}))"
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def read_timestamp(text: str) -> datetime:
    """ISO 8601, RFC 822 or epoch seconds. A time without a zone is UTC. Raises ValueError."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return read_epoch(float(text))
    dated = _RFC822.fullmatch(text)
    if dated:
        return _from_rfc822(dated)
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def read_epoch(seconds: float) -> datetime:
    """Raises ValueError for a moment outside the years 1 to 9999."""
    try:
        whole = math.floor(seconds)
        return _EPOCH + timedelta(seconds=whole, microseconds=round((seconds - whole) * 1_000_000))
    except (OverflowError, ValueError) as e:
        raise ValueError("not a moment a calendar has") from e


def _from_rfc822(found: re.Match[str]) -> datetime:
    day, month, year, hour, minute, second, fraction, offset = found.groups()
    if month.title() not in _MONTHS:
        raise ValueError("no such month")
    full_year = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 70 else 1900)
    moment = datetime(
        full_year, _MONTHS.index(month.title()) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
    )
    if fraction:
        moment += timedelta(seconds=float(fraction))
    if offset:
        shift = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
        moment -= shift if offset[0] == "+" else -shift
    return moment


def iso8601(moment: datetime) -> str:
    """`2026-01-02T03:04:05Z`, with milliseconds only where there are any."""
    if moment.microsecond:
        return iso8601_milliseconds(moment)
    return _utc(moment).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def iso8601_milliseconds(moment: datetime) -> str:
    """`2026-01-02T03:04:05.000Z`."""
    return _utc(moment).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


@lru_cache(maxsize=4096)  # objects are read more often than they are made
def rfc822(moment: datetime) -> str:
    """`Fri, 02 Jan 2026 03:04:05 GMT`, whatever the locale."""
    utc = _utc(moment)
    day, month = _DAYS[utc.weekday()], _MONTHS[utc.month - 1]
    return f"{day}, {utc.day:02d} {month} {utc.year:04d} {utc.hour:02d}:{utc.minute:02d}:{utc.second:02d} GMT"


def epoch(moment: datetime) -> int | float:
    """Seconds, whole where they are; to the millisecond otherwise."""
    elapsed = _utc(moment) - _EPOCH
    seconds = elapsed.days * 86400 + elapsed.seconds
    return seconds + round(elapsed.microseconds / 1_000_000, 3) if elapsed.microseconds else seconds


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise TypeError(f"a time without a zone: {moment!r}")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def read_float(text: str) -> float:
    """Raises ValueError. Only AWS's spellings of the special values count, not Python's."""
    if text in ("NaN", "Infinity", "-Infinity"):
        return float(text)
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    return float(text)


def read_integer(text: str) -> int:
    """Raises ValueError; no underscores, no spaces, no 5000-digit numbers."""
    if len(text) > 20 or not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        raise ValueError("not an integer")
    return int(text)


def read_boolean(text: str) -> bool:
    """Raises ValueError for anything but XML Schema's spellings."""
    match text:
        case "true" | "1":
            return True
        case "false" | "0":
            return False
    raise ValueError("not a boolean")


def float_text(value: float) -> str:
    if value != value:  # noqa: PLR0124 - NaN alone is unlike itself
        return "NaN"
    if value in (math.inf, -math.inf):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(float(value))


def header_list(text: str) -> list[str]:
    """`a, "b,c", d` → three values; quotes may be escaped by a backslash."""
    if not text.strip():
        return []
    if '"' not in text:
        return [part.strip() for part in text.split(",")]
    return [
        quoted.replace('\\"', '"') if plain == "" and quoted is not None else plain.strip()
        for quoted, plain in _quoted_parts(text)
    ]


def _quoted_parts(text: str) -> list[tuple[str | None, str]]:
    parts: list[tuple[str | None, str]] = []
    for found in re.finditer(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*))\s*(?:,|$)', text):
        if found.end() == found.start():
            break
        parts.append((found[1], found[2] or ""))
    return parts


def http_date_list(text: str) -> list[str]:
    """Dates hold a comma of their own: every second comma separates."""
    parts = text.split(",")
    return [",".join(parts[at : at + 2]).strip() for at in range(0, len(parts), 2)]
