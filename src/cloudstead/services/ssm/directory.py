"""The parameters of a caller: its own, by name and by version, and the public ones of the region.

A parameter whose time is over is gone for everybody at that moment; its rows go with the next write in its place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.ssm import names
from cloudstead.services.ssm.errors import not_found, version_not_found
from cloudstead.services.ssm.rows import Parameter, Version, parameter_id, place, version_id
from cloudstead.services.ssm.sealing import Seal
from cloudstead.store import Store

#: The public parameters of a region: values by names, which begin with /aws/service/.
PublicParameters = Callable[[str], Mapping[str, str]]

#: When what is published here came out, to be shown as the time of its last change.
_PUBLISHED = datetime(2026, 11, 1, tzinfo=UTC)
_SWEPT_AT_ONCE_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Found:
    parameter: Parameter
    version: Version
    selector: str = ""  # by which it was asked for


@dataclass(frozen=True)
class Directory:
    store: Store
    tools: Tools
    seal: Seal
    public_parameters: PublicParameters

    # --- the caller's own

    def own(self, caller: Caller) -> list[Parameter]:
        """Every parameter of the caller's account and region, in the order of names."""
        rows = self.store.rows(Parameter, place=place(caller.account, caller.region))
        return sorted((row for row in rows if not self._is_over(row)), key=lambda row: row.name)

    def named(self, caller: Caller, name: str) -> Parameter | None:
        row = self.store.get(Parameter, parameter_id(caller.account, caller.region, name))
        return None if row is None or self._is_over(row) else row

    def find(self, caller: Caller, text: str) -> Parameter:
        """The caller's parameter of this name or ARN; ParameterNotFound if there is none."""
        for name in names.read(text, caller).names:
            if (found := self.named(caller, name)) is not None:
                return found
        raise not_found(text)

    def versions(self, parameter: Parameter) -> list[Version]:
        """All that are kept, oldest first."""
        return sorted(self.store.rows(Version, parameter=parameter.id), key=lambda version: version.number)

    def version(self, parameter: Parameter, number: int) -> Version:
        found = self.store.get(Version, version_id(parameter.id, number))
        if found is None:
            raise version_not_found(parameter.name, number)
        return found

    def latest(self, parameter: Parameter) -> Version:
        return self.version(parameter, parameter.latest)

    def remove(self, parameter: Parameter) -> None:
        for version in self.versions(parameter):
            self.store.delete(version)
        self.store.delete(parameter)

    def sweep(self, caller: Caller) -> None:
        """Forget some of what is over."""
        rows = self.store.rows(Parameter, place=place(caller.account, caller.region))
        for over in [row for row in rows if self._is_over(row)][:_SWEPT_AT_ONCE_MAX]:
            self.remove(over)

    def _is_over(self, row: Parameter) -> bool:
        return row.expires_at is not None and row.expires_at <= self.tools.clock.now()

    # --- all that the caller may read

    def read(self, caller: Caller, text: str) -> Found:
        """The parameter and version that a request asks for, public ones too."""
        asked = names.read(text, caller)
        for name in asked.names:
            look_up = self._public if name.startswith(names.PUBLIC) else self._own
            if (found := look_up(caller, name, asked.selector)) is not None:
                return found
        raise not_found(text)

    def public(self, region: str) -> list[Parameter]:
        """Every public parameter of a region, in the order of names."""
        published = sorted(self.public_parameters(region).items())
        return [_published(region, name, value).parameter for name, value in published]

    def value(self, found: Found, *, decrypted: bool) -> str:
        version = found.version
        if version.type != "SecureString" or not decrypted:
            return version.value
        return self.seal.open(version.value, version.id)

    def _own(self, caller: Caller, name: str, selector: str) -> Found | None:
        parameter = self.named(caller, name)
        if parameter is None:
            return None
        if not selector:
            return Found(parameter=parameter, version=self.latest(parameter))
        for version in self.versions(parameter):
            if selector in (str(version.number), *version.labels):
                return Found(parameter=parameter, version=version, selector=f":{selector}")
        raise version_not_found(name, selector)

    def _public(self, caller: Caller, name: str, selector: str) -> Found | None:
        value = self.public_parameters(caller.region).get(name)
        if value is None:
            return None
        if selector not in ("", "1"):
            raise version_not_found(name, selector)
        found = _published(caller.region, name, value)
        return replace(found, selector=f":{selector}") if selector else found


def _published(region: str, name: str, value: str) -> Found:
    id = f"public/{region}:{name}"
    return Found(
        parameter=Parameter(id=id, account="", region=region, place="", name=name),
        version=Version(
            id=version_id(id, 1),
            parameter=id,
            number=1,
            type="String",
            value=value,
            modified_at=_PUBLISHED,
            modified_by="",
        ),
    )
