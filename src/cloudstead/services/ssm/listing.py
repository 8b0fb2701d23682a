"""Finding parameters: those below a path with their values, and all of them without."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.ssm import filters, names, shown
from cloudstead.services.ssm.directory import Directory, Found
from cloudstead.services.ssm.errors import ValidationException
from cloudstead.services.ssm.paging import paged
from cloudstead.services.ssm.rows import Parameter

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
        recursive, decrypted = request.get("Recursive", False), request.get("WithDecryption", False)
        wanted = request.get("ParameterFilters") or []
        matches, labels = filters.by_path(wanted), filters.labels(wanted)

        def show(parameter: Parameter) -> dict[str, Any] | None:
            if not names.below(parameter.name, path, recursive=recursive):
                return None
            found = self._labelled(caller, parameter, labels)
            if found is None or not matches(parameter, found.version):
                return None
            return shown.parameter(self._directory, found, decrypted=decrypted)

        public = path.startswith(names.PUBLIC)
        with self._directory.store.reading():
            below = self._directory.public(caller.region) if public else self._directory.own(caller)
            return paged(below, request, key=lambda parameter: parameter.name, shown=show, size=_PAGE)

    def describe_parameters(
        self, caller: Caller, request: "DescribeParametersRequestTypeDef"
    ) -> dict[str, Any]:
        if request.get("Shared"):
            raise NotBuilt("Parameters shared by other accounts are not built")
        if request.get("Filters") and request.get("ParameterFilters"):
            raise ValidationException("You can use either Filters or ParameterFilters in a single request.")
        old = filters.old(request.get("Filters") or [])
        matches = filters.described(request.get("ParameterFilters") or [])

        def show(parameter: Parameter) -> dict[str, Any] | None:
            latest = self._directory.latest(parameter)
            good = old(parameter, latest) and matches(parameter, latest)
            return shown.metadata(parameter, latest) if good else None

        with self._directory.store.reading():
            own = self._directory.own(caller)
            return paged(own, request, key=lambda parameter: parameter.name, shown=show, size=_PAGE)

    def _labelled(self, caller: Caller, parameter: Parameter, labels: list[str]) -> Found | None:
        """The version that holds one of these labels; the latest if none are asked for."""
        if not labels:
            return self._directory.read(caller, parameter.name)
        for version in self._directory.versions(parameter):
            for label in labels:
                if label in version.labels:
                    return Found(parameter=parameter, version=version, selector=f":{label}")
        return None
