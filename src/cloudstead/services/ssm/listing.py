"""Finding parameters: those below a path with their values, and all of them without."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.ssm import filters, names, shown
from cloudstead.services.ssm.directory import Directory, Found
from cloudstead.services.ssm.errors import ValidationException
from cloudstead.services.ssm.paging import paged

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import DescribeParametersRequestTypeDef, GetParametersByPathRequestTypeDef

_PAGE = 10


class Listing:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def get_parameters_by_path(
        self, caller: Caller, request: "GetParametersByPathRequestTypeDef"
    ) -> dict[str, Any]:
        path = names.check_path(request["Path"])
        recursive = request.get("Recursive", False)
        wanted = request.get("ParameterFilters") or []
        matches = filters.by_path(wanted)
        found = [
            one
            for each in self._below(caller, path)
            if names.below(each.parameter.name, path, recursive=recursive)
            and (one := self._labelled(each, filters.labels(wanted))) is not None
            and matches(one.parameter, one.version)
        ]
        decrypted = request.get("WithDecryption", False)
        return paged(
            found,
            request,
            key=lambda one: one.parameter.name,
            shown=lambda one: shown.parameter(self._directory, one, decrypted=decrypted),
            size=_PAGE,
        )

    def describe_parameters(
        self, caller: Caller, request: "DescribeParametersRequestTypeDef"
    ) -> dict[str, Any]:
        if request.get("Shared"):
            raise NotBuilt("Parameters shared by other accounts are not built")
        if request.get("Filters") and request.get("ParameterFilters"):
            raise ValidationException("You can use either Filters or ParameterFilters in a single request.")
        old = filters.old(request.get("Filters") or [])
        matches = filters.described(request.get("ParameterFilters") or [])
        found = [
            one
            for one in self._latest(caller)
            if old(one.parameter, one.version) and matches(one.parameter, one.version)
        ]
        return paged(
            found,
            request,
            key=lambda one: one.parameter.name,
            shown=lambda one: shown.metadata(one.parameter, one.version),
            size=_PAGE,
        )

    def _below(self, caller: Caller, path: str) -> Iterator[Found]:
        """All that may stand below a path: public parameters, or the caller's own."""
        return (
            self._directory.public(caller.region) if path.startswith(names.PUBLIC) else self._latest(caller)
        )

    def _latest(self, caller: Caller) -> Iterator[Found]:
        for parameter in self._directory.own(caller):
            yield Found(parameter=parameter, version=self._directory.latest(parameter))

    def _labelled(self, found: Found, labels: list[str]) -> Found | None:
        """The version that holds one of these labels; the one found if none are asked for."""
        if not labels:
            return found
        for version in self._directory.versions(found.parameter):
            for label in labels:
                if label in version.labels:
                    return Found(parameter=found.parameter, version=version, selector=f":{label}")
        return None
