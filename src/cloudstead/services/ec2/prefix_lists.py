"""Managed prefix lists: named ranges with versions, which security group rules and routes refer to.

A change makes a new version; the latest is in force. Of old ones the last thousand can be restored. AWS's own lists
belong to services' endpoints inside a VPC, which are not built, so none are shown.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import cidrs, client_tokens, filters, tags
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.network_rows import PrefixEntry, PrefixList, RouteTable, SecurityGroupRule
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateManagedPrefixListRequestTypeDef,
        DeleteManagedPrefixListRequestTypeDef,
        DescribeManagedPrefixListsRequestTypeDef,
        DescribePrefixListsRequestTypeDef,
        GetManagedPrefixListAssociationsRequestTypeDef,
        GetManagedPrefixListEntriesRequestTypeDef,
        ModifyManagedPrefixListRequestTypeDef,
        RestoreManagedPrefixListVersionRequestTypeDef,
    )

_LISTS_MAX = 100
_ENTRIES_MAX = 1000
_ENTRIES_PER_CALL_MAX = 100
_VERSIONS_KEPT = 1000

_FIELDS: Fields[PrefixList] = {
    "owner-id": lambda one: one.account,
    "prefix-list-id": lambda one: one.id,
    "prefix-list-name": lambda one: one.name,
}


class PrefixLists:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_managed_prefix_list(
        self, caller: Caller, request: "CreateManagedPrefixListRequestTypeDef"
    ) -> dict[str, Any]:
        family = request["AddressFamily"]
        if family not in ("IPv4", "IPv6"):
            raise _invalid(
                f"Value ({family}) for parameter addressFamily is invalid. Valid values are: IPv4, IPv6."
            )
        name, most = _checked_name(request["PrefixListName"]), _checked_size(request["MaxEntries"])
        entries = _read(request.get("Entries") or (), family)
        _check_room(entries, most)
        wanted = tags.wanted(request, PrefixList.resource_type)
        with self._resources.store.transaction():
            made = client_tokens.made_before(self._resources, caller, PrefixList, request)
            if made is None:
                if len(self._resources.mine(PrefixList, caller)) >= _LISTS_MAX:
                    raise ServiceError(
                        "You've reached the maximum number of prefix lists.", code="PrefixListLimitExceeded"
                    )
                made = self._resources.store.insert(
                    PrefixList(
                        id=self._resources.new_id(PrefixList),
                        account=caller.account,
                        region=caller.region,
                        tags=wanted,
                        name=name,
                        family="IPv4" if family == "IPv4" else "IPv6",
                        entries_max=most,
                        versions=(entries,),
                    )
                )
                client_tokens.remember(self._resources, caller, made, request)
        return {"PrefixList": _shown(made, state="create-in-progress")}

    def describe_managed_prefix_lists(
        self, caller: Caller, request: "DescribeManagedPrefixListsRequestTypeDef"
    ) -> dict[str, Any]:
        found = self._resources.find_all(PrefixList, caller, list(request.get("PrefixListIds") or ()))
        found = filters.select(found, request.get("Filters"), _FIELDS)
        some, token = page(found, request, key=lambda one: one.id, least=1, most=100)
        return {"PrefixLists": [_shown(one) for one in some], "NextToken": token}

    def modify_managed_prefix_list(
        self, caller: Caller, request: "ModifyManagedPrefixListRequestTypeDef"
    ) -> dict[str, Any]:
        if "IpamPrefixListResolverSyncEnabled" in request:
            raise NotBuilt("ec2: ModifyManagedPrefixList with IPAM is not built in Cloudstead yet.")
        added, removed = request.get("AddEntries") or (), request.get("RemoveEntries") or ()
        if "MaxEntries" in request and (added or removed):
            raise ServiceError(
                "You cannot modify the entries and the maximum entries for the prefix list in the same request.",
                code="InvalidParameterCombination",
            )
        with self._resources.store.transaction():
            one = self._resources.find(PrefixList, caller, request["PrefixListId"])
            changes: dict[str, object] = {"state": "modify-complete"}
            if "PrefixListName" in request:
                changes["name"] = _checked_name(request["PrefixListName"])
            if "MaxEntries" in request:
                changes["entries_max"] = _checked_size(request["MaxEntries"])
                _check_room(one.entries, request["MaxEntries"])
            if added or removed:
                _check_version(one, request.get("CurrentVersion"))
                entries = _changed(one, added, removed)
                _check_room(entries, one.entries_max)
                changes["versions"] = _with_version(one, entries)
            one = self._resources.store.update(one, **changes)
        return {"PrefixList": _shown(one, state="modify-in-progress")}

    def restore_managed_prefix_list_version(
        self, caller: Caller, request: "RestoreManagedPrefixListVersionRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            one = self._resources.find(PrefixList, caller, request["PrefixListId"])
            _check_version(one, request["CurrentVersion"])
            entries = _of_version(one, request["PreviousVersion"])
            _check_room(entries, one.entries_max)
            one = self._resources.store.update(
                one, versions=_with_version(one, entries), state="restore-complete"
            )
        return {"PrefixList": _shown(one, state="restore-in-progress")}

    def delete_managed_prefix_list(
        self, caller: Caller, request: "DeleteManagedPrefixListRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            one = self._resources.find(PrefixList, caller, request["PrefixListId"])
            if self._users(one):
                raise ServiceError(
                    f"The prefix list '{one.id}' has dependencies and cannot be deleted.",
                    code="DependencyViolation",
                )
            client_tokens.forget(self._resources, one)
            self._resources.store.delete(one)
        return {"PrefixList": _shown(one, state="delete-in-progress")}

    def get_managed_prefix_list_entries(
        self, caller: Caller, request: "GetManagedPrefixListEntriesRequestTypeDef"
    ) -> dict[str, Any]:
        one = self._resources.find(PrefixList, caller, request["PrefixListId"])
        entries = _of_version(one, request.get("TargetVersion", len(one.versions)))
        some, token = page(entries, request, key=lambda entry: entry.cidr, least=1, most=100)
        return {"Entries": [_entry(each) for each in some], "NextToken": token}

    def get_managed_prefix_list_associations(
        self, caller: Caller, request: "GetManagedPrefixListAssociationsRequestTypeDef"
    ) -> dict[str, Any]:
        one = self._resources.find(PrefixList, caller, request["PrefixListId"])
        users = self._users(one)
        some, token = page(users, request, key=str, least=5, most=255)
        shown = [{"ResourceId": id, "ResourceOwner": one.account} for id in some]
        return {"PrefixListAssociations": shown, "NextToken": token}

    def describe_prefix_lists(
        self, caller: Caller, request: "DescribePrefixListsRequestTypeDef"
    ) -> dict[str, Any]:
        for id in request.get("PrefixListIds") or ():
            self._resources.find(PrefixList, caller, id)
            raise PrefixList.missing(id)  # it is the caller's own, and this call is about AWS's
        none: tuple[str, ...] = ()
        some, token = page(none, request, key=str)
        return {"PrefixLists": some, "NextToken": token}

    def _users(self, one: PrefixList) -> list[str]:
        """The ids of the groups and route tables that refer to it."""
        rules = self._resources.store.rows(SecurityGroupRule, prefix_list_id=one.id)
        tables = self._resources.store.rows(RouteTable, account=one.account, region=one.region)
        routing = [table.id for table in tables if any(route.destination == one.id for route in table.routes)]
        return [*dict.fromkeys(rule.group_id for rule in rules), *routing]


# --- versions


def _of_version(one: PrefixList, number: int) -> tuple[PrefixEntry, ...]:
    newest = len(one.versions)
    if not max(1, newest - _VERSIONS_KEPT + 1) <= number <= newest:
        raise _invalid(
            f"The specified value for version is not valid. Version {number} of {one.id} does not exist."
        )
    return one.versions[number - 1]


def _with_version(one: PrefixList, entries: tuple[PrefixEntry, ...]) -> tuple[tuple[PrefixEntry, ...], ...]:
    """All versions with one more; those too old to be restored keep their number alone."""
    forgotten = max(0, len(one.versions) + 1 - _VERSIONS_KEPT)
    return (*((),) * forgotten, *one.versions[forgotten:], entries)


def _check_version(one: PrefixList, current: int | None) -> None:
    if current is None:
        raise ServiceError("The request must contain the parameter CurrentVersion", code="MissingParameter")
    if current != len(one.versions):
        raise ServiceError(
            "The prefix list has the incorrect version number.", code="PrefixListVersionMismatch"
        )


# --- entries


def _read(asked: Sequence[Mapping[str, Any]], family: str) -> tuple[PrefixEntry, ...]:
    if len(asked) > _ENTRIES_PER_CALL_MAX:
        raise _invalid(f"The maximum number of entries of one request is {_ENTRIES_PER_CALL_MAX}")
    read = cidrs.read4 if family == "IPv4" else cidrs.read6
    found = []
    for each in asked:
        text = each.get("Description") or ""
        if len(text) > 255:
            raise _invalid("The description of a prefix list entry has at most 255 characters")
        found.append(PrefixEntry(cidr=str(read(each["Cidr"], "cidr")), description=text))
    if len({entry.cidr for entry in found}) < len(found):
        raise _invalid("A request may not name the same CIDR more than once")
    return tuple(found)


def _changed(
    one: PrefixList, added: Sequence[Mapping[str, Any]], removed: Sequence[Mapping[str, Any]]
) -> tuple[PrefixEntry, ...]:
    new, gone = _read(added, one.family), {entry.cidr for entry in _read(removed, one.family)}
    known = {entry.cidr for entry in one.entries}
    for entry in new:
        if entry.cidr in gone:
            raise _invalid(f"The CIDR {entry.cidr} may not be both added and removed")
        if entry.cidr in known:
            raise _invalid(f"The CIDR {entry.cidr} is in the prefix list already")
    for cidr in gone - known:
        raise _invalid(f"The CIDR {cidr} is not in the prefix list")
    return (*(entry for entry in one.entries if entry.cidr not in gone), *new)


def _check_room(entries: Sequence[PrefixEntry], most: int) -> None:
    if len(entries) > most:
        raise ServiceError(
            "You've reached the maximum number of entries for the prefix list.",
            code="PrefixListMaxEntriesExceeded",
        )


def _checked_size(most: int) -> int:
    if not 1 <= most <= _ENTRIES_MAX:
        raise _invalid(
            f"Value ({most}) for parameter maxEntries is invalid. It must be from 1 to {_ENTRIES_MAX}."
        )
    return most


def _checked_name(name: str) -> str:
    if not 1 <= len(name) <= 255 or name.startswith("com.amazonaws"):
        raise _invalid(
            f"Value ({name}) for parameter prefixListName is invalid. Names have up to 255 characters and do not start with "
            "com.amazonaws."
        )
    return name


def _invalid(text: str) -> ServiceError:
    return ServiceError(text, code="InvalidParameterValue")


# --- as answers show them


def _shown(one: PrefixList, *, state: str | None = None) -> dict[str, Any]:
    return {
        "PrefixListId": one.id,
        "PrefixListName": one.name,
        "PrefixListArn": one.arn(),
        "AddressFamily": one.family,
        "State": state or one.state,
        "MaxEntries": one.entries_max,
        "Version": len(one.versions),
        "OwnerId": one.account,
        "Tags": tags.shown(one.tags),
    }


def _entry(entry: PrefixEntry) -> dict[str, str]:
    return {"Cidr": entry.cidr} | ({"Description": entry.description} if entry.description else {})
