"""What an instance finds at 169.254.169.254: the tree of its metadata, read from the rows at each question.

A branch is a dict, a leaf bytes or a function that makes them; what is absent on AWS is absent here. The instance
identity document has no signature, for nobody could check one.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, Union

from cloudstead.core.clock import Clock
from cloudstead.dataplane.metadata.driver import FindGuest
from cloudstead.services.ec2 import instance_types
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.instance_shown import Whole, whole
from cloudstead.services.ec2.names import private_dns_name
from cloudstead.services.ec2.network_rows import NetworkInterface, Subnet, Vpc
from cloudstead.services.ec2.regions import zone_named
from cloudstead.store import Store

Leaf = bytes | Callable[[], bytes | None]
Tree = Mapping[str, "Node"]
Node = Union[Leaf, Tree, "Labelled"]


@dataclass(frozen=True)
class Labelled:
    """A branch that is listed with a label and not a slash, as only keys are: `0=my-key`."""

    label: str
    branch: Tree


@dataclass(frozen=True, kw_only=True)
class RoleCredentials:
    """Temporary keys of an instance's role."""

    role: str  # the role's name
    access_key_id: str
    secret_access_key: str
    token: str
    issued_at: datetime
    expires_at: datetime


#: Name of the role that an instance profile (by ARN) holds; None if it holds none, or is gone.
RoleName = Callable[[str], str | None]
#: Fresh keys for an instance (by id) under a profile (by ARN); None if the profile holds no role.
Issue = Callable[[str, str], RoleCredentials | None]

_RENEWED_BEFORE_EXPIRY = timedelta(minutes=15)
_KEPT_MAX = 4096


class InstanceCredentials:
    """Role keys for instances: the same until shortly before they expire, as on AWS."""

    def __init__(self, clock: Clock, role_name: RoleName, issue: Issue) -> None:
        self._clock = clock
        self._issue = issue
        self.role_name = role_name
        self._kept: dict[tuple[str, str], RoleCredentials] = {}

    def of(self, instance: Instance) -> RoleCredentials | None:
        if instance.profile is None:
            return None
        key = (instance.id, instance.profile.arn)
        kept = self._kept.get(key)
        fresh_after = self._clock.now() + _RENEWED_BEFORE_EXPIRY
        if kept is not None and kept.expires_at > fresh_after and kept.role == self.role_name(key[1]):
            return kept
        issued = self._issue(*key)
        if issued is None:
            self._kept.pop(key, None)
            return None
        if len(self._kept) >= _KEPT_MAX:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = issued
        return issued


@dataclass(frozen=True)
class InstanceGuest:
    """A Guest of the metadata service. See dataplane/metadata/driver.py."""

    store: Store
    instance: Instance
    credentials: InstanceCredentials

    @property
    def id(self) -> str:
        return self.instance.id

    @property
    def enabled(self) -> bool:
        return self.instance.metadata.endpoint == "enabled"

    @property
    def tokens(self) -> Literal["optional", "required"]:
        return self.instance.metadata.tokens

    @property
    def hop_limit(self) -> int:
        return self.instance.metadata.hop_limit

    def read(self, path: str) -> bytes | None:
        with self.store.reading():
            tree = metadata(whole(self.store, self.instance), self.credentials)
        return look_up(tree, path)


def find_guest(store: Store, credentials: InstanceCredentials) -> FindGuest:
    """Finds the instance behind an address of a VPC."""

    def find(vpc_id: str, address: str) -> InstanceGuest | None:
        with store.reading():
            for interface in store.rows(NetworkInterface, vpc_id=vpc_id):
                if interface.instance_id and _has(interface, address):
                    instance = store.get(Instance, interface.instance_id)
                    return None if instance is None else InstanceGuest(store, instance, credentials)
        return None

    return find


def _has(interface: NetworkInterface, address: str) -> bool:
    return any(each.address == address for each in interface.addresses) or (
        address in interface.ipv6_addresses
    )


def look_up(tree: Tree, path: str) -> bytes | None:
    """What stands at a path: a leaf's content, or the names of a branch, one a line, branches with a slash."""
    found: Node | None = tree
    for name in filter(None, path.split("/")):
        branch = found.branch if isinstance(found, Labelled) else found
        if not isinstance(branch, Mapping):
            return None
        found = branch.get(name)
    if isinstance(found, Labelled):
        found = found.branch
    if isinstance(found, Mapping):
        return "\n".join(_listed(name, below) for name, below in found.items()).encode()
    return found() if callable(found) else found


def _listed(name: str, below: Node) -> str:
    if isinstance(below, Labelled):
        return f"{name}={below.label}"
    return f"{name}/" if isinstance(below, Mapping) else name


def metadata(one: Whole, credentials: InstanceCredentials) -> Tree:
    """Everything there is to read, below the version."""
    tree: dict[str, Node] = {
        "meta-data": _meta_data(one, credentials),
        "dynamic": {"instance-identity": {"document": partial(_document, one)}},
    }
    if one.instance.user_data:
        tree["user-data"] = base64.b64decode("".join(one.instance.user_data.split()))
    return tree


def _meta_data(one: Whole, credentials: InstanceCredentials) -> Tree:
    instance = one.instance
    device = instance.root_device
    tree: dict[str, Node] = {
        "ami-id": _bytes(instance.image_id),
        "ami-launch-index": _bytes(instance.launch_index),
        "ami-manifest-path": b"(unknown)",
        "block-device-mapping": {
            "ami": _bytes(device.removeprefix("/dev/")),
            "root": _bytes(device),
        },
        "events": {"maintenance": {"history": b"[]", "scheduled": b"[]"}},
        "hostname": _bytes(one.private_dns),
        **_iam(instance, credentials),
        "instance-action": b"none",
        "instance-id": _bytes(instance.id),
        "instance-life-cycle": b"on-demand",
        "instance-type": _bytes(instance.type),
        "local-hostname": _bytes(one.private_dns),
        **_addresses(one),
        "placement": _placement(instance),
        "profile": b"default-hvm",
        **_keys(instance),
        "reservation-id": _bytes(instance.reservation_id),
        "security-groups": _bytes("\n".join(_group_names(one))),
        "services": {"domain": b"amazonaws.com", "partition": b"aws"},
        "system": _bytes(_system(instance)),
    }
    if instance.metadata.tags == "enabled":
        tree["tags"] = {"instance": {key: _bytes(value) for key, value in instance.tags.items()}}
    return tree


def _addresses(one: Whole) -> dict[str, Node]:
    found: dict[str, Node] = {}
    primary, public = one.primary, one.public
    if primary is None:
        return found
    if primary.ipv6_addresses:
        found["ipv6"] = _bytes(primary.ipv6_addresses[0])
    found["local-ipv4"] = _bytes(primary.primary.address)
    found["mac"] = _bytes(primary.mac)
    found["network"] = {
        "interfaces": {"macs": {interface.mac: _interface(interface, one) for interface in one.interfaces}}
    }
    if public is not None:
        if one.public_dns:
            found["public-hostname"] = _bytes(one.public_dns)
        found["public-ipv4"] = _bytes(public.address)
    return found


def _interface(interface: NetworkInterface, one: Whole) -> Tree:
    attachment, groups = interface.attachment, one.groups(interface)
    subnet, vpc = one.store.get(Subnet, interface.subnet_id), one.store.get(Vpc, interface.vpc_id)
    publics = [each for each in interface.addresses if each.public is not None]
    found: dict[str, Node] = {
        "device-number": _bytes(attachment.device_index if attachment is not None else 0),
        "interface-id": _bytes(interface.id),
        "local-hostname": _bytes(private_dns_name(interface.primary.address, interface.region)),
        "local-ipv4s": _lines(each.address for each in interface.addresses),
        "mac": _bytes(interface.mac),
        "network-card": _bytes(attachment.network_card if attachment is not None else 0),
        "owner-id": _bytes(interface.account),
        "security-group-ids": _lines(group["GroupId"] for group in groups),
        "security-groups": _lines(group["GroupName"] for group in groups),
        "subnet-id": _bytes(interface.subnet_id),
        "vpc-id": _bytes(interface.vpc_id),
    }
    if publics:
        found["ipv4-associations"] = {
            each.public.address: _bytes(each.address) for each in publics if each.public is not None
        }
        found["public-ipv4s"] = _lines(each.public.address for each in publics if each.public is not None)
        if name := one.name_of(interface.primary.public):
            found["public-hostname"] = _bytes(name)
    if interface.ipv6_addresses:
        found["ipv6s"] = _lines(interface.ipv6_addresses)
    if subnet is not None:
        found["subnet-ipv4-cidr-block"] = _bytes(subnet.cidr)
        if subnet.ipv6_cidr:
            found["subnet-ipv6-cidr-blocks"] = _bytes(subnet.ipv6_cidr)
    if vpc is not None:
        found["vpc-ipv4-cidr-block"] = _bytes(vpc.cidr)
        found["vpc-ipv4-cidr-blocks"] = _lines(each.cidr for each in vpc.cidrs)
        if vpc.ipv6_cidrs:
            found["vpc-ipv6-cidr-blocks"] = _lines(each.cidr for each in vpc.ipv6_cidrs)
    return dict(sorted(found.items()))


def _placement(instance: Instance) -> Tree:
    zone = zone_named(instance.region, instance.zone)
    found: dict[str, Node] = {"availability-zone": _bytes(instance.zone)}
    if zone is not None:
        found["availability-zone-id"] = _bytes(zone.id)
    found["region"] = _bytes(instance.region)
    return found


def _keys(instance: Instance) -> dict[str, Node]:
    if not instance.public_key:
        return {}
    key = Labelled(instance.key_name, {"openssh-key": _bytes(instance.public_key + "\n")})
    return {"public-keys": {"0": key}}


def _iam(instance: Instance, credentials: InstanceCredentials) -> dict[str, Node]:
    profile = instance.profile
    if profile is None:
        return {}
    role = credentials.role_name(profile.arn)
    found: dict[str, Node] = {"info": partial(_iam_info, instance, credentials)}
    if role is not None:
        found["security-credentials"] = {role: partial(_role_keys, instance, credentials)}
    return {"iam": found}


def _iam_info(instance: Instance, credentials: InstanceCredentials) -> bytes | None:
    keys, profile = credentials.of(instance), instance.profile
    if profile is None:
        return None
    about: dict[str, object] = {"Code": "Success" if keys is not None else "InstanceProfileNotFound"}
    about["LastUpdated"] = _timestamp(keys.issued_at if keys is not None else instance.launched_at)
    return _json(about | {"InstanceProfileArn": profile.arn, "InstanceProfileId": profile.id})


def _role_keys(instance: Instance, credentials: InstanceCredentials) -> bytes | None:
    keys = credentials.of(instance)
    if keys is None:
        return None
    return _json(
        {
            "Code": "Success",
            "LastUpdated": _timestamp(keys.issued_at),
            "Type": "AWS-HMAC",
            "AccessKeyId": keys.access_key_id,
            "SecretAccessKey": keys.secret_access_key,
            "Token": keys.token,
            "Expiration": _timestamp(keys.expires_at),
        }
    )


def _document(one: Whole) -> bytes:
    instance = one.instance
    return _json(
        {
            "accountId": instance.account,
            "architecture": instance.architecture,
            "availabilityZone": instance.zone,
            "billingProducts": None,
            "devpayProductCodes": None,
            "marketplaceProductCodes": None,
            "imageId": instance.image_id,
            "instanceId": instance.id,
            "instanceType": instance.type,
            "kernelId": None,
            "pendingTime": _timestamp(instance.launched_at),
            "privateIp": one.private_ip,
            "ramdiskId": None,
            "region": instance.region,
            "version": "2017-09-30",
        }
    )


def _group_names(one: Whole) -> list[str]:
    return [group["GroupName"] for group in one.groups(one.primary)] if one.primary is not None else []


def _system(instance: Instance) -> str:
    return instance_types.every()[instance.type].hypervisor


def _timestamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(about: Mapping[str, object]) -> bytes:
    return json.dumps(about, indent=2).encode()


def _bytes(value: object) -> bytes:
    return str(value).encode()


def _lines(values: Any) -> bytes:
    return "\n".join(values).encode()
