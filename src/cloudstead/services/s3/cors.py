"""Cross-origin resource sharing: a bucket's rules, what a preflight is answered, and what other answers carry.

The first rule that fits a request speaks alone. A request that no rule fits is served all the same, only without the
headers that would let a browser show it to the page; a preflight is refused.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from cloudstead.core.caller import Caller
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import (
    AccessForbidden,
    BadRequest,
    InvalidRequest,
    MalformedXML,
    NoSuchCORSConfiguration,
)
from cloudstead.services.s3.rows import Bucket
from cloudstead.store import Store

RULES_MAX = 100
METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")

_VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
_ID_LENGTH_MAX = 255

Rule = Mapping[str, Any]


class Cors:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_bucket_cors(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        rules = request["CORSConfiguration"]["CORSRules"]
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketCORS")
            _check(rules)
            self._store.update(bucket, cors=rules)
        return {}

    def get_bucket_cors(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetBucketCORS")
        if not bucket.cors:
            raise NoSuchCORSConfiguration(fields={"BucketName": bucket.name})
        return {"CORSRules": bucket.cors}

    def delete_bucket_cors(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketCORS")
            self._store.update(bucket, cors=[])
        return {}


def _check(rules: Sequence[Rule]) -> None:
    if not rules:
        raise MalformedXML
    if len(rules) > RULES_MAX:
        raise InvalidRequest(
            f"The number of CORS rules should not exceed allowed limit of {RULES_MAX} rules."
        )
    for rule in rules:
        if len(rule.get("ID", "")) > _ID_LENGTH_MAX:
            raise InvalidRequest("The length of the ID should not exceed 255 characters.")
        if not rule["AllowedMethods"] or not rule["AllowedOrigins"]:
            raise MalformedXML
        for method in rule["AllowedMethods"]:
            if method not in METHODS:
                raise InvalidRequest(
                    f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
                )
        for name in ("AllowedOrigin", "AllowedHeader"):
            for value in rule.get(f"{name}s", ()):
                if value.count("*") > 1:
                    raise InvalidRequest(f'{name} "{value}" can not have more than one wildcard.')
        for header in rule.get("ExposeHeaders", ()):
            if "*" in header:
                raise InvalidRequest(
                    f'ExposeHeader "{header}" contains wildcard. We currently do not support wildcard for ExposeHeader.'
                )


# --- what browsers are told


def preflight(bucket: Bucket | None, headers: Mapping[str, str], *, of_object: bool) -> dict[str, str]:
    """The headers of the answer to an OPTIONS request, which is 200 and empty. Names of `headers` in small letters.

    Raises BadRequest or AccessForbidden. Nobody signs these requests, so a bucket that does not exist looks like one
    without rules.
    """
    origin, method = headers.get("origin"), headers.get("access-control-request-method")
    if not origin:
        raise BadRequest("Insufficient information. Origin request header needed.")
    if method not in METHODS:
        raise BadRequest(f"Invalid Access-Control-Request-Method: {method or 'null'}")
    asked = _list(headers.get("access-control-request-headers", ""))
    if bucket is None or not bucket.cors:
        _forbid("CORS is not enabled for this bucket.", method, of_object=of_object)
    rule = _fitting(bucket.cors, origin, method, asked)
    if rule is None:
        _forbid(
            "This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
            "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's "
            "CORS spec.",
            method,
            of_object=of_object,
        )
    allowed = {"Access-Control-Allow-Headers": ", ".join(asked)} if asked else {}
    return {**_told(rule, origin), **allowed}


def headers_for(bucket: Bucket, origin: str, method: str) -> dict[str, str]:
    """What the answer to a request with an Origin carries besides."""
    rule = _fitting(bucket.cors, origin, method, ()) if bucket.cors else None
    return _told(rule, origin) if rule is not None else {}


def _forbid(text: str, method: str, *, of_object: bool) -> NoReturn:
    raise AccessForbidden(
        f"CORSResponse: {text}",
        fields={"Method": method, "ResourceType": "OBJECT" if of_object else "BUCKET"},
    )


def _list(text: str) -> list[str]:
    return [name.strip().lower() for name in text.split(",") if name.strip()]


def _fitting(rules: Sequence[Rule], origin: str, method: str, asked: Sequence[str]) -> Rule | None:
    return next(
        (
            rule
            for rule in rules
            if method in rule["AllowedMethods"]
            and any(_matches(allowed, origin) for allowed in rule["AllowedOrigins"])
            and all(
                any(_matches(allowed.lower(), name) for allowed in rule.get("AllowedHeaders", ()))
                for name in asked
            )
        ),
        None,
    )


def _matches(pattern: str, text: str) -> bool:
    """With at most one * in the pattern."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def _told(rule: Rule, origin: str) -> dict[str, str]:
    told = {
        "Access-Control-Allow-Origin": "*" if "*" in rule["AllowedOrigins"] else origin,
        "Access-Control-Allow-Methods": ", ".join(rule["AllowedMethods"]),
    }
    if exposed := rule.get("ExposeHeaders"):
        told["Access-Control-Expose-Headers"] = ", ".join(exposed)
    if (age := rule.get("MaxAgeSeconds")) is not None:
        told["Access-Control-Max-Age"] = str(age)
    if told["Access-Control-Allow-Origin"] != "*":
        told["Access-Control-Allow-Credentials"] = "true"
    return {**told, "Vary": _VARY}
