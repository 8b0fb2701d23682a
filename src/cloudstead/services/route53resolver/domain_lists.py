"""Lists of domains that firewall rules speak of. One row holds a list whole, so a change of it is one step."""

from collections.abc import Iterable, Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.route53resolver import domains
from cloudstead.services.route53resolver.directory import Directory
from cloudstead.services.route53resolver.errors import (
    ConflictException,
    LimitExceededException,
    ValidationException,
)
from cloudstead.services.route53resolver.paging import paged
from cloudstead.services.route53resolver.rows import DomainList, RuleGroup, stamp

LISTS_MAX = 1000
DOMAINS_MAX = 100_000  # of an account
DOMAINS_PER_UPDATE_MAX = 1000


class DomainLists:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def create_firewall_domain_list(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            made = self._directory.made_before(DomainList, caller, request)
            if made is None:
                if len(self._directory.mine(DomainList, caller)) >= LISTS_MAX:
                    raise LimitExceededException(
                        f"An account cannot have more than {LISTS_MAX} firewall domain lists."
                    )
                owned = self._directory.owned(caller, request, DomainList.prefix)
                made = self._store.insert(DomainList(**owned, name=request["Name"]))
        return {"FirewallDomainList": _shown(made)}

    def get_firewall_domain_list(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"FirewallDomainList": _shown(self._find(caller, request))}

    def list_firewall_domain_lists(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return paged(
            "FirewallDomainLists",
            self._directory.mine(DomainList, caller),
            request,
            key=lambda row: row.id,
            shown=lambda row: {
                "Id": row.id,
                "Arn": row.arn(),
                "Name": row.name,
                "CreatorRequestId": row.creator_request_id,
                "Status": row.status,
            },
            bad_token=ValidationException,
        )

    def delete_firewall_domain_list(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            row = self._find(caller, request)
            for group in self._store.rows(RuleGroup):
                if any(rule.list_id == row.id for rule in group.rules):
                    raise ConflictException(
                        f"The firewall domain list '{row.id}' is used by a rule of the rule group '{group.id}'."
                    )
            self._store.delete(row)
        return {"FirewallDomainList": {**_shown(row), "Status": "DELETING"}}

    def list_firewall_domains(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        row = self._find(caller, request)
        return paged(
            "Domains",
            row.domains,
            request,
            key=lambda name: name,
            shown=lambda name: name,
            size=5000,
            bad_token=ValidationException,
        )

    def update_firewall_domains(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        if request["Operation"] == "DENY":
            raise NotBuilt(
                "route53resolver: UpdateFirewallDomains with the operation DENY is not built in Cloudstead yet."
            )
        if len(request["Domains"]) > DOMAINS_PER_UPDATE_MAX:
            raise ValidationException(
                f"A request cannot have more than {DOMAINS_PER_UPDATE_MAX} domains; import them from a file."
            )
        wanted = checked(request["Domains"])
        with self._store.transaction():
            row = self._find(caller, request)
            match request["Operation"]:
                case "ADD":
                    wanted |= set(row.domains)
                case "REMOVE":
                    wanted = set(row.domains) - wanted
            row = write(self._directory, caller, row, wanted)
        return {
            "Id": row.id,
            "Name": row.name,
            "Status": row.status,
            "StatusMessage": row.status_message,
        }

    # --- inside

    def _find(self, caller: Caller, request: Mapping[str, Any]) -> DomainList:
        return self._directory.find(DomainList, caller, request["FirewallDomainListId"])


def write(directory: Directory, caller: Caller, row: DomainList, wanted: set[str]) -> DomainList:
    """The list with just these domains. Inside the transaction that read it."""
    others = (each for each in directory.mine(DomainList, caller) if each.id != row.id)
    if len(wanted) + sum(len(each.domains) for each in others) > DOMAINS_MAX:
        raise LimitExceededException(f"An account cannot have more than {DOMAINS_MAX} domains in its lists.")
    return directory.store.update(
        row,
        domains=tuple(sorted(wanted)),
        status="COMPLETE",
        status_message="Finished domain list update",
        changed_at=directory.tools.clock.now(),
    )


def checked(names: Iterable[str]) -> set[str]:
    """Domains as lists hold them."""
    found = set()
    for name in names:
        if not domains.of_list(name):
            raise ValidationException(f"The domain specification '{name}' is not valid.")
        found.add(domains.canonical(name))
    return found


def _shown(row: DomainList) -> dict[str, Any]:
    return {
        "Id": row.id,
        "Arn": row.arn(),
        "Name": row.name,
        "DomainCount": len(row.domains),
        "Status": row.status,
        "StatusMessage": row.status_message,
        "CreatorRequestId": row.creator_request_id,
        "CreationTime": stamp(row.created_at),
        "ModificationTime": stamp(row.changed_at),
    }
