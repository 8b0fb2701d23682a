"""Writing and deleting parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.services.ssm import names, parameter_policies, tags
from cloudstead.services.ssm.directory import Directory
from cloudstead.services.ssm.errors import (
    ParameterAlreadyExists,
    ParameterLimitExceeded,
    ParameterMaxVersionLimitExceeded,
    ParameterNotFound,
    ValidationException,
)
from cloudstead.services.ssm.rows import Parameter, Policy, Tier, Version, parameter_id, place, version_id
from cloudstead.services.ssm.wanted import SIZE_MAX, Wanted, check, key

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import (
        DeleteParameterRequestTypeDef,
        DeleteParametersRequestTypeDef,
        PutParameterRequestTypeDef,
    )

_VERSIONS_MAX = 100
_PARAMETERS_MAX: Mapping[Tier, int] = {"Standard": 10_000, "Advanced": 100_000}


class Writing:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store
        self._tools = directory.tools

    def put_parameter(self, caller: Caller, request: "PutParameterRequestTypeDef") -> dict[str, Any]:
        name = names.check_new(request["Name"], caller)
        overwrite = request.get("Overwrite", False)
        if overwrite and request.get("Tags"):
            raise ValidationException(
                "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please "
                "remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "
                "RemoveTagsFromResource."
            )
        with self._store.transaction():
            self._directory.sweep(caller)
            known = self._directory.named(caller, name)
            if known is not None and not overwrite:
                raise ParameterAlreadyExists(
                    "The parameter already exists. To overwrite this value, set the overwrite option in the request "
                    "to true."
                )
            wanted = self._wanted(caller, request, known)
            written = self._create(caller, name, request) if known is None else self._make_room(known)
            written = self._add_version(caller, written, wanted)
        return {"Version": written.latest, "Tier": written.tier}

    def delete_parameter(self, caller: Caller, request: "DeleteParameterRequestTypeDef") -> dict[str, Any]:
        with self._store.transaction():
            self._directory.remove(self._directory.find(caller, request["Name"]))
        return {}

    def delete_parameters(self, caller: Caller, request: "DeleteParametersRequestTypeDef") -> dict[str, Any]:
        deleted, invalid = [], []
        with self._store.transaction():
            for name in dict.fromkeys(request["Names"]):
                try:
                    self._directory.remove(self._directory.find(caller, name))
                    deleted.append(name)
                except ParameterNotFound:
                    invalid.append(name)
        return {"DeletedParameters": deleted, "InvalidParameters": invalid}

    # --- what is wanted

    def _wanted(
        self, caller: Caller, request: "PutParameterRequestTypeDef", known: Parameter | None
    ) -> Wanted:
        """The next version. What the request leaves out stays as it is."""
        before = self._directory.latest(known) if known is not None else None
        type = request.get("Type") or (before.type if before else None)
        if type is None:
            raise ValidationException("A parameter type is required when you create a parameter.")
        policies = known.policies if known is not None else []
        if "Policies" in request:
            policies = parameter_policies.parse(request["Policies"], self._tools.clock.now())
        wanted = Wanted(
            type=type,
            value=request["Value"],
            key_id=key(caller, request, type),
            description=request.get("Description", before.description if before else ""),
            allowed_pattern=request.get("AllowedPattern", before.allowed_pattern if before else ""),
            data_type=request.get("DataType") or (before.data_type if before else "text"),
            policies=policies,
            tier=self._tier(caller, request, known, policies),
        )
        check(wanted)
        return wanted

    def _tier(
        self,
        caller: Caller,
        request: "PutParameterRequestTypeDef",
        known: Parameter | None,
        policies: list[Policy],
    ) -> Tier:
        asked = request.get("Tier") or (known.tier if known is not None else "Standard")
        if asked == "Intelligent-Tiering":
            return self._cheapest(caller, request, known, policies)
        tier: Tier = asked
        if tier == "Standard" and known is not None and known.tier == "Advanced":
            raise ValidationException(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
                "advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced "
                "parameter and recreate it as a standard parameter. Be aware that standard parameters have a value "
                f"limit of {SIZE_MAX['Standard']} characters."
            )
        return tier

    def _cheapest(
        self,
        caller: Caller,
        request: "PutParameterRequestTypeDef",
        known: Parameter | None,
        policies: list[Policy],
    ) -> Tier:
        """Standard, unless that cannot be."""
        full = known is None and self._count(caller, "Standard") >= _PARAMETERS_MAX["Standard"]
        advanced = known is not None and known.tier == "Advanced"
        too_large = len(request["Value"].encode()) > SIZE_MAX["Standard"]
        return "Advanced" if full or advanced or too_large or policies else "Standard"

    # --- writing it

    def _create(self, caller: Caller, name: str, request: "PutParameterRequestTypeDef") -> Parameter:
        return self._store.insert(
            Parameter(
                id=parameter_id(caller.account, caller.region, name),
                account=caller.account,
                region=caller.region,
                place=place(caller.account, caller.region),
                name=name,
                latest=0,
                tags=tags.added({}, request.get("Tags") or []),
            )
        )

    def _make_room(self, parameter: Parameter) -> Parameter:
        """The oldest version goes when there are a hundred, unless a label holds it."""
        versions = self._directory.versions(parameter)
        if len(versions) >= _VERSIONS_MAX:
            oldest = versions[0]
            if oldest.labels:
                raise ParameterMaxVersionLimitExceeded(
                    f"You attempted to create a new version of {parameter.name} by calling the PutParameter API with "
                    f"the overwrite flag. Version {oldest.number}, the oldest version, can't be deleted because it has "
                    "a label associated with it. Move the label to another version of the parameter, and try again."
                )
            self._store.delete(oldest)
        return parameter

    def _add_version(self, caller: Caller, parameter: Parameter, wanted: Wanted) -> Parameter:
        if parameter.latest == 0 or parameter.tier != wanted.tier:
            self._check_quota(caller, wanted.tier)
        number = parameter.latest + 1
        id = version_id(parameter.id, number)
        value = wanted.value
        if wanted.type == "SecureString":
            value = self._directory.seal.close(value, id, self._tools.random)
        self._store.insert(
            Version(
                id=id,
                parameter=parameter.id,
                number=number,
                type=wanted.type,
                value=value,
                key_id=wanted.key_id,
                description=wanted.description,
                allowed_pattern=wanted.allowed_pattern,
                data_type=wanted.data_type,
                tier=wanted.tier,
                policies=wanted.policies,
                modified_at=self._tools.clock.now(),
                modified_by=caller.arn,
            )
        )
        return self._store.update(
            parameter,
            latest=number,
            tier=wanted.tier,
            policies=wanted.policies,
            expires_at=parameter_policies.expiry(wanted.policies),
        )

    def _count(self, caller: Caller, tier: Tier) -> int:
        """How many of the tier there are besides one that is just being made."""
        mine = self._store.rows(Parameter, place=place(caller.account, caller.region), tier=tier)
        return sum(row.latest > 0 for row in mine)

    def _check_quota(self, caller: Caller, tier: Tier) -> None:
        most = _PARAMETERS_MAX[tier]
        if self._count(caller, tier) < most:
            return
        raise ParameterLimitExceeded(
            f"You have reached the maximum number of {tier.lower()} parameters for this AWS account and Region "
            f"({most}). To add more parameters, either delete existing parameters or "
            + (
                "upgrade to the advanced-parameter tier (charges apply)."
                if tier == "Standard"
                else "use another Region."
            )
        )
