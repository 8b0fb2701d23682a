"""Launch templates: numbered versions of what RunInstances may be asked for, kept as they were given.

What a version asks for is checked when something is launched from it, as on AWS; until then only its form is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import filters, launch_checks, tags
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.instance_rows import Instance, LaunchTemplate, LaunchTemplateVersion
from cloudstead.services.ec2.instance_shown import whole
from cloudstead.services.ec2.instances_describe import find_instances
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources
from cloudstead.store import Store

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateLaunchTemplateRequestTypeDef,
        CreateLaunchTemplateVersionRequestTypeDef,
        DeleteLaunchTemplateRequestTypeDef,
        DeleteLaunchTemplateVersionsRequestTypeDef,
        DescribeLaunchTemplatesRequestTypeDef,
        DescribeLaunchTemplateVersionsRequestTypeDef,
        GetLaunchTemplateDataRequestTypeDef,
        ModifyLaunchTemplateRequestTypeDef,
    )

_NAME = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}")
_NUMBER = re.compile(r"[0-9]{1,19}")
_TEMPLATES_MAX = 5000
_VERSIONS_MAX = 10_000

_FIELDS: Fields[LaunchTemplate] = {
    "create-time": lambda template: template.created_at,
    "launch-template-name": lambda template: template.name,
}


@dataclass(frozen=True)
class _Version:
    """A version with what its filters compare."""

    row: LaunchTemplateVersion
    default: bool

    @property
    def tags(self) -> Mapping[str, str]:
        return {}

    @property
    def content(self) -> dict[str, Any]:
        return _content(self.row)

    def text(self, *path: str) -> str | None:
        found: Any = self.content
        for member in path:
            found = found.get(member) if isinstance(found, dict) else None
        return str(found).lower() if isinstance(found, bool) else found


_VERSION_FIELDS: Fields[_Version] = {
    "create-time": lambda version: version.row.created_at,
    "ebs-optimized": lambda version: version.text("EbsOptimized"),
    "host-resource-group-arn": lambda version: version.text("Placement", "HostResourceGroupArn"),
    "http-endpoint": lambda version: version.text("MetadataOptions", "HttpEndpoint"),
    "http-protocol-ipv4": lambda version: version.text("MetadataOptions", "HttpEndpoint"),
    "http-tokens": lambda version: version.text("MetadataOptions", "HttpTokens"),
    "iam-instance-profile": lambda version: version.text("IamInstanceProfile", "Arn"),
    "image-id": lambda version: version.text("ImageId"),
    "instance-type": lambda version: version.text("InstanceType"),
    "is-default-version": lambda version: version.default,
    "kernel-id": lambda version: version.text("KernelId"),
    "license-configuration-arn": lambda version: [
        one.get("LicenseConfigurationArn") for one in version.content.get("LicenseSpecifications") or ()
    ],
    "network-card-index": lambda version: [
        str(one["NetworkCardIndex"])
        for one in version.content.get("NetworkInterfaces") or ()
        if "NetworkCardIndex" in one
    ],
    "ram-disk-id": lambda version: version.text("RamDiskId"),
}


# --- for RunInstances


@dataclass(frozen=True)
class Merged:
    """A launch request with its template underneath, and the tags AWS gives instances made from one."""

    request: dict[str, Any]
    tags: dict[str, str]


def merged(resources: Resources, caller: Caller, request: Mapping[str, Any]) -> Merged:
    """What the request itself says counts more; devices and tags are merged one by one."""
    specification = request.get("LaunchTemplate")
    if not specification:
        return Merged(dict(request), {})
    template = _find(resources, caller, specification)
    version = _version(resources.store, template, specification.get("Version") or "$Default")
    below = _content(version)
    result = {**below, **request}
    for list_name, key in (("BlockDeviceMappings", "DeviceName"), ("TagSpecifications", "ResourceType")):
        if below.get(list_name) and request.get(list_name):
            result[list_name] = _merged_lists(below[list_name], request[list_name], key)
    own = {
        "aws:ec2launchtemplate:id": template.id,
        "aws:ec2launchtemplate:version": str(version.number),
    }
    return Merged(result, own)


def _merged_lists(below: list[Any], above: list[Any], key: str) -> list[Any]:
    by_key: dict[str, Any] = {one.get(key, ""): one for one in below}
    for one in above:
        before = by_key.get(one.get(key, ""))
        if before is not None and key == "ResourceType":
            kept = {tag["Key"]: tag for tag in before.get("Tags") or ()}
            kept |= {tag["Key"]: tag for tag in one.get("Tags") or ()}
            by_key[one[key]] = {**one, "Tags": list(kept.values())}
        else:
            by_key[one.get(key, "")] = one
    return list(by_key.values())


# --- the calls


class LaunchTemplates:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_launch_template(
        self, caller: Caller, request: "CreateLaunchTemplateRequestTypeDef"
    ) -> dict[str, Any]:
        name, store = request["LaunchTemplateName"], self._resources.store
        if not _NAME.fullmatch(name):
            raise ServiceError(
                f"The launch template name '{name}' is not valid. It has 3 to 128 characters: letters, digits and ().-/_",
                code="InvalidLaunchTemplateName.MalformedException",
            )
        content = _checked(request["LaunchTemplateData"])
        wanted = tags.wanted(request, LaunchTemplate.resource_type)
        with store.transaction():
            mine = self._resources.mine(LaunchTemplate, caller)
            same = next((one for one in mine if one.name == name), None)
            token = request.get("ClientToken") or ""
            if same is not None and token and same.client_token == token:
                return {"LaunchTemplate": _shown(same)}
            if same is not None:
                raise ServiceError(
                    "Launch template name already in use.",
                    code="InvalidLaunchTemplateName.AlreadyExistsException",
                )
            if len(mine) >= _TEMPLATES_MAX:
                raise ServiceError(
                    f"You have reached the maximum of {_TEMPLATES_MAX} launch templates.",
                    code="LaunchTemplateLimitExceeded",
                )
            template = store.insert(
                LaunchTemplate(
                    id=self._resources.new_id(LaunchTemplate),
                    account=caller.account,
                    region=caller.region,
                    tags=wanted,
                    name=name,
                    client_token=token,
                    created_at=self._now(),
                    created_by=caller.arn,
                )
            )
            self._insert_version(caller, template, 1, request, content)
        return {"LaunchTemplate": _shown(template)}

    def create_launch_template_version(
        self, caller: Caller, request: "CreateLaunchTemplateVersionRequestTypeDef"
    ) -> dict[str, Any]:
        content, store = _checked(request["LaunchTemplateData"]), self._resources.store
        with store.transaction():
            template = _find(self._resources, caller, request)
            token = request.get("ClientToken")
            for known in store.rows(LaunchTemplateVersion, template_id=template.id):
                if token and known.client_token == token:
                    return {"LaunchTemplateVersion": _shown_version(template, known)}
            if len(store.rows(LaunchTemplateVersion, template_id=template.id)) >= _VERSIONS_MAX:
                raise ServiceError(
                    f"You have reached the maximum of {_VERSIONS_MAX} versions of a launch template.",
                    code="LaunchTemplateVersionLimitExceeded",
                )
            if source := request.get("SourceVersion"):
                content = {**_content(_version(store, template, source)), **content}
            template = store.update(template, latest_version=template.latest_version + 1)
            version = self._insert_version(caller, template, template.latest_version, request, content)
        return {"LaunchTemplateVersion": _shown_version(template, version)}

    def delete_launch_template(
        self, caller: Caller, request: "DeleteLaunchTemplateRequestTypeDef"
    ) -> dict[str, Any]:
        store = self._resources.store
        with store.transaction():
            template = _find(self._resources, caller, request)
            for version in store.rows(LaunchTemplateVersion, template_id=template.id):
                store.delete(version)
            store.delete(template)
        return {"LaunchTemplate": _shown(template)}

    def delete_launch_template_versions(
        self, caller: Caller, request: "DeleteLaunchTemplateVersionsRequestTypeDef"
    ) -> dict[str, Any]:
        store = self._resources.store
        deleted, kept = [], []
        with store.transaction():
            template = _find(self._resources, caller, request)
            for text in request["Versions"]:
                found = store.get(LaunchTemplateVersion, f"{template.id}/{text}")
                about = {
                    "LaunchTemplateId": template.id,
                    "LaunchTemplateName": template.name,
                    "VersionNumber": int(text) if _NUMBER.fullmatch(text) else 0,
                }
                if found is None:
                    why = (
                        "launchTemplateVersionDoesNotExist",
                        "The specified launch template version does not exist",
                    )
                elif found.number == template.default_version:
                    why = ("unexpectedError", "The default version of a launch template cannot be deleted")
                else:
                    store.delete(found)
                    deleted.append(about)
                    continue
                kept.append({**about, "ResponseError": {"Code": why[0], "Message": why[1]}})
        return {
            "SuccessfullyDeletedLaunchTemplateVersions": deleted,
            "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
        }

    def modify_launch_template(
        self, caller: Caller, request: "ModifyLaunchTemplateRequestTypeDef"
    ) -> dict[str, Any]:
        store = self._resources.store
        with store.transaction():
            template = _find(self._resources, caller, request)
            if wanted := request.get("DefaultVersion"):
                version = _version(store, template, wanted)
                template = store.update(template, default_version=version.number)
        return {"LaunchTemplate": _shown(template)}

    def describe_launch_templates(
        self, caller: Caller, request: "DescribeLaunchTemplatesRequestTypeDef"
    ) -> dict[str, Any]:
        if wanted := request.get("LaunchTemplateIds"):
            found = [_find(self._resources, caller, {"LaunchTemplateId": id}) for id in dict.fromkeys(wanted)]
        elif names := request.get("LaunchTemplateNames"):
            found = [
                _find(self._resources, caller, {"LaunchTemplateName": name}) for name in dict.fromkeys(names)
            ]
        else:
            found = self._resources.mine(LaunchTemplate, caller)
        found = filters.select(found, request.get("Filters"), _FIELDS)
        some, token = page(found, request, key=lambda template: template.id, least=1, most=200)
        return {"LaunchTemplates": [_shown(template) for template in some], "NextToken": token}

    def describe_launch_template_versions(
        self, caller: Caller, request: "DescribeLaunchTemplateVersionsRequestTypeDef"
    ) -> dict[str, Any]:
        store = self._resources.store
        found: list[tuple[LaunchTemplate, LaunchTemplateVersion]] = []
        for template in self._templates_of(caller, request):
            if wanted := request.get("Versions"):
                found += [(template, _version(store, template, text)) for text in dict.fromkeys(wanted)]
            else:
                least = _number(request.get("MinVersion") or "1")
                most = _number(request.get("MaxVersion") or str(1 << 62))
                rows = store.rows(LaunchTemplateVersion, template_id=template.id)
                rows.sort(key=lambda row: -row.number)
                found += [(template, row) for row in rows if least <= row.number <= most]
        templates = {template.id: template for template, _ in found}
        versions = [_Version(row, row.number == template.default_version) for template, row in found]
        versions = filters.select(versions, request.get("Filters"), _VERSION_FIELDS)
        some, token = page(versions, request, key=lambda version: version.row.id, least=1, most=200)
        return {
            "LaunchTemplateVersions": [
                _shown_version(templates[version.row.template_id], version.row) for version in some
            ],
            "NextToken": token,
        }

    def get_launch_template_data(
        self, caller: Caller, request: "GetLaunchTemplateDataRequestTypeDef"
    ) -> dict[str, Any]:
        (instance,) = find_instances(self._resources, caller, [request["InstanceId"]])
        return {"LaunchTemplateData": _content_of(self._resources.store, instance)}

    # --- inside

    def _now(self) -> Any:
        return self._resources.tools.clock.now().replace(microsecond=0)

    def _insert_version(
        self,
        caller: Caller,
        template: LaunchTemplate,
        number: int,
        request: Mapping[str, Any],
        content: Mapping[str, Any],
    ) -> LaunchTemplateVersion:
        return self._resources.store.insert(
            LaunchTemplateVersion(
                id=f"{template.id}/{number}",
                template_id=template.id,
                number=number,
                description=request.get("VersionDescription") or "",
                client_token=request.get("ClientToken") or "",
                created_at=self._now(),
                created_by=caller.arn,
                content=msgspec.json.encode(content),
            )
        )

    def _templates_of(self, caller: Caller, request: Mapping[str, Any]) -> list[LaunchTemplate]:
        if request.get("LaunchTemplateId") or request.get("LaunchTemplateName"):
            return [_find(self._resources, caller, request)]
        if not set(request.get("Versions") or ("",)) <= {"$Latest", "$Default"}:
            raise ServiceError(
                "Either a launch template ID or name, or the versions $Latest or $Default, must be specified.",
                code="MissingParameter",
            )
        return self._resources.mine(LaunchTemplate, caller)


# --- inside


def _find(resources: Resources, caller: Caller, request: Mapping[str, Any]) -> LaunchTemplate:
    id, name = request.get("LaunchTemplateId"), request.get("LaunchTemplateName")
    if id and name:
        raise ServiceError(
            "Either a launch template ID or a name must be specified, not both.",
            code="InvalidParameterCombination",
        )
    if id:
        row = resources.store.get(LaunchTemplate, id)
        if row is not None and (row.account, row.region) == (caller.account, caller.region):
            return row
        raise LaunchTemplate.missing(id) if ids.well_formed(id, "lt") else LaunchTemplate.malformed(id)
    if name:
        for row in resources.store.rows(
            LaunchTemplate, name=name, account=caller.account, region=caller.region
        ):
            return row
        raise ServiceError(
            f"The specified launch template, with template name {name}, does not exist.",
            code="InvalidLaunchTemplateName.NotFoundException",
        )
    raise ServiceError("Either a launch template ID or a name must be specified.", code="MissingParameter")


def _version(store: Store, template: LaunchTemplate, text: str) -> LaunchTemplateVersion:
    if text == "$Latest":
        # The newest may have been deleted: then the newest that is left.
        return max(
            store.rows(LaunchTemplateVersion, template_id=template.id), key=lambda version: version.number
        )
    number = template.default_version if text == "$Default" else text
    found = store.get(LaunchTemplateVersion, f"{template.id}/{number}")
    if found is None:
        raise ServiceError(
            f"Could not find launch template version {text} for the launch template with ID {template.id}.",
            code="InvalidLaunchTemplateId.VersionNotFound",
        )
    return found


def _checked(content: Any) -> dict[str, Any]:
    if not content:
        raise ServiceError(
            "The launch template data must have at least one parameter.", code="MissingParameter"
        )
    launch_checks.user_data(content.get("UserData"))
    return dict(content)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ServiceError(
            f"Value ({text}) is invalid: it must be the number of a version", code="InvalidParameterValue"
        )
    return int(text)


def _content(version: LaunchTemplateVersion) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.json.decode(version.content)
    return content


def _shown(template: LaunchTemplate) -> dict[str, Any]:
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "CreateTime": template.created_at,
        "CreatedBy": template.created_by,
        "DefaultVersionNumber": template.default_version,
        "LatestVersionNumber": template.latest_version,
        "Tags": tags.shown(template.tags),
    }


def _shown_version(template: LaunchTemplate, version: LaunchTemplateVersion) -> dict[str, Any]:
    answer = {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "VersionNumber": version.number,
        "CreateTime": version.created_at,
        "CreatedBy": version.created_by,
        "DefaultVersion": version.number == template.default_version,
        "LaunchTemplateData": _content(version),
    }
    return answer | ({"VersionDescription": version.description} if version.description else {})


def _content_of(store: Store, instance: Instance) -> dict[str, Any]:
    """What would launch another instance like this one."""
    one = whole(store, instance)
    content: dict[str, Any] = {
        "ImageId": instance.image_id,
        "InstanceType": instance.type,
        "EbsOptimized": instance.ebs_optimized,
        "DisableApiTermination": instance.termination_protection,
        "DisableApiStop": instance.stop_protection,
        "InstanceInitiatedShutdownBehavior": instance.shutdown_behavior,
        "Monitoring": {"Enabled": instance.monitoring},
        "Placement": {"AvailabilityZone": instance.zone, "GroupName": "", "Tenancy": instance.tenancy},
        "BlockDeviceMappings": [
            {
                "DeviceName": volume.device,
                "Ebs": {
                    "DeleteOnTermination": volume.delete_on_termination,
                    "SnapshotId": volume.snapshot_id,
                    "VolumeSize": volume.size_gib,
                    "VolumeType": volume.type,
                    "Encrypted": volume.encrypted,
                },
            }
            for volume in one.volumes
        ],
        "NetworkInterfaces": [
            {
                "DeviceIndex": interface.attachment.device_index if interface.attachment is not None else 0,
                "SubnetId": interface.subnet_id,
                "Groups": list(interface.groups),
                "Description": interface.description,
                "DeleteOnTermination": interface.attachment is not None
                and interface.attachment.delete_on_termination,
                "PrivateIpAddresses": [
                    {"Primary": index == 0, "PrivateIpAddress": each.address}
                    for index, each in enumerate(interface.addresses)
                ],
                "Ipv6Addresses": [{"Ipv6Address": address} for address in interface.ipv6_addresses],
            }
            for interface in one.interfaces
        ],
        "MetadataOptions": {
            "HttpTokens": instance.metadata.tokens,
            "HttpPutResponseHopLimit": instance.metadata.hop_limit,
            "HttpEndpoint": instance.metadata.endpoint,
        },
    }
    if instance.key_name:
        content["KeyName"] = instance.key_name
    if instance.user_data:
        content["UserData"] = instance.user_data
    if instance.profile is not None:
        content["IamInstanceProfile"] = {"Arn": instance.profile.arn}
    if instance.credits:
        content["CreditSpecification"] = {"CpuCredits": instance.credits}
    if instance.tags:
        own = {key: value for key, value in instance.tags.items() if not key.startswith("aws:")}
        content["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags.shown(own)}]
    return content
