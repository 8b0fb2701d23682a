"""What a lifecycle configuration may say, and S3's words for the rest."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from cloudstead.services.s3.errors import InvalidArgument, InvalidRequest, MalformedXML

RULES_MAX = 1000
#: Storage classes from the warmest down; objects are only ever moved downwards.
CLASSES = (
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
)

_ID_LENGTH_MAX = 255
_INFREQUENT_DAYS_MIN = 30
_INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")
_NEWER_MAX = 100
_ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransitions",
    "AbortIncompleteMultipartUpload",
)

Rule = Mapping[str, Any]


def check(rules: Sequence[Rule]) -> None:
    """Raise what S3 says of the first fault."""
    if not 1 <= len(rules) <= RULES_MAX:
        raise MalformedXML
    ids = [rule["ID"] for rule in rules if rule.get("ID")]
    if any(len(id) > _ID_LENGTH_MAX for id in ids):
        raise InvalidArgument("ID length should not exceed allowed limit of 255")
    if len(set(ids)) < len(ids):
        raise InvalidArgument("Rule ID must be unique. Found same ID for more than one rule")
    for rule in rules:
        _check_scope(rule)
        if not any(rule.get(action) for action in _ACTIONS):
            raise InvalidRequest("At least one action needs to be specified in a rule")
        _check_expiration(rule)
        _check_transitions(rule)
        _check_noncurrent(rule)
        _check_abort(rule)


def prefix_of(rule: Rule) -> str:
    wanted = rule.get("Filter") or {}
    prefix: str = wanted.get("Prefix") or (wanted.get("And") or {}).get("Prefix") or rule.get("Prefix") or ""
    return prefix


def tags_of(rule: Rule) -> Sequence[Mapping[str, str]]:
    wanted = rule.get("Filter") or {}
    tags: Sequence[Mapping[str, str]] = (wanted.get("And") or {}).get("Tags") or ()
    return [wanted["Tag"]] if wanted.get("Tag") else tags


def sizes_of(rule: Rule) -> tuple[int | None, int | None]:
    """Objects must be larger than the one, smaller than the other."""
    wanted = rule.get("Filter") or {}
    either = {**(wanted.get("And") or {}), **wanted}
    return either.get("ObjectSizeGreaterThan"), either.get("ObjectSizeLessThan")


# --- which objects


def _check_scope(rule: Rule) -> None:
    if ("Filter" in rule) == ("Prefix" in rule):
        raise MalformedXML
    wanted = rule.get("Filter") or {}
    if len(wanted) > 1:
        raise MalformedXML
    both = wanted.get("And")
    if both is not None and not both:
        raise MalformedXML
    keys = [tag["Key"] for tag in tags_of(rule)]
    if len(set(keys)) < len(keys):
        raise InvalidRequest("Duplicate Tag Keys are not allowed.")
    larger, smaller = sizes_of(rule)
    if larger is not None and smaller is not None and smaller <= larger:
        raise InvalidRequest("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")


# --- what is done with them


def _check_expiration(rule: Rule) -> None:
    expiration = rule.get("Expiration")
    if expiration is None:
        return
    if len(expiration) != 1:
        raise MalformedXML
    if "Days" in expiration and expiration["Days"] <= 0:
        raise InvalidArgument("'Days' for Expiration action must be a positive integer")
    if "ExpiredObjectDeleteMarker" in expiration and tags_of(rule):
        raise InvalidRequest("ExpiredObjectDeleteMarker cannot be specified with Tags.")
    _check_date(expiration)


def _check_date(action: Mapping[str, Any]) -> None:
    date: datetime | None = action.get("Date")
    if date is not None and date.astimezone(UTC).time().replace(microsecond=0).isoformat() != "00:00:00":
        raise InvalidArgument("'Date' must be at midnight GMT")


def _check_transitions(rule: Rule) -> None:
    transitions = rule.get("Transitions") or ()
    for transition in transitions:
        if ("Days" in transition) == ("Date" in transition) or "StorageClass" not in transition:
            raise MalformedXML
        _check_date(transition)
        _check_days(transition.get("Days"), transition["StorageClass"], "Days", "Transition")
    _check_different(transitions, rule, "Transition")
    actions = [*transitions, *([rule["Expiration"]] if rule.get("Expiration") else [])]
    kinds = {kind for action in actions for kind in ("Days", "Date") if kind in action}
    if len(kinds) > 1:
        raise InvalidRequest(
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for "
            f"{_where(rule)}"
        )
    for kind in kinds:
        _check_order(rule, transitions, kind)


def _check_days(days: int | None, storage_class: str, member: str, action: str) -> None:
    if days is not None and days < 0:
        raise InvalidArgument(f"'{member}' for {action} action must be nonnegative")
    if days is not None and storage_class in _INFREQUENT and days < _INFREQUENT_DAYS_MIN:
        raise InvalidArgument(
            f"'{member}' in {action} action must be greater than or equal to {_INFREQUENT_DAYS_MIN} for storageClass "
            f"'{storage_class}'"
        )


def _check_different(transitions: Sequence[Mapping[str, Any]], rule: Rule, action: str) -> None:
    classes = [transition["StorageClass"] for transition in transitions]
    if len(set(classes)) < len(classes):
        raise InvalidRequest(
            f"'StorageClass' must be different for '{action}' actions in same 'Rule' with {_where(rule)}"
        )


def _check_order(rule: Rule, transitions: Sequence[Mapping[str, Any]], kind: str) -> None:
    """A colder class comes later, and the end last of all."""
    colder = sorted(transitions, key=lambda transition: CLASSES.index(transition["StorageClass"]))
    for warm, cold in pairwise(colder):
        if cold[kind] <= warm[kind]:
            raise InvalidArgument(
                f"'{kind}' in the 'Transition' action for StorageClass '{cold['StorageClass']}' for filter "
                f"'({_where(rule)})' must be greater than '{kind}' in the 'Transition' action for StorageClass "
                f"'{warm['StorageClass']}' for filter '({_where(rule)})'"
            )
    end = (rule.get("Expiration") or {}).get(kind)
    if end is not None and any(end <= transition[kind] for transition in transitions):
        raise InvalidArgument(
            f"'{kind}' in the Expiration action for filter '({_where(rule)})' must be greater than '{kind}' in the "
            "Transition action"
        )


def _where(rule: Rule) -> str:
    return f"prefix '{prefix_of(rule)}'"


def _check_noncurrent(rule: Rule) -> None:
    expiration = rule.get("NoncurrentVersionExpiration")
    if expiration is not None:
        if "NoncurrentDays" not in expiration:
            raise MalformedXML
        if expiration["NoncurrentDays"] <= 0:
            raise InvalidArgument(
                "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer"
            )
    transitions = rule.get("NoncurrentVersionTransitions") or ()
    for transition in transitions:
        if "NoncurrentDays" not in transition or "StorageClass" not in transition:
            raise MalformedXML
        _check_days(
            transition["NoncurrentDays"],
            transition["StorageClass"],
            "NoncurrentDays",
            "NoncurrentVersionTransition",
        )
    _check_different(transitions, rule, "NoncurrentVersionTransition")
    for action in [*transitions, *([expiration] if expiration else [])]:
        newer = action.get("NewerNoncurrentVersions")
        if newer is None:
            continue
        if not 1 <= newer <= _NEWER_MAX:
            raise InvalidArgument("'NewerNoncurrentVersions' must be a positive integer of at most 100")
        if "Filter" not in rule:
            raise InvalidRequest("'NewerNoncurrentVersions' cannot be specified without a Filter element")
    days = [transition["NoncurrentDays"] for transition in transitions]
    if expiration is not None and any(expiration["NoncurrentDays"] <= each for each in days):
        raise InvalidArgument(
            f"'NoncurrentDays' in the NoncurrentVersionExpiration action for filter '({_where(rule)})' must be "
            "greater than 'NoncurrentDays' in the NoncurrentVersionTransition action"
        )


def _check_abort(rule: Rule) -> None:
    abort = rule.get("AbortIncompleteMultipartUpload")
    if abort is None:
        return
    if tags_of(rule):
        raise InvalidRequest("AbortIncompleteMultipartUpload cannot be specified with Tags.")
    if any(size is not None for size in sizes_of(rule)):
        raise InvalidRequest(
            "AbortIncompleteMultipartUpload cannot be specified with object size conditions."
        )
    if abort.get("DaysAfterInitiation", 0) <= 0:
        raise InvalidArgument(
            "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"
        )


def enabled(rules: Sequence[Rule]) -> Iterator[Rule]:
    return (rule for rule in rules if rule["Status"] == "Enabled")
