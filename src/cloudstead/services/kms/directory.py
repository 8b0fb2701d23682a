"""The keys of a cloud: made, found by whatever name they go by, and used.

A key whose waiting time is over is gone for everybody at that moment; its row, and with it the material, goes as
soon as the controller comes by.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.kms import access, policies, sealing
from cloudstead.services.kms.errors import (
    AccessDeniedException,
    DisabledException,
    InvalidArnException,
    InvalidCiphertextException,
    KMSInvalidStateException,
    NotFoundException,
    no_such_alias,
    no_such_key,
)
from cloudstead.services.kms.rows import AWS_ALIAS, Alias, Key, Material, alias_arn, key_arn, place
from cloudstead.services.kms.sealing import MATERIAL_BYTES, Context, Named, Seal, Unreadable
from cloudstead.store import Store

#: A key that AWS manages rotates every year, and nobody can have it otherwise.
YEAR_DAYS = 365
#: The services that AWS manages keys for. Each has its alias from the beginning, and its key once that is used.
AWS_SERVICES = (
    "acm", "backup", "codeartifact", "codecommit", "connect", "dynamodb", "ebs", "elasticfilesystem", "es", "fsx",
    "glue", "kinesis", "kinesisvideo", "lambda", "mwaa", "neptune", "rds", "redshift", "s3", "secretsmanager", "ses",
    "sns", "sqs", "ssm", "workspaces", "xray",
)  # fmt: skip
_ARN = re.compile(r"arn:(aws(?:-[a-z]+)*):kms:([a-z0-9-]+):(\d{12}):((?:key|alias)/.+)", re.DOTALL)
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|mrk-[0-9a-f]{32}")
_NO_TAGS: Mapping[str, str] = {}
_UNKNOWN = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are "
    "not allowed to access."
)


@dataclass(frozen=True)
class Directory:
    store: Store
    tools: Tools
    seal: Seal

    # --- finding

    def find(self, caller: Caller, name: str) -> Key:
        """The key of this id or ARN, or behind this alias or its ARN."""
        if name.startswith("alias/"):
            return self._behind(alias_arn(caller.account, caller.region, name))
        parts = _ARN.fullmatch(name)
        if parts is not None and parts[4].startswith("alias/"):
            self._check_region(caller, parts[2])
            return self._behind(name)
        return self.find_key(caller, name)

    def find_key(self, caller: Caller, name: str) -> Key:
        """The key of this id or ARN: most operations take no alias."""
        parts = _ARN.fullmatch(name)
        if parts is not None and parts[4].startswith("key/"):
            self._check_region(caller, parts[2])
            return self.there(name)
        if name.startswith("arn:"):
            raise InvalidArnException(f"Invalid arn {name}")
        if not _UUID.fullmatch(name):
            raise NotFoundException(f"Invalid keyId '{name}'")
        return self.there(key_arn(caller.account, caller.region, name.lower()))

    def managed(self, caller: Caller, name: str, action: str) -> Key:
        """The key of this id or ARN, if the caller may do this with it."""
        key = self.find_key(caller, name)
        access.check(self.store, caller, key, action)
        return key

    def keys(self, caller: Caller) -> list[Key]:
        """All that an account has in a region, in the order of their ids."""
        rows = self.store.rows(Key, place=place(caller.account, caller.region))
        return sorted((row for row in rows if not self.is_over(row)), key=lambda row: row.key_id)

    def aliases(self, caller: Caller) -> list[Alias]:
        rows = self.store.rows(Alias, place=place(caller.account, caller.region))
        return sorted((row for row in rows if self._key_of(row) is not None), key=lambda row: row.name)

    def is_over(self, key: Key) -> bool:
        return key.deletion_at is not None and key.deletion_at <= self.tools.clock.now()

    def remove(self, key: Key) -> None:
        """Forget a key and its aliases. What was encrypted under it is lost for ever."""
        with self.store.transaction():
            for alias in self.store.rows(Alias, key=key.id):
                self.store.delete(alias)
            self.store.delete(key)

    def _behind(self, arn: str) -> Key:
        alias = self.store.get(Alias, arn)
        key = self._key_of(alias) if alias is not None else None
        if key is not None:
            return key
        _, _, _, region, account, name = arn.split(":", 5)
        service = name.removeprefix(AWS_ALIAS)
        if name.startswith(AWS_ALIAS) and service in AWS_SERVICES:
            return self.aws_managed(service, account, region)
        raise no_such_alias(arn)

    def _key_of(self, alias: Alias) -> Key | None:
        key = self.store.get(Key, alias.key)
        return None if key is None or self.is_over(key) else key

    def there(self, arn: str) -> Key:
        """The key of this ARN, in whatever region."""
        key = self.store.get(Key, arn)
        if key is None or self.is_over(key):
            raise no_such_key(arn)
        return key

    @staticmethod
    def _check_region(caller: Caller, region: str) -> None:
        if region != caller.region:
            raise NotFoundException(f"Invalid arn {region}")

    def now(self) -> datetime:
        """To the millisecond, as KMS tells it."""
        now = self.tools.clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    # --- making

    def make(
        self,
        account: str,
        region: str,
        *,
        policy: str = "",
        description: str = "",
        tags: Mapping[str, str] = _NO_TAGS,
        aws_service: str = "",
    ) -> Key:
        """A new key, not stored yet. Nobody ever sees its material."""
        key_id, now = ids.uuid(self.tools.random), self.now()
        arn = key_arn(account, region, key_id)
        return Key(
            id=arn,
            account=account,
            region=region,
            place=place(account, region),
            key_id=key_id,
            created_at=now,
            materials=[self.new_material(arn)],
            aws_service=aws_service,
            description=description,
            policy=policy or ("" if aws_service else policies.default(account)),
            tags=dict(tags),
            rotation_days=YEAR_DAYS if aws_service else 0,
            rotates_from=now if aws_service else None,
        )

    def new_material(self, arn: str, how: str = "") -> Material:
        chance = self.tools.random
        return Material(
            id=chance.randbytes(32).hex(),
            sealed=self.seal.close(chance.randbytes(MATERIAL_BYTES), arn, chance),
            made_at=self.now(),
            how="AUTOMATIC" if how == "AUTOMATIC" else "ON_DEMAND" if how else "",
        )

    def rotated(self, key: Key, how: str, *, rotates_from: datetime | None) -> Key:
        """The key with new material, which encrypts from now on."""
        materials = [*key.materials, self.new_material(key.id, how)]
        return self.store.update(key, materials=materials, rotates_from=rotates_from)

    def aws_managed(self, service: str, account: str, region: str) -> Key:
        """The key that AWS manages for a service in an account and region, made when it is first asked for."""
        name = AWS_ALIAS + service
        arn = alias_arn(account, region, name)
        with self.store.transaction():
            if (alias := self.store.get(Alias, arn)) is not None:
                return self.there(alias.key)
            key = self.store.insert(
                self.make(
                    account,
                    region,
                    description=policies.described(service),
                    aws_service=service,
                )
            )
            self.store.insert(self.new_alias(name, key))
            return key

    def new_alias(self, name: str, key: Key) -> Alias:
        now = self.now()
        return Alias(
            id=alias_arn(key.account, key.region, name),
            account=key.account,
            region=key.region,
            place=key.place,
            name=name,
            key=key.id,
            created_at=now,
            changed_at=now,
        )

    # --- using

    def encrypt(self, key: Key, text: bytes, context: Context) -> bytes:
        check_usable(key)
        newest = len(key.materials) - 1
        material = self.seal.open(key.materials[newest].sealed, key.id)
        return sealing.encrypted(material, Named(key.key_id, newest), text, context, self.tools.random)

    def of_ciphertext(self, region: str, ciphertext: bytes) -> tuple[Key, Material]:
        """The key that a ciphertext names, in whatever account, and which of its materials."""
        try:
            named = sealing.named(ciphertext)
        except Unreadable:
            raise InvalidCiphertextException("") from None
        found = self.store.rows(Key, key_id=named.key_id, region=region)
        if not found or self.is_over(found[0]):
            raise AccessDeniedException(_UNKNOWN)
        if named.material >= len(found[0].materials):
            raise InvalidCiphertextException("")
        return found[0], found[0].materials[named.material]

    def decrypt(self, key: Key, material: Material, ciphertext: bytes, context: Context) -> bytes:
        check_usable(key)
        try:
            return sealing.decrypted(self.seal.open(material.sealed, key.id), ciphertext, context)
        except Unreadable:
            raise InvalidCiphertextException("") from None


def check_usable(key: Key) -> None:
    check_not_ending(key)
    if not key.enabled:
        raise DisabledException(f"{key.id} is disabled.")


def check_not_ending(key: Key) -> None:
    if key.deletion_at is not None:
        raise KMSInvalidStateException(f"{key.id} is pending deletion.")
