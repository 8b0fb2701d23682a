"""Labels of versions. A label is on one version of a parameter at a time, and moves to where it is put."""

import re
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.services.ssm.directory import Directory
from cloudstead.services.ssm.errors import ParameterVersionLabelLimitExceeded
from cloudstead.services.ssm.rows import Version

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import (
        LabelParameterVersionRequestTypeDef,
        UnlabelParameterVersionRequestTypeDef,
    )

_LABELS_MAX = 10
_LABEL = re.compile(r"(?!aws|ssm)[a-z_.-][a-z0-9_.-]*", re.IGNORECASE)


class Labels:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def label_parameter_version(
        self, caller: Caller, request: "LabelParameterVersionRequestTypeDef"
    ) -> dict[str, Any]:
        asked = list(dict.fromkeys(request["Labels"]))
        good = [label for label in asked if _LABEL.fullmatch(label)]
        with self._store.transaction():
            parameter = self._directory.find(caller, request["Name"])
            number = request.get("ParameterVersion") or parameter.latest
            version = self._directory.version(parameter, number)
            labels = list(dict.fromkeys([*version.labels, *good]))
            if len(labels) > _LABELS_MAX:
                raise ParameterVersionLabelLimitExceeded(
                    f"A parameter version can have maximum {_LABELS_MAX} labels."
                    "Move one or more labels to another version and try again."
                )
            for other in self._directory.versions(parameter):
                if other.number != number:
                    self._without(other, good)
            self._store.update(version, labels=labels)
        return {"InvalidLabels": [label for label in asked if label not in good], "ParameterVersion": number}

    def unlabel_parameter_version(
        self, caller: Caller, request: "UnlabelParameterVersionRequestTypeDef"
    ) -> dict[str, Any]:
        asked = list(dict.fromkeys(request["Labels"]))
        with self._store.transaction():
            parameter = self._directory.find(caller, request["Name"])
            version = self._directory.version(parameter, request["ParameterVersion"])
            self._without(version, asked)
        return {
            "RemovedLabels": [label for label in asked if label in version.labels],
            "InvalidLabels": [label for label in asked if label not in version.labels],
        }

    def _without(self, version: Version, labels: list[str]) -> None:
        self._store.update(version, labels=[label for label in version.labels if label not in labels])
