"""Which IAM instance profile an instance carries, changed after its launch."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import filters
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.instance_rows import Instance, Profile
from cloudstead.services.ec2.instances_describe import find_instances
from cloudstead.services.ec2.instances_launch import FindProfile, find_profile
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AssociateIamInstanceProfileRequestTypeDef,
        DescribeIamInstanceProfileAssociationsRequestTypeDef,
        DisassociateIamInstanceProfileRequestTypeDef,
        ReplaceIamInstanceProfileAssociationRequestTypeDef,
    )

_FIELDS: Fields[Instance] = {
    "instance-id": lambda instance: instance.id,
    "state": lambda _: "associated",
}


class ProfileAssociations:
    def __init__(self, resources: Resources, find: FindProfile) -> None:
        self._resources = resources
        self._find = find

    def associate_iam_instance_profile(
        self, caller: Caller, request: "AssociateIamInstanceProfileRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            (instance,) = find_instances(self._resources, caller, [request["InstanceId"]])
            if instance.profile is not None:
                raise ServiceError(
                    f"There is an existing association for instance {instance.id}",
                    code="IncorrectState",
                )
            if instance.shown_state not in ("running", "stopped", "pending"):
                raise ServiceError(
                    f"The instance '{instance.id}' is not in the 'running' or 'stopped' states.",
                    code="IncorrectInstanceState",
                )
            instance = self._set(caller, instance, request["IamInstanceProfile"])
        return {"IamInstanceProfileAssociation": _shown(instance, "associating")}

    def replace_iam_instance_profile_association(
        self, caller: Caller, request: "ReplaceIamInstanceProfileAssociationRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            instance = self._holder(caller, request["AssociationId"])
            instance = self._set(caller, instance, request["IamInstanceProfile"])
        return {"IamInstanceProfileAssociation": _shown(instance, "associating")}

    def disassociate_iam_instance_profile(
        self, caller: Caller, request: "DisassociateIamInstanceProfileRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            instance = self._holder(caller, request["AssociationId"])
            self._resources.store.update(instance, profile=None)
        return {"IamInstanceProfileAssociation": _shown(instance, "disassociating")}

    def describe_iam_instance_profile_associations(
        self, caller: Caller, request: "DescribeIamInstanceProfileAssociationsRequestTypeDef"
    ) -> dict[str, Any]:
        if wanted := request.get("AssociationIds"):
            found = [self._holder(caller, id) for id in dict.fromkeys(wanted)]
        else:
            mine = self._resources.mine(Instance, caller)
            found = [instance for instance in mine if instance.profile is not None and instance.alive]
        found = filters.select(found, request.get("Filters"), _FIELDS)
        some, token = page(found, request, key=lambda instance: instance.id, ids="AssociationIds")
        shown = [_shown(instance, "associated") for instance in some]
        return {"IamInstanceProfileAssociations": shown, "NextToken": token}

    def _set(self, caller: Caller, instance: Instance, asked: Any) -> Instance:
        profile = find_profile(self._find, caller, asked, self._resources)
        if profile is None:
            raise ServiceError(
                "The request must contain the parameter IamInstanceProfile.Name or IamInstanceProfile.Arn",
                code="MissingParameter",
            )
        return self._resources.store.update(instance, profile=profile)

    def _holder(self, caller: Caller, association_id: str) -> Instance:
        for instance in self._resources.mine(Instance, caller):
            if instance.profile is not None and instance.profile.association_id == association_id:
                return instance
        raise ServiceError(
            f"An invalid association-id of '{association_id}' was given", code="InvalidAssociationID.NotFound"
        )


def _shown(instance: Instance, state: str) -> dict[str, Any]:
    profile = instance.profile
    assert isinstance(profile, Profile)
    return {
        "AssociationId": profile.association_id,
        "InstanceId": instance.id,
        "IamInstanceProfile": {"Arn": profile.arn, "Id": profile.id},
        "State": state,
    }
