"""CIDR collections: blocks of addresses by location, for record sets that answer by who asks."""

import ipaddress
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from cloudstead.core import ids
from cloudstead.core.arn import arn
from cloudstead.core.caller import Caller
from cloudstead.services.route53 import paging
from cloudstead.services.route53.directory import Directory
from cloudstead.services.route53.errors import (
    CidrBlockInUseException,
    CidrCollectionAlreadyExistsException,
    CidrCollectionInUseException,
    CidrCollectionVersionMismatchException,
    InvalidInput,
    LimitsExceeded,
    NoSuchCidrCollectionException,
    NoSuchCidrLocationException,
)
from cloudstead.services.route53.rows import CidrCollection, RecordSet, Touched

COLLECTIONS_MAX = 5
BLOCKS_MAX = 1000

#: The longest prefix that a block may have.
_LONGEST = {4: 24, 6: 48}

Block = ipaddress.IPv4Network | ipaddress.IPv6Network


class CidrCollections:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def create_cidr_collection(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        name, reference = request["Name"], request["CallerReference"]
        with self._store.transaction():
            mine = self._mine(caller)
            if any(each.caller_reference == reference or each.name == name for each in mine):
                raise CidrCollectionAlreadyExistsException(
                    "A CIDR collection with this name and a different caller reference already exists in this account."
                )
            if len(mine) >= COLLECTIONS_MAX:
                raise LimitsExceeded("The account has reached its limit of CIDR collections.")
            made = self._store.insert(
                CidrCollection(
                    id=ids.uuid(self._directory.tools.random),
                    account=caller.account,
                    name=name,
                    caller_reference=reference,
                )
            )
            self._directory.changed(caller.account, [Touched(collection=made.id)])
        return {
            "Collection": _shown(made),
            "Location": f"https://route53.amazonaws.com/2013-04-01/cidrcollection/{made.id}",
        }

    def change_cidr_collection(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            found = self._find(caller, request["Id"])
            if request.get("CollectionVersion", found.collection_version) != found.collection_version:
                raise CidrCollectionVersionMismatchException(
                    f"The CIDR collection version {request['CollectionVersion']} you provided does not match the one "
                    f"in the {found.id} collection."
                )
            locations = _changed(found.locations, request["Changes"])
            self._store.update(found, locations=locations, collection_version=found.collection_version + 1)
            change = self._directory.changed(caller.account, [Touched(collection=found.id)])
        return {"Id": change.id}

    def delete_cidr_collection(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            found = self._find(caller, request["Id"])
            if found.locations or any(
                each.cidr is not None and each.cidr.collection == found.id
                for each in self._store.rows(RecordSet)
            ):
                raise CidrCollectionInUseException("This CIDR collection is in use, and isn't empty.")
            self._store.delete(found)
            self._directory.changed(caller.account, [Touched(collection=found.id)])
        return {}

    def list_cidr_collections(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return _page("CidrCollections", self._mine(caller), request, key=lambda each: each.id, shown=_shown)

    def list_cidr_locations(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        found = self._find(caller, request["CollectionId"])
        return _page(
            "CidrLocations",
            list(found.locations),
            request,
            key=str,
            shown=lambda name: {"LocationName": name},
        )

    def list_cidr_blocks(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        found = self._find(caller, request["CollectionId"])
        only = request.get("LocationName")
        if only is not None and only not in found.locations:
            raise NoSuchCidrLocationException(
                "The CIDR collection location doesn't match any locations in your account."
            )
        blocks = [
            (name, block)
            for name, blocks in found.locations.items()
            if only in (None, name)
            for block in blocks
        ]
        return _page(
            "CidrBlocks",
            blocks,
            request,
            key=lambda each: f"{each[0]}/{each[1]}",
            shown=lambda each: {"CidrBlock": each[1], "LocationName": each[0]},
        )

    # --- inside

    def _mine(self, caller: Caller) -> list[CidrCollection]:
        return self._store.rows(CidrCollection, account=caller.account)

    def _find(self, caller: Caller, id: str) -> CidrCollection:
        found = self._store.get(CidrCollection, id)
        if found is None or found.account != caller.account:
            raise NoSuchCidrCollectionException("The CIDR collection you specified, doesn't exist.")
        return found


#: Of a token that nobody gave these operations say InvalidInput: their model has nothing closer.
_page = partial(paging.tokened, refusal=InvalidInput)


def _changed(
    locations: Mapping[str, tuple[str, ...]], changes: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[str, ...]]:
    """The locations after these changes; one that has no block left is gone."""
    where = {_block(block): name for name, blocks in locations.items() for block in blocks}
    for change in changes:
        name = change["LocationName"]
        for block in map(_block, change["CidrList"]):
            if change["Action"] == "PUT":
                if where.setdefault(block, name) != name:
                    raise CidrBlockInUseException(
                        f"This CIDR block is already in use: {block} belongs to the location {where[block]}."
                    )
            elif where.get(block) == name:
                del where[block]
    if len(where) > BLOCKS_MAX:
        raise LimitsExceeded(f"A CIDR collection cannot have more than {BLOCKS_MAX} CIDR blocks.")
    result: dict[str, tuple[str, ...]] = {}
    for block, name in where.items():
        result[name] = (*result.get(name, ()), str(block))
    return result


def _block(text: str) -> Block:
    try:
        block = ipaddress.ip_network(text)
    except ValueError:
        raise InvalidInput(f"The CIDR block {text} is not valid.") from None
    if block.prefixlen > _LONGEST[block.version]:
        raise InvalidInput(
            f"The CIDR block {text} is too small: the longest prefix is /{_LONGEST[block.version]}."
        )
    return block


def _shown(found: CidrCollection) -> dict[str, Any]:
    return {
        "Arn": arn("route53", f"cidrcollection/{found.id}"),
        "Id": found.id,
        "Name": found.name,
        "Version": found.collection_version,
    }
