"""ImportFirewallDomains: a list's domains from a file in a bucket, one in each line.

It is read as the caller, who must be able to read it. What comes of it stands in the list's status, as on AWS: a file
that cannot be used leaves the list as it was.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.route53resolver.directory import Directory
from cloudstead.services.route53resolver.domain_lists import checked, write
from cloudstead.services.route53resolver.errors import LimitExceededException, ValidationException
from cloudstead.services.route53resolver.rows import DomainList

#: The bytes of an object, by its bucket and key, as the caller may read it; S3's error if not.
ReadObject = Callable[[Caller, str, str], Awaitable[bytes]]

_MESSAGE_LENGTH_MAX = 255
_URLS = (
    re.compile(r"s3://([^/]+)/(.+)"),
    re.compile(r"https://([^/]+?)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com/(.+)"),
    re.compile(r"https://s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com/([^/]+)/(.+)"),
)


class Imports:
    def __init__(self, directory: Directory, read: ReadObject) -> None:
        self._directory = directory
        self._read = read

    async def import_firewall_domains(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        id = request["FirewallDomainListId"]
        self._directory.find(DomainList, caller, id)
        bucket, key = _place(request["DomainFileUrl"])
        failure, wanted = "", set[str]()
        try:
            text = (await self._read(caller, bucket, key)).decode()
            wanted = checked(filter(None, (line.strip() for line in text.splitlines())))
        except UnicodeDecodeError:
            failure = "The file is no text."
        except ServiceError as e:
            failure = e.message
        return self._finish(caller, id, wanted, failure)

    def _finish(self, caller: Caller, id: str, wanted: set[str], failure: str) -> dict[str, Any]:
        store = self._directory.store
        with store.transaction():
            row = self._directory.find(DomainList, caller, id)
            if not failure:
                try:
                    row = write(self._directory, caller, row, wanted)
                except LimitExceededException as e:
                    failure = e.message
            if failure:
                row = store.update(
                    row, status="COMPLETE_IMPORT_FAILED", status_message=failure[:_MESSAGE_LENGTH_MAX]
                )
        return {"Id": row.id, "Name": row.name, "Status": row.status, "StatusMessage": row.status_message}


def _place(url: str) -> tuple[str, str]:
    for form in _URLS:
        found = form.fullmatch(url)
        if found is not None:
            return found[1], unquote(found[2]) if url.startswith("https") else found[2]
    raise ValidationException(f"The URL '{url}' is not that of a file in Amazon S3.")
