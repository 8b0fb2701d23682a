"""Key pairs. The private half is shown once, to whoever created it, and kept nowhere."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import filters, key_material, tags
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.instance_rows import KeyPair
from cloudstead.services.ec2.rows import Resources
from cloudstead.store import Store

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateKeyPairRequestTypeDef,
        DeleteKeyPairRequestTypeDef,
        DescribeKeyPairsRequestTypeDef,
        ImportKeyPairRequestTypeDef,
    )

_NAME_LENGTH_MAX = 255
_KEY_PAIRS_MAX = 5000

_FIELDS: Fields[KeyPair] = {
    "fingerprint": lambda pair: pair.fingerprint,
    "key-name": lambda pair: pair.name,
    "key-pair-id": lambda pair: pair.id,
}


@dataclass(frozen=True)
class _PublicHalf:
    type: key_material.KeyType
    fingerprint: str
    line: str


def find(store: Store, caller: Caller, name: str) -> KeyPair:
    """The caller's key pair of this name, or InvalidKeyPair.NotFound."""
    for pair in store.rows(KeyPair, name=name, account=caller.account, region=caller.region):
        return pair
    raise KeyPair.missing(name)


class KeyPairs:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_key_pair(self, caller: Caller, request: "CreateKeyPairRequestTypeDef") -> dict[str, Any]:
        type = request.get("KeyType") or "rsa"
        if type not in ("rsa", "ed25519"):
            raise _invalid(type, "keyType")
        form = request.get("KeyFormat") or "pem"
        if form not in ("pem", "ppk"):
            raise _invalid(form, "keyFormat")
        name = _checked(request["KeyName"])
        wanted = tags.wanted(request, KeyPair.resource_type)
        self._check_free(caller, name)  # before the costly part
        key = key_material.create(type)
        with self._resources.store.transaction():
            pair = self._insert(
                caller, name, _PublicHalf(key.type, key.fingerprint, key.public_line(name)), wanted
            )
        return {
            "KeyName": pair.name,
            "KeyFingerprint": pair.fingerprint,
            "KeyMaterial": key.pem() if form == "pem" else key.ppk(name),
            "KeyPairId": pair.id,
            "Tags": tags.shown(pair.tags),
        }

    def import_key_pair(self, caller: Caller, request: "ImportKeyPairRequestTypeDef") -> dict[str, Any]:
        name = _checked(request["KeyName"])
        wanted = tags.wanted(request, KeyPair.resource_type)
        material = cast("bytes | str", request["PublicKeyMaterial"])
        key = key_material.read_public(material.encode() if isinstance(material, str) else material)
        half = _PublicHalf(
            key_material.key_type(key),
            key_material.imported_fingerprint(key),
            key_material.public_line(key, name),
        )
        with self._resources.store.transaction():
            pair = self._insert(caller, name, half, wanted)
        return {
            "KeyName": pair.name,
            "KeyFingerprint": pair.fingerprint,
            "KeyPairId": pair.id,
            "Tags": tags.shown(pair.tags),
        }

    def describe_key_pairs(self, caller: Caller, request: "DescribeKeyPairsRequestTypeDef") -> dict[str, Any]:
        found = self._resources.mine(KeyPair, caller)
        if names := request.get("KeyNames"):
            found = [find(self._resources.store, caller, name) for name in dict.fromkeys(names)]
        if ids := request.get("KeyPairIds"):
            by_id = {pair.id for pair in self._resources.find_all(KeyPair, caller, list(ids))}
            found = [pair for pair in found if pair.id in by_id]
        found = filters.select(found, request.get("Filters"), _FIELDS)
        public = bool(request.get("IncludePublicKey"))
        return {"KeyPairs": [_shown(pair, public=public) for pair in found]}

    def delete_key_pair(self, caller: Caller, request: "DeleteKeyPairRequestTypeDef") -> dict[str, Any]:
        name, id = request.get("KeyName"), request.get("KeyPairId")
        if not name and not id:
            raise ServiceError(
                "The request must contain the parameter KeyName or KeyPairId", code="MissingParameter"
            )
        with self._resources.store.transaction():
            found = [
                pair
                for pair in self._resources.mine(KeyPair, caller)
                if (id is None or pair.id == id) and (name is None or pair.name == name)
            ]
            for pair in found:
                self._resources.store.delete(pair)
        # One that is not there is as good as deleted, and then its id is not known.
        return {"Return": True, **({"KeyPairId": found[0].id} if found else {})}

    def _check_free(self, caller: Caller, name: str) -> None:
        taken = self._resources.store.rows(KeyPair, name=name, account=caller.account, region=caller.region)
        if taken:
            raise ServiceError("The keypair already exists", code="InvalidKeyPair.Duplicate")

    def _insert(self, caller: Caller, name: str, half: "_PublicHalf", wanted: dict[str, str]) -> KeyPair:
        self._check_free(caller, name)
        if len(self._resources.mine(KeyPair, caller)) >= _KEY_PAIRS_MAX:
            raise ServiceError("Maximum of 5000 keypairs reached.", code="KeyPairLimitExceeded")
        return self._resources.store.insert(
            KeyPair(
                id=self._resources.new_id(KeyPair),
                account=caller.account,
                region=caller.region,
                tags=wanted,
                name=name,
                type=half.type,
                fingerprint=half.fingerprint,
                public_key=half.line,
                created_at=self._resources.tools.clock.now(),
            )
        )


def _checked(name: str) -> str:
    if not name or len(name) > _NAME_LENGTH_MAX or not name.isascii() or not name.isprintable():
        raise ServiceError(
            f"Value ({name}) for parameter keyName is invalid. Character sets beyond ASCII are not supported, "
            f"and names have 1 to {_NAME_LENGTH_MAX} characters.",
            code="InvalidParameterValue",
        )
    return name


def _invalid(value: str, parameter: str) -> ServiceError:
    return ServiceError(f"Invalid value '{value}' for {parameter}", code="InvalidParameterValue")


def _shown(pair: KeyPair, *, public: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "KeyPairId": pair.id,
        "KeyName": pair.name,
        "KeyType": pair.type,
        "KeyFingerprint": pair.fingerprint,
        "CreateTime": pair.created_at,
        "Tags": tags.shown(pair.tags),
    }
    return answer | ({"PublicKey": pair.public_key} if public else {})
