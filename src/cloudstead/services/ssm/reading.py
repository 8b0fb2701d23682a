"""Reading parameters: by name, by path, and their history."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.services.ssm import names, shown
from cloudstead.services.ssm.directory import Directory, Found
from cloudstead.services.ssm.errors import ParameterNotFound, ParameterVersionNotFound
from cloudstead.services.ssm.paging import paged

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import (
        GetParameterHistoryRequestTypeDef,
        GetParameterRequestTypeDef,
        GetParametersRequestTypeDef,
    )


class Reading:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def get_parameter(self, caller: Caller, request: "GetParameterRequestTypeDef") -> dict[str, Any]:
        with self._directory.store.reading():
            found = self._directory.read(caller, request["Name"])
        decrypted = request.get("WithDecryption", False)
        return {"Parameter": shown.parameter(self._directory, found, decrypted=decrypted)}

    def get_parameters(self, caller: Caller, request: "GetParametersRequestTypeDef") -> dict[str, Any]:
        found, invalid = [], []
        with self._directory.store.reading():
            for name in dict.fromkeys(request["Names"]):
                try:
                    found.append(self._directory.read(caller, name))
                except (ParameterNotFound, ParameterVersionNotFound):
                    invalid.append(name)
        decrypted = request.get("WithDecryption", False)
        return {
            "Parameters": [shown.parameter(self._directory, one, decrypted=decrypted) for one in found],
            "InvalidParameters": invalid,
        }

    def get_parameter_history(
        self, caller: Caller, request: "GetParameterHistoryRequestTypeDef"
    ) -> dict[str, Any]:
        decrypted = request.get("WithDecryption", False)
        return paged(
            self._history(caller, request["Name"]),
            request,
            key=lambda found: f"{found.version.number:020d}",
            shown=lambda found: shown.past(self._directory, found, decrypted=decrypted),
            size=50,
        )

    def _history(self, caller: Caller, name: str) -> list[Found]:
        if name.startswith(names.PUBLIC):
            return [self._directory.read(caller, name)]
        with self._directory.store.reading():
            parameter = self._directory.find(caller, name)
            return [Found(parameter=parameter, version=each) for each in self._directory.versions(parameter)]
