"""A bucket as a website: the configuration, and where its rules lead a request.

Three questions, so that whoever serves it need not know the rules: `sent_away` before anything is looked up, `page`
for the key to read, and `after_error` once that failed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from cloudstead.core.caller import Caller
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import InvalidRequest, NoSuchWebsiteConfiguration, bad_argument
from cloudstead.services.s3.rows import Settings
from cloudstead.store import Store

_RULES_MAX = 50
_REASONS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 416: "Range Not Satisfiable", 500: "Internal Server Error", 503: "Service Unavailable"}  # fmt: skip


class Website:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_bucket_website(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        website = request["WebsiteConfiguration"]
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketWebsite")
            _check(website)
            self._store.update(bucket, website=website)
        return {}

    def get_bucket_website(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetBucketWebsite")
        if bucket.website is None:
            raise NoSuchWebsiteConfiguration(fields={"BucketName": bucket.name})
        return bucket.website

    def delete_bucket_website(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:DeleteBucketWebsite")
            self._store.update(bucket, website=None)
        return {}


# --- what may be configured


def _check(website: Settings) -> None:
    index, everything = website.get("IndexDocument"), website.get("RedirectAllRequestsTo")
    if everything is not None and len(website) > 1:
        raise InvalidRequest(
            "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."
        )
    if everything is None and index is None:
        raise bad_argument(
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
            "IndexDocument",
            "null",
        )
    if index is not None and (not index["Suffix"] or "/" in index["Suffix"]):
        raise bad_argument("The IndexDocument Suffix is not well formed", "IndexDocument", index["Suffix"])
    if "ErrorDocument" in website and not website["ErrorDocument"]["Key"]:
        raise bad_argument("The ErrorDocument Key is not well formed", "ErrorDocument", "")
    rules = website.get("RoutingRules") or ()
    if len(rules) > _RULES_MAX:
        raise InvalidRequest(f"The number of routing rules must not exceed {_RULES_MAX}.")
    for rule in rules:
        _check_rule(rule)


def _check_rule(rule: Mapping[str, Any]) -> None:
    condition, redirect = rule.get("Condition"), rule["Redirect"]
    if condition is not None and not condition:
        raise InvalidRequest(
            "Condition cannot be empty. To redirect all requests without a condition, the condition element "
            "shouldn't be present."
        )
    error = (condition or {}).get("HttpErrorCodeReturnedEquals")
    if error is not None and not re.fullmatch(r"[45]\d\d", error):
        raise InvalidRequest(
            f"The provided HTTP error code ({error}) is not valid. Valid codes are 4XX or 5XX."
        )
    code = redirect.get("HttpRedirectCode")
    if code is not None and (not re.fullmatch(r"3\d\d", code) or code == "300"):
        raise InvalidRequest(
            f"The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300."
        )
    if "ReplaceKeyWith" in redirect and "ReplaceKeyPrefixWith" in redirect:
        raise InvalidRequest("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
    if not redirect:
        raise InvalidRequest(
            "At least one of the following must be specified: Protocol, HostName, ReplaceKeyPrefixWith, "
            "ReplaceKeyWith, HttpRedirectCode."
        )


# --- where a request goes


@dataclass(frozen=True)
class Redirect:
    location: str
    status: int = 301


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request to the website."""

    key: str  # the path, decoded, without the slash it begins with
    host: str  # with the port, if one was given
    scheme: str = "http"


def sent_away(website: Settings, visit: Visit) -> Redirect | None:
    """Where the request is redirected to, whatever lies under its key."""
    if (everything := website.get("RedirectAllRequestsTo")) is not None:
        scheme = everything.get("Protocol") or visit.scheme
        return Redirect(f"{scheme}://{everything['HostName']}/{quote(visit.key)}")
    return _by_rule(website, visit, None)


def page(website: Settings, visit: Visit) -> str:
    """The key to read: the index document for what looks like a folder."""
    suffix: str = website["IndexDocument"]["Suffix"]
    return visit.key + suffix if not visit.key or visit.key.endswith("/") else visit.key


def as_folder(website: Settings, visit: Visit) -> str | None:
    """The key whose existence makes a missing key a folder, to be asked for with a slash at its end."""
    return f"{visit.key}/{website['IndexDocument']['Suffix']}" if page(website, visit) == visit.key else None


def to_folder(visit: Visit) -> Redirect:
    return Redirect(f"/{quote(visit.key)}/", 302)


def after_error(website: Settings, visit: Visit, status: int) -> Redirect | str | None:
    """After a 4xx or 5xx: a redirect, or the key of the error document; None for a page of our own."""
    found = _by_rule(website, visit, str(status))
    if found is not None:
        return found
    document = website.get("ErrorDocument")
    return document["Key"] if document is not None else None


def _by_rule(website: Settings, visit: Visit, error: str | None) -> Redirect | None:
    """By the first rule whose conditions all hold. One on an error waits for the error."""
    for rule in website.get("RoutingRules") or ():
        condition = rule.get("Condition") or {}
        prefix = condition.get("KeyPrefixEquals", "")
        if condition.get("HttpErrorCodeReturnedEquals") == error and visit.key.startswith(prefix):
            return _followed(rule["Redirect"], prefix, visit)
    return None


def _followed(redirect: Mapping[str, Any], prefix: str, visit: Visit) -> Redirect:
    key = visit.key
    if "ReplaceKeyWith" in redirect:
        key = redirect["ReplaceKeyWith"]
    elif "ReplaceKeyPrefixWith" in redirect:
        key = redirect["ReplaceKeyPrefixWith"] + key[len(prefix) :]
    scheme, host = redirect.get("Protocol") or visit.scheme, redirect.get("HostName") or visit.host
    return Redirect(f"{scheme}://{host}/{quote(key)}", int(redirect.get("HttpRedirectCode", 301)))


def error_page(status: int, code: str, message: str, more: Mapping[str, object], request_id: str) -> bytes:
    """The page that a visitor sees where there is no error document."""
    title = f"{status} {_REASONS.get(status, 'Error')}"
    lines = {"Code": code, "Message": message, **more, "RequestId": request_id}
    items = "".join(f"<li>{escape(name)}: {escape(str(value))}</li>\n" for name, value in lines.items())
    return (
        f"<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n{items}</ul>\n"
        "<hr/>\n</body>\n</html>\n"
    ).encode()
